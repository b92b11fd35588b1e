"""Faults planted into own betas: each is named with file, key and remedy before training."""

import gzip
import re
import shutil

import h5py
import nibabel
import numpy as np
import pytest

from helpers.bids_folder import AFFINE, SHAPE, SUBJECTS, inside, save, write_bids
from helpers.brain_settings import patterns_by, responses_of, union
from helpers.shown_stimuli import write_shown
from oracles.test_betas import GLM, told
from rulealign.data.betas.form import OwnBetas
from rulealign.data.betas.source import BetaSource
from rulealign.data.brains.betas import Betas
from rulealign.data.check import check_inputs
from rulealign.data.responses.roi_responses import write_roi_responses
from rulealign.errors import DataError
from rulealign.rsa.brain_distance import brain_distance
from rulealign.store import open_h5, write_h5

RUN = "derivatives/glm/sub-ben/sub-ben_task-objects_run-2_betas.nii.gz"
EVENTS = "sub-ben/func/sub-ben_task-objects_run-2_events.tsv"
MASK = "derivatives/rois/sub-ben_LO_mask.nii.gz"


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    write_bids(folder)
    return folder


@pytest.fixture
def root(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "root")


def section(root, **changes):
    files = told(root).model_dump() | {"kind": "betas", "subjects": SUBJECTS}
    about = {"acquisition": "3T", "rois": {"V1": ["V1"], "LO": ["LO"]}}
    return Betas.model_validate(files | about | changes)


def plan(root, **changes):
    return BetaSource(section(root, **changes))


def read(root, output, roi="LO", subject="ben", **changes):
    form = OwnBetas(told(root, **changes))
    write_roi_responses(form, subject, "LO", responses_of(union(roi)), output)
    return form


def refused_plan(root, match, **changes):
    with pytest.raises(DataError, match=match):
        plan(root, **changes)


@pytest.fixture
def refused(root, tmp_path):
    def check(match, **changes):
        with pytest.raises(DataError, match=match):
            read(root, tmp_path / "r.h5", **changes)

    return check


def test_sound_betas_pass(root, tmp_path):
    files = plan(root).files("ben", "LO")
    assert len(files) == 7
    assert str(root / MASK) in files
    assert str(root / MASK) not in plan(root).files("ben")
    assert not read(root, tmp_path / "r.h5").believed


def test_a_pattern_that_matches_nothing(root):
    wrong = GLM.format(root=root).replace("task-objects", "task-faces")
    refused_plan(root, r"brain\.betas: '.*sub-anna_task-faces_run-\{run\}.*no file", betas=wrong)
    missing = [*SUBJECTS, "emma"]
    refused_plan(root, r"no file of subject emma\. .*correct brain\.subjects", subjects=missing)
    events = told(root).events.model_dump() | {"source": f"{root}/sub-{{subject}}/none.tsv"}
    refused_plan(root, r"brain\.events\.source: '.*sub-anna/none\.tsv'", events=events)


def test_a_missing_run(root):
    (root / RUN).unlink()
    refused_plan(root, r"brain\.betas: .*subject ben, run 2, .*brain\.missing_runs to accept")


def test_a_missing_run_of_a_single_subject(root):
    (root / RUN).unlink()
    refused_plan(root, "subject ben, run 2", subjects=["ben"])


def test_a_missing_run_that_is_accepted(root, tmp_path):
    (root / RUN).unlink()
    plan(root, missing_runs="accept")
    form = read(root, tmp_path / "r.h5", missing_runs="accept")
    assert set(form.trials("ben")["run"]) == {1, 3}


def test_events_without_betas_and_betas_without_events(root, refused):
    (root / EVENTS).unlink()
    refused_plan(root, r"brain\.events\.source: '.*sub-ben.*no file of subject ben, run 2\.")
    refused(r"brain\.events: has 0 rows for .*run-2_betas\.nii\.gz, which has 22 betas")
    shutil.copy(root / EVENTS.replace("run-2", "run-1"), root / EVENTS)
    (root / RUN).unlink()
    refused(r"run-2_events\.tsv: row 0: is of run 2, .* no betas .*brain\.missing_runs to accept")


def test_events_that_outnumber_volumes(root, refused):
    events = told(root).events.model_dump() | {"without_beta": {}}
    events["leave_out"] = {"trial_type": ["target", "fixation"]}
    match = r"run-1_events\.tsv: has 24 rows for .*run-1_betas.*22 betas.*events\.without_beta"
    refused(match, events=events)


def test_volumes_that_outnumber_events(root, refused):
    path = root / EVENTS
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    refused(r"run-2_events\.tsv: has 21 rows for .*which has 22 betas")


