"""Rows come from S3 as they are in the file, and few other bytes with them."""

import threading
from itertools import pairwise

import h5py
import numpy as np
import pandas as pd
import pytest

from rulealign.data.simulated.tables import write_response_data
from rulealign.data.things import byte_ranges, remote_hdf5, remote_rows, s3
from rulealign.data.things.byte_ranges import merged, pieces
from rulealign.data.things.remote_rows import RemoteRows, fetch_small_tables
from rulealign.data.things.tables_form import Tables
from s3_site import BUCKET, begin_test, client, cut, put, s3_site
from things_forms import generated_truth, write_openneuro, write_sidecars

BASE = f"s3://{BUCKET}/ds004192"


@pytest.fixture(scope="module")
def truth():
    return generated_truth(subjects=2)


@pytest.fixture(scope="module")
def service(truth, tmp_path_factory):
    folder = tmp_path_factory.mktemp("openneuro")
    write_openneuro(folder, truth)
    write_sidecars(folder / "ds004192", truth)
    with s3_site() as site:
        for path in folder.rglob("*.*"):
            put(site, path.relative_to(folder).as_posix(), path.read_bytes())
        yield site


@pytest.fixture
def site(service, monkeypatch):
    begin_test(service, monkeypatch)
    return service


@pytest.fixture(scope="module")
def folder(service, tmp_path_factory):
    """Give a folder with the small tables of both subjects."""
    folder = tmp_path_factory.mktemp("tables")
    for subject in ("01", "02"):
        fetch_small_tables(BASE, subject, folder, endpoint=service.url)
    return folder


@pytest.fixture
def form(site, folder):
    return RemoteRows(folder, BASE, parallel=4)


def responses_key(subject):
    return (
        f"ds004192/derivatives/ICA-betas/sub-{subject}/voxel-metadata/"
        f"sub-{subject}_task-things_voxel-wise-responses.h5"
    )


@pytest.mark.parametrize("subject", ["01", "02"])
def test_the_remote_form_gives_the_truth(form, truth, subject):
    person = truth.people[subject]
    rng = np.random.default_rng(0)
    rows = np.flatnonzero(rng.random(len(person.voxels)) < 0.4)
    read = form.responses(subject, rows)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, person.responses[rows])
    trials = form.trials(subject)
    assert trials["stimulus"].tolist() == person.trials["stimulus"].tolist()
    columns = ["V1", "IT", "glasser-p9-\n46v", "voxel_x", "nc_testset"]
    voxels = form.voxels(subject, columns)
    pd.testing.assert_frame_equal(voxels, person.voxels[["voxel_id", *columns]])
    assert set(form.columns(subject)) > {"V1", "lLOC", "IT"}


def test_scanner_and_sequence_come_from_the_sidecar_of_the_first_run(form):
    read = form.acquisition("01")
    assert (read["MagneticFieldStrength"], read["RepetitionTime"]) == (3, 1.5)
    assert read["source"] == "sub-01_ses-things01_task-things_run-01_bold.json"


def test_a_dataset_without_sidecars_says_so(site, truth, tmp_path, capsys):
    write_openneuro(tmp_path / "source", truth)
    for path in (tmp_path / "source").rglob("sub-01*.tsv"):
        key = path.relative_to(tmp_path / "source").as_posix()
        put(site, f"bare/{key}", path.read_bytes())
    bare = f"s3://{BUCKET}/bare/ds004192"
    fetch_small_tables(bare, "01", tmp_path / "here")
    assert "scanner and sequence are not known" in capsys.readouterr().out
    assert RemoteRows(tmp_path / "here", bare, 1).acquisition("01") == {}


@pytest.mark.parametrize("parallel", [1, 3, 16])
@pytest.mark.parametrize("piece", [1, 2000, 2**22], ids=["one row", "some rows", "all"])
def test_pieces_and_parallel_requests_change_nothing(
    site, truth, folder, monkeypatch, parallel, piece
):
    monkeypatch.setattr(byte_ranges, "PIECE", piece)
    rows = np.array([0, 1, 2, 3, 7, 8, 20, 21, 22, 60, len(truth.people["01"].voxels) - 1])
    read = RemoteRows(folder, BASE, parallel).responses("01", rows)
    np.testing.assert_array_equal(read, truth.people["01"].responses[rows])


