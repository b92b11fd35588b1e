"""Own betas, read and compared with what nibabel and plain loops make of the same files."""

import nibabel
import numpy as np
import pytest
from scipy.spatial.distance import pdist

from helpers.bids_folder import AFFINE, IMAGES, RUNS, SHAPE, inside, plain_trials, save, write_bids
from helpers.brain_settings import patterns_by, responses_of, union
from rulealign.config.betas import BetaFiles
from rulealign.data.betas.ceilings import voxel_ceilings
from rulealign.data.betas.form import OwnBetas
from rulealign.data.betas.patterns import found_files
from rulealign.data.responses.roi_responses import write_roi_responses
from rulealign.rsa.brain_distance import brain_distance
from rulealign.store import open_h5

IDS = [f"object_{number}" for number in range(1, IMAGES + 1)]
GLM = "{root}/derivatives/glm/sub-{{subject}}/sub-{{subject}}_task-objects_run-{{run}}_betas.nii.gz"
EVENTS = "{root}/sub-{{subject}}/func/sub-{{subject}}_task-objects_run-{{run}}_events.tsv"
MASKS = "{root}/derivatives/rois/sub-{{subject}}_{{roi}}_mask.nii.gz"


def told(root, **changes):
    section = {
        "betas": GLM.format(root=root),
        "events": {
            "source": EVENTS.format(root=root),
            "image": "stim_file",
            "leave_out": {"trial_type": ["target"]},
            "without_beta": {"trial_type": ["fixation"]},
        },
        "masks": MASKS.format(root=root),
    }
    return BetaFiles.model_validate(section | changes)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bids")
    write_bids(folder)
    return folder


def responses(files, roi, output, subject="anna", **changes):
    write_roi_responses(OwnBetas(files), subject, "R", responses_of(roi, **changes), output)
    with open_h5(output) as file:
        return file["responses"][()], file["ids/voxel"].asstr()[()].tolist()


def test_responses_are_those_of_nibabel_trial_by_trial(root, tmp_path):
    images, runs, betas = plain_trials(root, "anna")
    found, ids = responses(told(root), union("V1", "LO"), tmp_path / "r.h5")
    mask = inside("V1") | inside("LO")
    np.testing.assert_array_equal(found, betas[:, mask].T.astype(np.float32))
    assert [np.unravel_index(int(one), SHAPE) for one in ids] == list(
        zip(*np.nonzero(mask), strict=True)
    )
    trials = OwnBetas(told(root)).trials("anna")
    assert trials["stimulus"].tolist() == images
    assert trials["run"].tolist() == runs
    assert set(trials["session"]) == {1}


def test_an_rdm_of_betas_is_that_of_plain_means_of_z_scores(root, tmp_path):
    images, _, betas = plain_trials(root, "ben")
    responses(told(root), union("LO"), tmp_path / "r.h5", "ben")
    values = betas[:, inside("LO")].astype(np.float32).astype(np.float64)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    means = [values[np.array(images) == name].mean(axis=0) for name in IDS]
    found = brain_distance(tmp_path / "r.h5", patterns_by(stimulus_set="all"))
    assert found.ids == IDS  # natural order: 2 before 10
    np.testing.assert_allclose(found.rdm, pdist(means, "correlation"), atol=1e-9)
    assert found.repetitions == RUNS


def _as_arrays(root, folder):
    for subject in ("anna",):
        for run in range(1, RUNS + 1):
            name = f"sub-{subject}_task-objects_run-{run}_betas.nii.gz"
            image = nibabel.load(root / "derivatives" / "glm" / f"sub-{subject}" / name)
            yield run, np.moveaxis(image.get_fdata(dtype=np.float32), -1, 0)


def _npy(root, folder):
    for run, betas in _as_arrays(root, folder):
        np.save(folder / f"run-{run}.npy", betas.reshape(len(betas), -1))
    for roi in ("V1", "LO"):
        np.save(folder / f"{roi}.npy", inside(roi).ravel())
    return {"betas": f"{folder}/run-{{run}}.npy", "masks": f"{folder}/{{roi}}.npy"}