def test_a_row_that_names_no_image(root, refused):
    events = told(root).events.model_dump() | {"leave_out": {}}
    refused(r"run-1_events\.tsv: row \d+: 'stim_file' names no image.*leave_out", events=events)


def test_a_column_that_is_missing(root, refused):
    events = told(root).events.model_dump() | {"image": "stimulus"}
    refused(r"no column 'stimulus', which brain\.events names; .*'stim_file'", events=events)


def test_rows_that_were_sorted(root, refused):
    header, *rows = (root / EVENTS).read_text().splitlines(keepends=True)
    (root / EVENTS).write_text(header + "".join(sorted(rows, key=lambda row: row.split("\t")[3])))
    refused(r"run-2_events\.tsv: in row \d+, onset holds .* re-sorted")


def test_rows_whose_order_nothing_tells_are_flagged(root, tmp_path, capsys):
    for path in (root / "sub-ben" / "func").glob("*.tsv"):
        lines = path.read_text().splitlines()
        path.write_text("\n".join("\t".join(line.split("\t")[2:]) for line in lines) + "\n")
    assert read(root, tmp_path / "r.h5").believed
    assert "no onset tells the order of 66 such rows" in capsys.readouterr().out
    with open_h5(tmp_path / "r.h5") as file:
        assert file.attrs["columns"] == "as_stored"


def test_two_images_with_one_name(root, refused):
    text = (root / EVENTS).read_text()
    (root / EVENTS).write_text(text.replace("objects/object_3.png", "faces/object_3.png"))
    refused("'faces/object_3.png' and 'objects/object_3.png' are different images")


def test_a_subject_without_an_roi(root):
    (root / MASK).unlink()
    refused_plan(root, r"brain\.masks: subject ben has no mask '.*sub-ben_LO_mask.*\['V1'\]\.")
    refused_plan(root, r"list the subject in brain\.lacking, under this ROI")
    assert plan(root, lacking={"LO": ["ben"]})._brain.subjects_of("LO") == ["anna", "carl", "dora"]


def test_an_empty_mask(root, refused):
    save(root / MASK, np.zeros(SHAPE, dtype=np.uint8))
    refused(r"sub-ben_LO_mask\.nii\.gz: the mask is empty")


def test_a_mask_outside_of_the_brain(root, refused, tmp_path):
    save(tmp_path / "brain.nii.gz", inside("V1").astype(np.uint8))
    match = r"sub-ben_LO_mask.*marks no voxel of .*brain\.nii\.gz.*brain\.brain_mask to null"
    refused(match, brain_mask=f"{tmp_path}/brain.nii.gz")


def test_a_mask_of_probabilities(root, refused):
    save(root / MASK, inside("LO") * np.float32(0.25))
    refused(r"sub-ben_LO_mask.*holds 0\.25, and a mask is made of 0 and 1")


@pytest.mark.parametrize("moved", [True, False], ids=["moved", "other shape"])
def test_a_mask_on_another_grid(root, refused, moved):
    affine = AFFINE.copy()
    affine[0, 3] += 1 if moved else 0
    mask = inside("LO").astype(np.uint8) if moved else np.ones((4, 4, 4), dtype=np.uint8)
    (root / MASK).write_bytes(gzip.compress(nibabel.Nifti1Image(mask, affine).to_bytes()))
    refused(r"sub-ben_LO_mask.*do not lie on the same grid.*brain\.resample to nearest")


def test_runs_on_different_grids(root, refused):
    affine = AFFINE.copy()
    affine[1, 3] += 2
    betas = nibabel.load(root / RUN).get_fdata(dtype=np.float32)
    (root / RUN).write_bytes(gzip.compress(nibabel.Nifti1Image(betas, affine).to_bytes()))
    refused("run-2_betas.* and .*run-1_betas.* do not lie on the same grid", resample="nearest")


def test_labels_that_an_atlas_lacks(root, refused, tmp_path):
    save(tmp_path / "atlas.nii.gz", inside("V1").astype(np.int16) * 5)
    atlas = {"source": f"{tmp_path}/atlas.nii.gz", "labels": {"LO": [6]}}
    refused(r"no voxel has a label of 'LO' \(\[6\]\); there are \[5\]\. Correct", atlas=atlas)


def test_a_damaged_file(root, refused):
    (root / RUN).write_bytes((root / RUN).read_bytes()[:-2000])
    refused(r"run-2_betas\.nii\.gz: cannot be read as a NIfTI image")


