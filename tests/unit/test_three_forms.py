"""The forms of THINGS-fMRI: each gives back the truth, and all give the same bytes."""

import re

import boto3
import nibabel
import numpy as np
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer
from nilearn.masking import apply_mask

from brain_settings import responses_of
from rulealign.config.brain import Roi
from rulealign.data.responses.roi_responses import write_roi_responses
from rulealign.data.things import volume_files, volume_masks, volume_trials
from rulealign.data.things.remote_rows import RemoteRows, fetch_small_tables
from rulealign.data.things.tables_form import Tables
from rulealign.data.things.volumes_form import Volumes
from things_forms import (
    PARCELS,
    TABLES_ONLY,
    VAREA,
    generated_truth,
    write_openneuro,
    write_tables,
    write_volumes,
)

PLACES = ["voxel_x", "voxel_y", "voxel_z", "nc_singletrial", "nc_testset"]
MASKED = [*VAREA, *(side + name for names in PARCELS.values() for name in names for side in "lr")]
TRIALS = ["stimulus", "concept", "trial_type", "session", "run", "trial_id", "subject_id"]


@pytest.fixture(scope="module")
def truth():
    return generated_truth(subjects=2, sessions=2, runs=11, concepts=20, exemplars=2, repeated=4)


@pytest.fixture(scope="module")
def folder(truth, tmp_path_factory):
    folder = tmp_path_factory.mktemp("forms")
    write_volumes(folder / "volumes", truth)
    write_volumes(folder / "both", truth, voxel_tables=True)
    write_tables(folder / "tables", truth)
    write_openneuro(folder / "openneuro", truth)
    return folder


@pytest.fixture(scope="module")
def server(folder):
    """Serve the OpenNeuro layout as anonymous S3 does."""
    local = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    local.start()
    endpoint = "http://{}:{}".format(*local.get_host_and_port())
    secret = {"aws_access_key_id": "writer", "aws_secret_access_key": "writer"}
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **secret)
    client.create_bucket(Bucket="openneuro.org", ACL="public-read")
    for path in (folder / "openneuro").rglob("*.*"):
        key = path.relative_to(folder / "openneuro").as_posix()
        client.upload_file(path, "openneuro.org", key, ExtraArgs={"ACL": "public-read"})
    client.close()
    yield endpoint
    local.stop()


@pytest.fixture(scope="module")
def forms(folder, truth, server):
    address = "s3://openneuro.org/ds004192"
    for subject in truth.people:
        fetch_small_tables(address, subject, folder / "remote", server)
    return {
        "volumes": Volumes(folder / "volumes"),
        "tables": Tables(folder / "tables"),
        "openneuro": Tables(folder / "openneuro"),
        "remote": RemoteRows(folder / "remote", address, 2, server),
    }


def assert_gives_the_truth(form, truth, columns):
    for subject, person in truth.people.items():
        pd.testing.assert_frame_equal(form.trials(subject), person.trials[TRIALS])
        expected = person.voxels[["voxel_id", *columns]]
        pd.testing.assert_frame_equal(form.voxels(subject, columns), expected)
        rows = np.arange(len(person.voxels))
        for some in (rows, rows[[0]], rows[3::7], rows[-2:]):
            found = form.responses(subject, some)
            assert found.dtype == np.float32
            assert np.array_equal(found, person.responses[some])


@pytest.mark.parametrize("name", ["volumes", "tables", "openneuro", "remote"])
def test_a_form_gives_back_trials_voxels_and_responses(forms, truth, name):
    assert_gives_the_truth(forms[name], truth, [*MASKED, *PLACES])


def test_the_generated_data_are_not_trivial(truth, forms):
    one, other = truth.people.values()
    assert one.mask.sum() != other.mask.sum() or (one.mask != other.mask).any()
    assert (one.voxels.groupby(["voxel_x", "voxel_y"])["voxel_z"].diff().dropna() > 1).any()
    assert set(forms["volumes"].columns("01")) == set(MASKED)
    assert {10, 11} < set(one.trials["run"])
    assert "dreamcatcher" in set(one.trials["concept"])


@pytest.mark.parametrize(
    "spec",
    [
        {"union": ["V1"]},
        {"union": ["lLOC", "rLOC"], "difference": ["V1", "V2"]},
        {"union": ["V1", "V2", "V3"], "voxels": {"by": "nc_testset", "at_least": 20}},
        {"union": ["LO1 (prf)", "LO2 (prf)"], "voxels": {"by": "nc_singletrial", "top": 5}},
        {"union": ["V1", "V2", "V3", "hV4", "rLOC"], "intersection": ["rOFA"]},
        {"union": ["V1", "V2", "hV4", "lLOC", "rLOC"], "hemisphere": "left"},
    ],
)
def test_all_forms_give_the_same_bytes(forms, tmp_path, spec):
    assert_same_bytes(forms, tmp_path, spec)


@pytest.mark.parametrize("column", ["IT", "glasser-p9-46v"])
def test_columns_without_masks_come_from_the_voxel_table(folder, forms, truth, tmp_path, column):
    forms = forms | {"volumes": Volumes(folder / "both")}
    assert_same_bytes(forms, tmp_path, {"union": [column]})
    assert_gives_the_truth(forms["volumes"], truth, [*MASKED, *PLACES, *TABLES_ONLY])