def _arrays_of_rois(root, folder):
    for run, betas in _as_arrays(root, folder):
        for roi in ("V1", "LO"):
            np.save(folder / f"run-{run}_{roi}.npy", betas[:, inside(roi)])
    return {"betas": f"{folder}/run-{{run}}_{{roi}}.npy", "masks": None}


def _arrays_of_sides(root, folder):
    labels = np.zeros(SHAPE, dtype=np.int32)
    labels[inside("V1")], labels[inside("LO")] = 2, 5
    sides = np.arange(SHAPE[0]) < 3, np.arange(SHAPE[0]) >= 3  # V1 lies on both, LO on one
    labels[0, 0, 0] = 5
    for name, side in zip(("lh", "rh"), sides, strict=True):
        np.save(folder / f"{name}.atlas.npy", labels[side].ravel())
        for run, betas in _as_arrays(root, folder):
            np.save(folder / f"{name}_run-{run}.npy", betas[:, side].reshape(len(betas), -1))
    atlas = {"source": f"{folder}/{{hemi}}.atlas.npy", "labels": {"V1": [2], "LO": [5]}}
    return {"betas": f"{folder}/{{hemi}}_run-{{run}}.npy", "masks": None, "atlas": atlas}


def _gifti(root, folder):
    def save_maps(path, maps):
        arrays = [nibabel.gifti.GiftiDataArray(np.ascontiguousarray(one)) for one in maps]
        nibabel.save(nibabel.gifti.GiftiImage(darrays=arrays), path)

    for run, betas in _as_arrays(root, folder):
        flat = betas.reshape(len(betas), -1)
        for hemi, some in (("L", slice(0, 250)), ("R", slice(250, None))):
            save_maps(folder / f"hemi-{hemi}_run-{run}_betas.func.gii", flat[:, some])
            mask = inside("V1").ravel()[some].astype(np.int32)
            save_maps(folder / f"hemi-{hemi}_V1.label.gii", mask[np.newaxis])
    betas = f"{folder}/hemi-{{hemi}}_run-{{run}}_betas.func.gii"
    return {"betas": betas, "masks": f"{folder}/hemi-{{hemi}}_{{roi}}.label.gii"}


def _cifti(root, folder):
    space = nibabel.cifti2.BrainModelAxis.from_surface(np.arange(504), 504, "CortexLeft")

    def save_maps(path, maps):
        axis = nibabel.cifti2.ScalarAxis([f"map {place}" for place in range(len(maps))])
        nibabel.save(nibabel.Cifti2Image(maps, (axis, space)), path)

    for run, betas in _as_arrays(root, folder):
        save_maps(folder / f"run-{run}.dscalar.nii", betas.reshape(len(betas), -1))
    save_maps(folder / "V1.dscalar.nii", inside("V1").ravel()[np.newaxis].astype(np.float32))
    return {"betas": f"{folder}/run-{{run}}.dscalar.nii", "masks": f"{folder}/{{roi}}.dscalar.nii"}


def _hdf5(root, folder):
    import h5py

    for run, betas in _as_arrays(root, folder):
        with h5py.File(folder / f"run-{run:02d}.hdf5", "w") as file:
            file["betasmd"], file["R2"] = np.moveaxis(betas, 0, -1), np.ones(3)
    betas = {"betas": f"{folder}/run-{{run}}.hdf5", "key": "betasmd", "trials_are": "last"}
    return betas  # masks are those of the NIfTI form


def _volumes(root, folder):
    for run, betas in _as_arrays(root, folder):
        for place, volume in enumerate(betas):
            save(folder / f"run-{run}_trial-{place}.nii.gz", volume)
    return {"betas": f"{folder}/run-{{run}}_trial-{{trial}}.nii.gz"}


def _atlas(root, folder):
    labels = np.zeros(SHAPE, dtype=np.int16)
    labels[inside("V1")], labels[inside("LO")] = 7, 3
    labels[1] = np.where(labels[1] == 7, 4, labels[1])
    save(folder / "atlas.nii.gz", labels)
    named = {"V1": [4, 7], "LO": [3]}
    return {"masks": None, "atlas": {"source": f"{folder}/atlas.nii.gz", "labels": named}}


