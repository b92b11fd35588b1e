"""A remote file that is cut off, of another subject, layout or size: named with its address."""

import h5py
import numpy as np
import pytest

from rulealign.data.things import byte_ranges
from rulealign.data.things.remote_rows import RemoteRows, fetch_small_tables
from rulealign.errors import DataError, RulealignError
from s3_site import BUCKET, begin_test, put, s3_site, shorter
from things_forms import generated_truth, write_openneuro

BASE = f"s3://{BUCKET}/ds004192"
PLACE = "ds004192/derivatives/ICA-betas/sub-01/voxel-metadata/sub-01_task-things_"
KEY = f"{PLACE}voxel-wise-responses.h5"
ADDRESS = f"s3://{BUCKET}/{KEY}"


@pytest.fixture(scope="module")
def truth():
    return generated_truth(subjects=1)


@pytest.fixture(scope="module")
def service(truth, tmp_path_factory):
    folder = tmp_path_factory.mktemp("openneuro")
    write_openneuro(folder, truth)
    with s3_site() as site:
        for path in folder.rglob("*.*"):
            put(site, path.relative_to(folder).as_posix(), path.read_bytes())
        fetch_small_tables(BASE, "01", folder / "tables", endpoint=site.url)
        site.folder, site.original = folder / "tables", (folder / KEY).read_bytes()
        yield site


@pytest.fixture
def site(service, monkeypatch):
    begin_test(service, monkeypatch)
    put(service, KEY, service.original)
    return service


def read(site, rows=(0, 5, 6)):
    return RemoteRows(site.folder, BASE, parallel=2).responses("01", np.array(rows))


def rewritten(tmp_path, site, change):
    path = tmp_path / "changed.h5"
    path.write_bytes(site.original)
    with h5py.File(path, "a") as file:
        change(file)
    put(site, KEY, path.read_bytes())


@pytest.mark.parametrize("left", [0.5, 0.999, 0.0001])
def test_a_file_that_is_cut_off_is_named(site, left):
    put(site, KEY, site.original[: int(left * len(site.original))])
    with pytest.raises(DataError, match=r"cannot be read as HDF5.*things\.root") as error:
        read(site)
    assert ADDRESS in str(error.value)
    assert "next try" not in str(error.value)


def test_another_kind_of_file_is_named(site):
    put(site, KEY, b"<html>Please log in.</html>" * 1000)
    with pytest.raises(DataError, match="cannot be read as HDF5"):
        read(site)


def test_another_layout_is_named_with_what_there_is(site, tmp_path):
    rewritten(tmp_path, site, lambda file: file.move("ResponseData", "Responses"))
    with pytest.raises(DataError, match=r"has no 'ResponseData/block0_values'.*\['Responses'\]"):
        read(site)


def test_a_remote_file_that_points_to_a_local_one_is_refused(site, tmp_path):
    def elsewhere(file):
        del file["ResponseData/block0_values"]
        file["ResponseData/block0_values"] = h5py.ExternalLink(tmp_path / "mine.h5", "/values")

    rewritten(tmp_path, site, elsewhere)
    with pytest.raises(RulealignError, match="block0_values' lie in another file") as error:
        read(site)
    assert ADDRESS in str(error.value)


def _other_shape(file):
    values = file["ResponseData/block0_values"][()]
    del file["ResponseData/block0_values"]
    file["ResponseData/block0_values"] = values[:, :-1]


def _fewer_voxels(file):
    values = file["ResponseData/block0_values"][()]
    del file["ResponseData/block0_values"]
    file["ResponseData/block0_values"] = values[:-1]


def _whole_numbers(file):
    values = file["ResponseData/block0_values"][()]
    del file["ResponseData/block0_values"]
    file["ResponseData/block0_values"] = values.astype(np.int64)


def _columns_sorted_as_text(file):
    labels = sorted(map(str, range(file["ResponseData/block0_values"].shape[1])))
    del file["ResponseData/block0_items"]
    file["ResponseData/block0_items"] = np.array(labels).astype("S")


def _no_labels(file):
    del file["ResponseData/block0_items"]


def _other_voxels(file):
    file["ResponseData/block1_values"][5:] += 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_other_shape, r"has \d+ trials, its table has \d+"),
        (_fewer_voxels, r"has \d+ voxels, its table has \d+"),
        (_whole_numbers, "'ResponseData/block0_values' is int64"),
        (_columns_sorted_as_text, "columns are in the order 0, 1, 10, .*sorted as text"),
        (_no_labels, "cannot be read, so nothing says which trial.*things.columns: as_stored"),
        (_other_voxels, r"row 5 is voxel 6, and voxel 5 in .*voxel-metadata\.tsv"),
    ],
)
def test_a_file_that_does_not_fit_its_tables_is_refused(site, tmp_path, change, message):
    rewritten(tmp_path, site, change)
    with pytest.raises(DataError, match=message) as error:
        read(site)
    assert ADDRESS in str(error.value)


def test_columns_without_labels_are_believed_where_the_study_says_so(site, tmp_path, truth):
    rewritten(tmp_path, site, _no_labels)
    form = RemoteRows(site.folder, BASE, parallel=2, as_stored=True)
    rows = np.array([0, 5, 6])
    np.testing.assert_array_equal(form.responses("01", rows), truth.people["01"].responses[rows])
    assert form.believed


@pytest.mark.parametrize("rows", [[-1, 2], [3, 3], [5, 2], [0, 10**6], []])
def test_rows_that_are_not_there_are_refused(site, rows):
    with pytest.raises(DataError, match="rows that increase from 0 to"):
        read(site, np.array(rows, dtype=np.int64))
    assert site.requests == []


def test_a_missing_person_is_named(site, tmp_path):
    with pytest.raises(DataError, match=r"sub-04.*no such public object.*brain\.subjects"):
        fetch_small_tables(BASE, "04", tmp_path)
    with pytest.raises(DataError, match="no table of voxels of sub-04"):
        RemoteRows(site.folder, BASE, 2).responses("04", np.array([0]))


@pytest.mark.parametrize("fault", [503, shorter])
@pytest.mark.parametrize("when", [0, 4, 6], ids=["opening", "ids", "rows"])
def test_a_service_that_fails_for_good_stops_the_reading(site, monkeypatch, fault, when):
    monkeypatch.setattr(byte_ranges, "PIECE", 2000)
    site.faults = [*[None] * when, *[fault] * 200]
    with pytest.raises(DataError, match="5 times in a row") as error:
        read(site, np.arange(0, 40))
    assert ADDRESS in str(error.value)


def test_a_file_that_is_replaced_in_between_is_refused(site, monkeypatch):
    monkeypatch.setattr(byte_ranges, "PIECE", 2000)

    def replaced(headers, body):
        put(site, KEY, site.original + b"more")
        return headers, body

    site.faults = [None, None, replaced]
    with pytest.raises(DataError, match="changed while it was read"):
        read(site, np.arange(0, 40))
