"""Reading of THINGS-fMRI tables against whole-array numpy and plain loops."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest

from brain_settings import responses_of, union
from rulealign.data.images.stimulus_sets import image_paths, stimulus_images
from rulealign.data.responses.patterns import select_patterns
from rulealign.data.responses.roi import choose_voxels
from rulealign.data.responses.roi_responses import write_roi_responses
from rulealign.data.things.tables import read_trials, roi_columns
from rulealign.data.things.tables_form import Tables, read_rows
from rulealign.errors import ConfigurationError, DataError

STIMULI = [
    *("dog_12s.jpg", "ape_13s.jpg", "dog_02s.jpg", "dog_14s.jpg"),
    *("ice_cream_05s.jpg", "dog_14s.jpg", "ant_01b.jpg", "ape_13s.jpg"),
]


@pytest.fixture
def tables(tmp_path):
    """Write a small data set by hand: 9 voxels, 8 trials."""
    rng = np.random.default_rng(0)
    responses = rng.standard_normal((9, 8))
    with h5py.File(tmp_path / "sub-01_ResponseData.h5", "w") as file:
        file["ResponseData/block0_items"] = range(8)
        file["ResponseData/block0_values"] = responses
        file["ResponseData/block1_values"] = 100 + np.arange(9)[:, None]
    voxels = pd.DataFrame({"voxel_id": 100 + np.arange(9), "subject_id": 1, "nc_testset": 0.5})
    voxels["nc_singletrial"] = 0.1
    voxels["V1"] = [0, 1, 1, 0, 0, 0, 1, 0, 0]
    voxels["lLOC"] = [0, 0, 0, 1, 0, 0, 0, 0, 0]
    voxels["rLOC"] = [1, 0, 0, 1, 0, 0, 0, 0, 1]
    voxels["glasser-p9-\n46v"] = [0, 0, 0, 0, 1, 0, 0, 0, 0]
    voxels["hV4"] = 0
    voxels.to_csv(tmp_path / "sub-01_VoxelMetadata.csv", index=False)
    trials = pd.DataFrame(
        {
            "trial_type": ["train", "test"] * 4,
            "session": [1, 1, 1, 1, 2, 2, 2, 2],
            "run": [1, 1, 1, 1, 2, 2, 2, 2],
            "subject_id": 1,
            "trial_id": range(8),
            "stimulus": STIMULI,
            "concept": [name.rpartition("_")[0] for name in STIMULI],
        }
    )
    trials.to_csv(tmp_path / "sub-01_StimulusMetadata.csv", index=False)
    return tmp_path, responses


def extract(folder, columns):
    settings = responses_of(union(*columns))
    write_roi_responses(Tables(folder), "01", "ROI", settings, folder / "roi.h5")
    return folder / "roi.h5"


SEPARATED = [(",", ""), (";", ""), ("\t", ""), (",", ".gz"), ("\t", ".gz")]


@pytest.mark.parametrize(("separator", "packed"), SEPARATED)
@pytest.mark.parametrize("mark", ["utf-8", "utf-8-sig"])
def test_tables_may_be_separated_and_packed_in_several_ways(tables, separator, packed, mark):
    folder, _ = tables
    voxels, trials = (folder / f"sub-01_{kind}Metadata.csv" for kind in ("Voxel", "Stimulus"))
    expected = [Tables(folder).voxels("01", ["V1", "nc_testset"]), Tables(folder).trials("01")]
    for path in (voxels, trials):
        table = pd.read_csv(path)
        path.unlink()
        target = f"{path}{packed}"
        table.to_csv(target, index=False, sep=separator, encoding=mark)
    found = [Tables(folder).voxels("01", ["V1", "nc_testset"]), Tables(folder).trials("01")]
    for one, other in zip(found, expected, strict=True):
        pd.testing.assert_frame_equal(one, other)
    names = ["V1", "lLOC", "rLOC", "glasser-p9-\n46v", "hV4"]
    assert Tables(folder).columns("01") == names


def test_an_roi_is_the_union_of_its_columns(tables):
    folder, _ = tables
    chosen = choose_voxels(Tables(folder), "01", union("lLOC", "rLOC"))
    assert chosen.rows.tolist() == [0, 3, 8]
    assert chosen.ids == ["100", "103", "108"]


def test_a_column_name_with_a_line_break_is_found(tables):
    folder, _ = tables
    assert choose_voxels(Tables(folder), "01", union("glasser-p9-46v")).rows.tolist() == [4]
    found = roi_columns(folder / "sub-01_VoxelMetadata.csv")
    assert found == ["V1", "lLOC", "rLOC", "glasser-p9-\n46v", "hV4"]


@pytest.mark.parametrize("rows", [[0], [8], [0, 1, 2], [1, 2, 6], [0, 3, 4, 5, 8], range(9)])
def test_reading_rows_equals_indexing_the_whole_array_and_reads_no_other_row(tables, rows):
    folder, responses = tables
    asked = []

    class Recorder:
        shape = responses.shape

        def __getitem__(self, key):
            asked.extend(range(key.start, key.stop))
            with h5py.File(folder / "sub-01_ResponseData.h5") as file:
                return file["ResponseData/block0_values"][key]

    found = read_rows(Recorder(), np.array(rows))
    assert (found == responses[list(rows)].astype(np.float32)).all()
    assert asked == list(rows)


def test_the_extracted_file_keeps_voxels_trials_and_settings(tables):
    folder, responses = tables
    with h5py.File(extract(folder, ["V1"])) as file:
        assert (file["responses"][()] == responses[[1, 2, 6]].astype(np.float32)).all()
        assert file["ids/voxel"].asstr()[()].tolist() == ["101", "102", "106"]
        assert file["trials/stimulus"].asstr()[()].tolist() == STIMULI
        assert file["trials/session"][()].tolist() == [1, 1, 1, 1, 2, 2, 2, 2]
        assert sorted(file["trials"]) == [
            *("concept", "run", "session", "stimulus", "trial_id", "trial_type")
        ]
        assert (file.attrs["subject"], file.attrs["roi"]) == ("01", "ROI")
        assert json.loads(file.attrs["settings"])["voxels"] == union("V1").model_dump()
        assert file["voxels/nc_testset"][()].tolist() == [0.5, 0.5, 0.5]


def test_first_exemplars_are_single_trials_of_voxels_scored_over_all_trials(tables):
    folder, responses = tables
    ids, patterns, repetitions = select_patterns(extract(folder, ["V1"]), "first-exemplar")
    # dog_02 comes before dog_12 though it was shown later; dog_14 and ape_13 are repeated images
    assert ids == ["ant_01b.jpg", "dog_02s.jpg", "ice_cream_05s.jpg"]
    assert repetitions == 1
    for column, voxel in enumerate([1, 2, 6]):
        values = [float(np.float32(value)) for value in responses[voxel]]
        mean = sum(values) / 8
        sd = (sum((value - mean) ** 2 for value in values) / 8) ** 0.5
        for row, trial in enumerate([6, 2, 4]):
            assert patterns[row, column] == pytest.approx((values[trial] - mean) / sd)


def test_repeated_images_are_averaged_over_their_trials(tables):
    folder, responses = tables
    ids, patterns, repetitions = select_patterns(extract(folder, ["V1"]), "test-repeats")
    assert (ids, repetitions) == (["ape_13s.jpg", "dog_14s.jpg"], 2)
    roi = responses[[1, 2, 6]].astype(np.float32).astype(float)
    scores = ((roi.T - roi.mean(axis=1)) / roi.std(axis=1)).T
    np.testing.assert_allclose(patterns[0], (scores[:, 1] + scores[:, 7]) / 2)
    np.testing.assert_allclose(patterns[1], (scores[:, 3] + scores[:, 5]) / 2)


@pytest.mark.parametrize("stimulus_set", ["first-exemplar", "test-repeats"])
def test_the_table_alone_gives_the_ids_of_the_patterns(tables, stimulus_set):
    folder, _ = tables
    expected = select_patterns(extract(folder, ["V1"]), stimulus_set)[0]
    found = stimulus_images(folder / "sub-01_StimulusMetadata.csv", stimulus_set)
    assert list(found) == expected


def test_an_unknown_stimulus_set_is_refused(tables):
    folder, _ = tables
    with pytest.raises(ConfigurationError, match="first-exemplar.*test-repeats"):
        stimulus_images(folder / "sub-01_StimulusMetadata.csv", "second-exemplar")


def test_concepts_called_null_or_nan_are_not_missing(tables):
    folder, _ = tables
    table = pd.read_csv(folder / "sub-01_StimulusMetadata.csv")
    table.loc[0, ["stimulus", "concept"]] = ["nan_01b.jpg", "nan"]
    table.loc[1, ["stimulus", "concept"]] = ["null_01b.jpg", "null"]
    table.to_csv(folder / "sub-01_StimulusMetadata.csv", index=False)
    assert read_trials(folder / "sub-01_StimulusMetadata.csv")["concept"].tolist()[:2] == [
        "nan",
        "null",
    ]


def test_images_are_found_by_exact_name(tmp_path):
    for name in ("dog/dog_01s.jpg", "ice_cream/ice_cream_05s.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"")
    ids = ["ice_cream_05s.jpg", "dog_01s.jpg"]
    assert image_paths(tmp_path, ids) == [
        tmp_path / "ice_cream" / "ice_cream_05s.jpg",
        tmp_path / "dog" / "dog_01s.jpg",
    ]
    with pytest.raises(DataError, match=r"1 of 2 images are missing: \['dog_02s.jpg'\]"):
        image_paths(tmp_path, ["dog_01s.jpg", "dog_02s.jpg"])