def assert_same_bytes(forms, folder, spec):
    settings = responses_of(Roi(**spec))
    for subject in ("01", "02"):
        contents = set()
        for name, form in forms.items():
            output = folder / f"{name}_{subject}.h5"
            write_roi_responses(form, subject, "ROI", settings, output)
            contents.add(output.read_bytes())
        assert len(contents) == 1


def test_voxels_are_in_the_order_of_nilearn_with_catch_trials_left_out(folder, truth):
    betas = folder / "volumes" / "betas_vol" / "sub-02"
    mask = folder / "volumes" / "brainmasks" / "sub-02_space-T1w_brainmask.nii.gz"
    stems = [
        str(betas / f"ses-things{session:02d}/sub-02_ses-things{session:02d}_run-{run:02d}")
        for session in (1, 2)
        for run in range(1, 12)
    ]
    series = nibabel.concat_images([f"{stem}_betas.nii.gz" for stem in stems], axis=3)
    shown = pd.concat([pd.read_csv(f"{stem}_conditions.tsv", sep="\t") for stem in stems])
    no_catch = ~shown["image_filename"].str.contains("catch/").to_numpy()
    expected = apply_mask(series, mask, dtype=np.float32)[no_catch].T
    rows = np.arange(len(truth.people["02"].voxels))
    found = Volumes(folder / "volumes").responses("02", rows)
    assert np.array_equal(found, expected)


def test_an_roi_is_what_nilearn_takes_from_its_mask(folder, truth):
    place = folder / "volumes"
    form, name = Volumes(place), "sub-01_lLOC.nii.gz"
    inside = form.voxels("01", ["lLOC"])["lLOC"].to_numpy()
    loc = nibabel.load(place / "rois/category_localizer/sub-01/object_parcels" / name)
    brain = nibabel.load(place / "brainmasks/sub-01_space-T1w_brainmask.nii.gz")
    assert loc.get_fdata().sum() > inside.sum()  # the mask leaves the brain
    both = nibabel.Nifti1Image((loc.get_fdata() * brain.get_fdata()).astype(np.uint8), loc.affine)
    run = place / "betas_vol/sub-01/ses-things01/sub-01_ses-things01_run-01"
    shown = pd.read_csv(f"{run}_conditions.tsv", sep="\t")["image_filename"]
    values = apply_mask(f"{run}_betas.nii.gz", both)[~shown.str.startswith("catch")]
    found = form.responses("01", np.flatnonzero(inside))
    assert np.array_equal(found[:, : len(values)], values.T)


def test_coordinates_count_through_the_mask_as_plain_loops_do(folder, truth):
    mask = truth.people["01"].mask
    expected = [
        (x, y, z)
        for x in range(mask.shape[0])
        for y in range(mask.shape[1])
        for z in range(mask.shape[2])
        if mask[x, y, z]
    ]
    voxels = Volumes(folder / "volumes").voxels("01", ["voxel_x", "voxel_y", "voxel_z"])
    assert list(voxels.itertuples(index=False, name=None)) == [
        (row, *place) for row, place in enumerate(expected)
    ]


def run_number(run):
    return str(run.session), str(run.run)


def plant_two_voxels_swapped(monkeypatch):
    def swapped(self):
        return tuple(axis[np.r_[1, 0, 2 : len(axis)]] for axis in np.nonzero(self.inside))

    monkeypatch.setattr(volume_masks.Brain, "places", property(swapped))


def plant_order_of_arrays_in_memory(monkeypatch):
    def fortran(self):
        return tuple(axis for axis in reversed(np.nonzero(self.inside.T)))

    monkeypatch.setattr(volume_masks.Brain, "places", property(fortran))


def plant_runs_sorted_as_text(monkeypatch):
    runs = volume_files.VolumeFiles.runs
    as_text = lambda self, subject: sorted(runs(self, subject), key=run_number)  # noqa: E731
    monkeypatch.setattr(volume_files.VolumeFiles, "runs", as_text)


def plant_catch_trials_kept(monkeypatch):
    monkeypatch.setattr(volume_trials, "_image", lambda cell, row, path: cell[0])


def plant_everything_with_catch_dropped(monkeypatch):
    monkeypatch.setattr(volume_trials, "_CATCH", re.compile(".*catch.*"))


@pytest.mark.parametrize(
    "plant",
    [
        plant_two_voxels_swapped,
        plant_order_of_arrays_in_memory,
        plant_runs_sorted_as_text,
        plant_catch_trials_kept,
        plant_everything_with_catch_dropped,
    ],
)
def test_the_comparison_notices_planted_faults(folder, truth, monkeypatch, plant):
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        assert_gives_the_truth(Volumes(folder / "volumes"), truth, PLACES[:3])


def test_an_image_of_several_runs_is_a_test_image(folder, truth):
    trials = Volumes(folder / "volumes").trials("01")
    counts = trials["stimulus"].value_counts()
    assert (trials["trial_type"] == "test").tolist() == [
        counts[name] > 1 for name in trials["stimulus"]
    ]
    assert sorted(counts[counts > 1].index) == sorted(
        {name for name in truth.people["01"].trials["stimulus"] if name.endswith("_14n.jpg")}
    )