@pytest.mark.parametrize(
    ("write", "changes", "match"),
    [
        (
            lambda path: np.save(path, np.arange(5)),
            {},
            r"shape \(5,\); numbers with an axis of tri",
        ),
        (lambda path: np.save(path, np.array([{}], dtype=object)), {}, "Python objects"),
        (lambda path: np.save(path, np.ones((66, 5))), {"key": "betas"}, "set `key` to null"),
        (lambda path: np.save(path, np.ones((65, 504))), {}, "has 66 rows .*which has 65 betas"),
        (lambda path: np.save(path, np.ones((66, 504))), {}, "do not lie on the same grid"),
    ],
)
def test_arrays_that_are_none(root, refused, tmp_path, write, changes, match):
    for run in (1, 2, 3):
        write(tmp_path / f"run-{run}.npy")
    events = told(root).events.model_dump()
    path = tmp_path / "events.tsv"
    rows = ["trial_type\tstim_file"] + [f"object\tobject_{n % 20}.png" for n in range(66)]
    path.write_text("\n".join(rows) + "\n")
    files = {"betas": f"{tmp_path}/run-1.npy", "events": events | {"source": str(path)}}
    refused(match, **files | changes)


def test_an_array_of_another_name(root, refused, tmp_path):
    with h5py.File(tmp_path / "betas.hdf5", "w") as file:
        file["modelmd"] = file["other"] = np.ones((66, 5))
    files = {"betas": f"{tmp_path}/betas.hdf5"}
    refused(r"name the array in it with brain\.key; it has \['modelmd', 'other'\]", **files)
    refused(r"has no array 'betas'; it has", key="betas", **files)


def test_two_files_of_one_run(root):
    shutil.copy(root / RUN, root / RUN.replace("run-2", "run-02"))
    refused_plan(root, r"run-0?2_betas.* and .*run-0?2_betas.* have the same labels")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"betas": "./{person}.npy"}, r"there is no 'person'|a pattern may name"),
        ({"betas": "./betas_{run}.npy"}, r"needs \{subject\}"),
        ({"masks": "./mask.nii"}, r"needs \{roi\}"),
        ({"events": None}, r"say which image each beta is of"),
        ({"masks": None}, "masks of ROIs or an atlas"),
        ({"betas": "./{subject}_{roi}.npy"}, "so that masks and atlas are null"),
        ({"stimulus_set": "test-repeats"}, "use all, or the path"),
        ({"lacking": {"FFA": ["ben"]}}, "FFA"),
        ({"lacking": {"LO": ["bert"]}}, "bert"),
    ],
)
def test_a_section_that_contradicts_itself(root, changes, match):
    with pytest.raises(ValueError, match=match):
        section(root, **changes)


def test_names_of_masks_are_told_in_errors(root, tmp_path):
    with pytest.raises(DataError, match=re.escape("no ROI 'V2'")):
        read(root, tmp_path / "r.h5", roi="V2")


def test_subjects_whose_tables_name_other_images(root, tmp_path):
    for path in (root / "sub-ben" / "func").glob("*.tsv"):
        path.write_text(path.read_text().replace("object_7.png", "object_77.png"))
    files = []
    for subject in ("anna", "ben"):
        write_roi_responses(
            OwnBetas(told(root)), subject, "LO", responses_of(union("LO")), tmp_path / "r.h5"
        )
        found = brain_distance(tmp_path / "r.h5", patterns_by(stimulus_set="all"))
        files.append(tmp_path / f"sub-{subject}_roi-LO_rdm.h5")
        write_h5(files[-1], {"rdm": found.rdm}, ids={"stimulus": found.ids}, settings={})
    shown = write_shown(
        tmp_path / "stim-shown_px-8_images.h5",
        np.random.default_rng(0).integers(0, 255, (20, 8, 8, 3), dtype=np.uint8),
        [f"object_{number}" for number in range(1, 21)],
    )
    check_inputs([shown], files[:1], [], tmp_path / "table.csv", {})
    match = "sub-ben_roi-LO_rdm.*'object_8' and 'object_7'.*responses those of their trials"
    with pytest.raises(DataError, match=match):
        check_inputs([shown], files, [], tmp_path / "table.csv", {})


def test_an_image_that_was_shown_less_often_than_others(root, tmp_path):
    path = root / EVENTS
    path.write_text(
        path.read_text().replace("object\tobjects/object_5", "target\tobjects/object_5")
    )
    read(root, tmp_path / "r.h5")
    match = "'object_5' was shown 2 times, and most stimuli 3 times.*crossnobis.*stimulus_set"
    for distance in ("correlation", "euclidean"):
        with pytest.raises(DataError, match=match):
            brain_distance(tmp_path / "r.h5", patterns_by(distance, "all"))