def _finer(root, folder):
    fine = np.kron(inside("V1"), np.ones((2, 2, 2))).astype(np.uint8)
    affine = AFFINE @ np.diag([0.5, 0.5, 0.5, 1])
    affine[:3, 3] -= np.array([0.5, 0.5, 0.625])
    nibabel.save(nibabel.Nifti1Image(fine, affine), folder / "V1_fine.nii.gz")
    return {"masks": f"{folder}/{{roi}}_fine.nii.gz", "resample": "nearest"}


def _list(root, folder):
    for run in range(1, RUNS + 1):
        path = root / "sub-anna" / "func" / f"sub-anna_task-objects_run-{run}_events.tsv"
        names = [line.split("\t")[3] for line in path.read_text().splitlines()[1:]]
        kinds = [line.split("\t")[2] for line in path.read_text().splitlines()[1:]]
        shown = [name for name, kind in zip(names, kinds, strict=True) if kind == "object"]
        (folder / f"run-{run}.txt").write_text("\n".join(shown) + "\n")
    for run, betas in _as_arrays(root, folder):
        path = root / "sub-anna" / "func" / f"sub-anna_task-objects_run-{run}_events.tsv"
        kinds = [line.split("\t")[2] for line in path.read_text().splitlines()[1:]]
        kept = [kind == "object" for kind in kinds if kind != "fixation"]
        save(folder / f"run-{run}.nii.gz", np.moveaxis(betas[kept], 0, -1))
    events = {"source": f"{folder}/run-{{run}}.txt", "image": None}
    return {"betas": f"{folder}/run-{{run}}.nii.gz", "events": events}


def _table(root, folder):
    rows = ["n,session,run,image,kind"]
    for run in range(1, RUNS + 1):
        path = root / "sub-anna" / "func" / f"sub-anna_task-objects_run-{run}_events.tsv"
        cells = [line.split("\t") for line in path.read_text().splitlines()[1:]]
        cells = [(kind, file) for _, _, kind, file in cells if kind != "fixation"]
        rows += [f"{n},1,0{run},{file},{kind}" for n, (kind, file) in enumerate(cells)]
    (folder / "trials.csv").write_text("\n".join(rows) + "\n")
    events = {"source": f"{folder}/trials.csv", "image": "image", "session": "session"}
    return {"events": events | {"run": "run", "leave_out": {"kind": ["target"]}}}


ORDINARY = [_npy, _hdf5, _volumes, _atlas, _finer, _table, _cifti, _list]
PARTS = [_arrays_of_rois, _arrays_of_sides, _gifti]


@pytest.mark.parametrize("form", [*ORDINARY, *PARTS])
def test_every_form_of_the_files_gives_the_same_responses(root, tmp_path, form):
    changes = form(root, tmp_path)
    expected = responses(told(root), union("V1"), tmp_path / "expected.h5")
    found = responses(told(root, **changes), union("V1"), tmp_path / "found.h5")
    np.testing.assert_array_equal(found[0], expected[0])
    if form in PARTS:
        assert len(set(found[1])) == len(found[1])
    else:
        assert found[1] == expected[1]


def test_images_are_told_by_names_of_files(root, tmp_path):
    images, runs, betas = plain_trials(root, "anna")
    for image, run, volume in zip(images, runs, betas, strict=True):
        save(tmp_path / f"run-{run}_{image}_beta.nii.gz", volume.astype(np.float32))
    files = told(root, betas=f"{tmp_path}/run-{{run}}_{{stimulus}}_beta.nii.gz", events=None)
    trials = OwnBetas(files).trials("anna")
    assert trials["stimulus"].tolist() == IDS * RUNS
    found, _ = responses(files, union("V1"), tmp_path / "r.h5")
    for place, (image, run) in enumerate(trials[["stimulus", "run"]].to_numpy()):
        (row,) = np.flatnonzero((np.array(images) == image) & (np.array(runs) == run))
        np.testing.assert_array_equal(found[:, place], betas[row][inside("V1")].astype(np.float32))