def test_passing_faults_do_not_change_what_is_read(form, site, truth, monkeypatch, capsys):
    monkeypatch.setattr(byte_ranges, "PIECE", 2000)
    site.faults = [503, cut, None, cut, 500, None, None, 429, None, cut, None, 503]
    rows = np.arange(5, 60)
    np.testing.assert_array_equal(form.responses("01", rows), truth.people["01"].responses[rows])
    assert capsys.readouterr().out.count("next try in") == 7


LAYOUTS = {
    "big-endian": {"dtype": ">f8"},
    "single": {"dtype": "<f4"},
    "chunks": {"chunks": (16, 11)},
    "packed chunks": {"chunks": (16, 11), "compression": "gzip", "shuffle": True},
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("block", [0, 512], ids=["", "after a user block"])
def test_other_layouts_of_the_same_numbers_give_the_same(
    form, site, truth, tmp_path, layout, block
):
    person = truth.people["02"]
    options = {"userblock_size": block, "libver": "earliest"}
    path = tmp_path / "other.h5"
    with h5py.File(path, "w", **options) as file:
        file.create_dataset("before", data=np.arange(1000))
        file.create_dataset("ResponseData/block0_values", data=person.responses, **layout)
        file["ResponseData/block0_items"] = np.arange(person.responses.shape[1])
        ids = person.voxels["voxel_id"].to_numpy()[:, None]
        file.create_dataset("ResponseData/block1_values", data=ids)
    original = site_bytes(site, responses_key("02"))
    put(site, responses_key("02"), path.read_bytes())
    try:
        rows = np.flatnonzero(person.voxels["V1"])
        np.testing.assert_array_equal(form.responses("02", rows), person.responses[rows])
    finally:
        put(site, responses_key("02"), original)


def site_bytes(site, key):
    return client(site).get_object(Bucket=BUCKET, Key=key)["Body"].read()


@pytest.fixture(scope="module")
def larger(service, tmp_path_factory):
    """Put a subject of 3,000 voxels x 400 trials (9.6 MB) onto the service; give the responses."""
    person = generated_truth(subjects=1).people["01"]
    rng = np.random.default_rng(1)
    responses = rng.standard_normal((3000, 400)).astype(np.float32)
    voxels = pd.DataFrame({"voxel_id": np.arange(3000), "subject_id": 1, "V1": 0})
    trials = pd.concat([person.trials] * (400 // len(person.trials) + 1))[:400]
    trials = trials.assign(trial_id=range(400), session=1, run=np.repeat(range(40), 10))
    trials["concept"] = "dog"
    trials["stimulus"] = [f"dog_{number:03d}s.jpg" for number in range(400)]
    folder = tmp_path_factory.mktemp("larger")
    write_response_data(folder / "responses.h5", responses, np.arange(3000))
    place = "ds004192/derivatives/ICA-betas/sub-01/voxel-metadata/sub-01_task-things_"
    put(service, f"large/{place}voxel-wise-responses.h5", (folder / "responses.h5").read_bytes())
    put(service, f"large/{place}voxel-metadata.tsv", voxels.to_csv(index=False).encode())
    put(service, f"large/{place}stimulus-metadata.tsv", trials.to_csv(index=False).encode())
    return responses


def clustered(rng):
    starts = np.sort(rng.choice(280, 12, replace=False)) * 10
    return np.unique(np.concatenate([start + np.arange(rng.integers(2, 10)) for start in starts]))


@pytest.mark.parametrize("how", ["scattered", "clustered", "one run", "all"])
def test_few_bytes_are_read_beyond_those_that_are_needed(site, larger, tmp_path, capsys, how):
    rng = np.random.default_rng(2)
    rows = {
        "scattered": np.sort(rng.choice(3000, 60, replace=False)),
        "clustered": clustered(rng),
        "one run": np.arange(1000, 1100),
        "all": np.arange(3000),
    }[how]
    large = f"s3://{BUCKET}/large/ds004192"
    fetch_small_tables(large, "01", tmp_path)
    site.clear()
    read = RemoteRows(tmp_path, large, parallel=4).responses("01", rows)
    np.testing.assert_array_equal(read, larger[rows])
    needed = rows.size * 400 * 8
    assert needed <= site.sent <= 1.5 * needed
    said = capsys.readouterr().out
    assert f"sub-01, {len(rows)} voxels: {needed / 1e6:.1f} MB needed" in said
    assert "of 9.7 MB" in said


@pytest.mark.parametrize("seed", range(5))
def test_gaps_are_bridged_while_the_rows_read_in_vain_are_spared(seed):
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(rng.random(500) < 0.3)
    spare = int(0.2 * len(rows))
    stretches = merged(rows, spare)
    covered = np.concatenate([np.arange(*stretch) for stretch in stretches])
    assert set(rows) <= set(covered)
    assert len(covered) == len(set(covered)) <= len(rows) + spare
    # no gap that is left would still have fitted
    gaps = [after - end for (_, end), (after, _) in pairwise(stretches)]
    assert len(covered) + min(gaps) > len(rows) + spare
    cuts = pieces(stretches, row_bytes=2**20)
    assert all(0 < end - first <= 4 for first, end in cuts)
    np.testing.assert_array_equal(np.concatenate([np.arange(*cut_) for cut_ in cuts]), covered)


def test_of_chunks_only_those_of_the_rows_are_read(site, tmp_path, monkeypatch):
    values = np.random.default_rng(3).standard_normal((640, 220)).astype(np.float32)
    with h5py.File(tmp_path / "chunks.h5", "w") as file:
        file.create_dataset("x", data=values, chunks=(32, 55), compression="gzip")
        sizes = [file["x"].id.get_chunk_info(k).size for k in range(file["x"].id.get_num_chunks())]
    put(site, "chunks.h5", (tmp_path / "chunks.h5").read_bytes())
    monkeypatch.setattr(remote_hdf5, "BAND", 3 * 32 * 220 * 4)
    rows = np.array([3, 31, 32, 200, 201, 639])  # in 4 of the 20 bands of chunks
    out = np.empty((6, 220), dtype=np.float32)
    site.clear()
    with s3.connected() as files:
        found = s3.look_up(files, f"s3://{BUCKET}/chunks.h5")
        with remote_hdf5.open_remote(files, found, 4) as remote:
            remote.chunked_rows("x", rows, out)
    np.testing.assert_array_equal(out, values[rows])
    needed = 4 * 4 * np.mean(sizes)
    assert site.sent == pytest.approx(needed, rel=0.02, abs=4 * remote_hdf5.PAGE)
    asked = [asked for method, _, asked in site.requests if method == "GET"]
    assert len(asked) == len(set(asked))


def test_the_network_is_never_asked_while_h5py_holds_its_lock(form, truth, tmp_path, monkeypatch):
    path = tmp_path / "any.h5"
    h5py.File(path, "w").close()
    real, tried = remote_hdf5.read_range, []

    def asked(*arguments):
        def use_h5py():  # as a thread of the network does when it collects garbage
            h5py.File(path, "r").close()
            tried.append("done")

        thread = threading.Thread(target=use_h5py, daemon=True)
        thread.start()
        thread.join(5)
        assert not thread.is_alive(), "h5py is locked while the network is asked"
        return real(*arguments)

    monkeypatch.setattr(remote_hdf5, "read_range", asked)
    form.responses("01", np.arange(4))
    assert len(tried) >= 2


def test_the_form_reads_tables_as_the_table_form_does(form, truth, tmp_path):
    write_openneuro(tmp_path / "copy", truth)
    tables = Tables(tmp_path / "copy")
    assert tables.columns("01") == form.columns("01")
    pd.testing.assert_frame_equal(tables.trials("01"), form.trials("01"))
    rows = np.arange(0, 40, 3)
    np.testing.assert_array_equal(tables.responses("01", rows), form.responses("01", rows))


def test_the_waste_that_is_allowed_stays_below_what_was_promised():
    assert remote_rows.WASTE + remote_rows._IDS_WASTE <= 0.2