def test_a_brain_mask_cuts_an_roi(root, tmp_path):
    brain = np.zeros(SHAPE, dtype=np.uint8)
    brain[:3] = 1
    save(tmp_path / "brain.nii.gz", brain)
    files = told(root, brain_mask=f"{tmp_path}/brain.nii.gz")
    found, _ = responses(files, union("V1"), tmp_path / "r.h5")
    assert len(found) == (inside("V1") & (brain == 1)).sum()


def test_ceilings_of_voxels_recover_a_known_share_of_signal():
    rng = np.random.default_rng(0)
    shares = np.array([0.0, 0.2, 0.5, 0.8])
    stimuli = [str(number) for number in range(3000)] * 4
    signal = np.tile(rng.standard_normal((4, 3000)), 4)
    noise = rng.standard_normal((4, 12000))
    values = np.sqrt(shares)[:, None] * signal + np.sqrt(1 - shares)[:, None] * noise
    single, mean = voxel_ceilings(values, stimuli)
    np.testing.assert_allclose(single, 100 * shares, atol=2)
    np.testing.assert_allclose(mean, 100 * shares / (shares + (1 - shares) / 4), atol=2.5)


def test_ceilings_are_unknown_without_repeats_and_nothing_for_a_constant_voxel():
    values = np.stack([np.arange(4.0), np.ones(4)])
    assert np.isnan(voxel_ceilings(values, ["a", "b", "c", "d"])).all()
    assert voxel_ceilings(values, ["a", "a", "b", "b"])[0][1] == 0


def test_the_most_reliable_voxels_are_chosen(root, tmp_path):
    images, _, betas = plain_trials(root, "anna")
    _, mean = voxel_ceilings(betas[:, inside("LO")].T.astype(np.float32), images)
    best = union("LO", voxels={"by": "nc_testset", "top": 10})
    found, _ = responses(told(root), best, tmp_path / "r.h5")
    kept = np.sort(np.argsort(-mean, kind="stable")[:10])
    np.testing.assert_array_equal(found, betas[:, inside("LO")].T[kept].astype(np.float32))
    with open_h5(tmp_path / "r.h5") as file:
        np.testing.assert_allclose(file["voxels/nc_testset"][()], mean[kept])


def test_files_come_in_natural_order_with_what_their_names_say(tmp_path):
    for run in (10, 2, 1):
        for subject in ("a1", "b"):
            path = tmp_path / f"sub-{subject}" / f"sub-{subject}_ses-pre_run-{run}.npy"
            path.parent.mkdir(exist_ok=True)
            path.touch()
    (tmp_path / "sub-b" / "sub-a1_ses-pre_run-3.npy").touch()  # of another subject than its folder
    pattern = f"{tmp_path}/sub-{{subject}}/sub-{{subject}}_ses-{{session}}_run-{{run}}.npy"
    found = found_files(pattern, subject="b")
    assert [one.labels for one in found] == [
        {"session": "pre", "run": run} for run in ("1", "2", "10")
    ]
    assert [one.labels["subject"] for one in found_files(pattern)] == ["a1"] * 3 + ["b"] * 3


def test_runs_beyond_9_keep_their_order_and_labels(root, tmp_path):
    for run, betas in _as_arrays(root, tmp_path):
        np.save(tmp_path / f"run-{run + 8}.npy", betas.reshape(len(betas), -1))
        name = f"sub-anna_task-objects_run-{run}_events.tsv"
        (tmp_path / f"run-{run + 8:03d}.tsv").write_text(
            (root / "sub-anna/func" / name).read_text()
        )
    np.save(tmp_path / "V1.npy", inside("V1").ravel())
    events = told(root).events.model_dump() | {"source": f"{tmp_path}/run-{{run}}.tsv"}
    files = {"betas": f"{tmp_path}/run-{{run}}.npy", "masks": f"{tmp_path}/{{roi}}.npy"}
    changed = told(root, events=events, **files)
    expected, _ = responses(told(root), union("V1"), tmp_path / "e.h5")
    found, _ = responses(changed, union("V1"), tmp_path / "f.h5")
    np.testing.assert_array_equal(found, expected)
    assert OwnBetas(changed).trials("anna")["run"].unique().tolist() == [9, 10, 11]
