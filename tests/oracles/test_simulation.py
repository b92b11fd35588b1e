"""Simulated brain data against plain loops, closed forms and their own known truth."""

import cmath
import math
import shutil
from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.spatial.distance import pdist, squareform
from scipy.stats import pearsonr, spearmanr
from threadpoolctl import threadpool_limits

from brain_settings import responses_of, union
from rulealign.data.brains.simulated import SIMULATED_COLUMNS
from rulealign.data.responses.patterns import select_patterns
from rulealign.data.responses.roi_responses import write_roi_responses
from rulealign.data.simulated import data_set as simulate
from rulealign.data.simulated import images as simulated_images
from rulealign.data.simulated.data_set import write_images, write_subject
from rulealign.data.simulated.images import image_table, load_scenes
from rulealign.data.simulated.trials import noise_ceiling, split_half
from rulealign.data.simulated.voxels import (
    TUNINGS,
    Gabors,
    category_features,
    gabor_energy,
    silhouette_features,
)
from rulealign.data.things.tables_form import Tables
from rulealign.errors import ConfigurationError
from rulealign.plan.settings.images import SimulatedSubjectSettings
from rulealign.provenance import file_sha256

SETTINGS = SimulatedSubjectSettings(
    study_seed=5,
    concepts=20,
    exemplars=2,
    repeated_images=12,
    image_size=48,
    sessions=3,
    runs=2,
    voxels_per_roi=200,
    noise=0.0,
    drift=0.0,
)


def write_study(folder, subjects=(1,), **changes):
    settings = replace(SETTINGS, **changes)
    write_images(settings, folder / "images", folder / "truth.h5")
    for subject in subjects:
        write_subject(settings, subject, folder / "images", outputs_of(folder, subject))
    return settings


def outputs_of(folder, subject):
    return {
        "responses": folder / f"sub-{subject:02d}_ResponseData.h5",
        "voxels": folder / f"sub-{subject:02d}_VoxelMetadata.csv",
        "stimuli": folder / f"sub-{subject:02d}_StimulusMetadata.csv",
    }


def agreement_with_truth(folder, columns, stimulus_set="first-exemplar"):
    roi = folder / "roi.h5"
    # without noise, the trials of an image are equal
    settings = responses_of(union(*columns), duplicated_trials="keep")
    write_roi_responses(Tables(folder), "01", "ROI", settings, roi)
    ids, patterns, _ = select_patterns(roi, stimulus_set)
    with h5py.File(folder / "truth.h5") as file:
        names = file["ids/stimulus"].asstr()[()].tolist()
        truth = squareform(file[f"rdm/{columns[0]}"][()])
    places = [names.index(name) for name in ids]
    truth = squareform(truth[np.ix_(places, places)], checks=False)
    return pearsonr(pdist(patterns, "correlation"), truth)[0]


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean")
    write_study(folder, subjects=(1, 2), voxels_per_roi=500)
    return folder


def test_gabor_energy_equals_a_plain_loop():
    rng = np.random.default_rng(0)
    picture = rng.random((16, 16))
    x, y, orientation, frequency = 0.3, -0.2, 0.7, 1.6
    sigma = 0.56 / frequency
    total, weight = 0j, 0.0
    for row in range(16):
        for column in range(16):
            dx, dy = (column + 0.5) / 8 - 1 - x, (row + 0.5) / 8 - 1 - y
            envelope = math.exp(-(dx**2 + dy**2) / (2 * sigma**2))
            along = dx * math.cos(orientation) + dy * math.sin(orientation)
            total += picture[row, column] * envelope * cmath.exp(2j * math.pi * frequency * along)
            weight += envelope
    fields = Gabors(*(np.array([value]) for value in (x, y, orientation, frequency)))
    assert gabor_energy(picture[None], fields)[0, 0] == pytest.approx(abs(total) / weight)


@pytest.mark.parametrize("angle", [0.0, 0.6, 1.9])
def test_a_complex_cell_prefers_the_grating_of_its_orientation_whatever_the_phase(angle):
    line = (np.arange(64) + 0.5) / 32 - 1
    across, down = np.meshgrid(line, line)
    along = 2 * np.pi * 2 * (across * np.cos(angle) + down * np.sin(angle))
    gratings = np.stack([0.5 + 0.5 * np.sin(along + phase) for phase in (0, 1, 2)])
    tested = np.linspace(0, np.pi, 36, endpoint=False)
    fields = Gabors(np.zeros(36), np.zeros(36), tested, np.full(36, 2.0))
    answers = gabor_energy(gratings, fields)
    away = np.abs((tested[answers.argmax(axis=1)] - angle + np.pi / 2) % np.pi - np.pi / 2)
    assert (away < np.pi / 36 + 1e-9).all()
    assert np.ptp(answers.max(axis=1)) < 0.01 * answers.max()


def test_silhouettes_ignore_place_and_size_but_not_the_outline():
    line = np.arange(96) - 47.5
    x, y = np.meshgrid(line, line)
    square = np.maximum(np.abs(x), np.abs(y)) < 16
    moved = np.roll(square, (9, -12), axis=(0, 1))
    large = np.maximum(np.abs(x), np.abs(y)) < 32
    disc = np.hypot(x, y) < 18
    one = silhouette_features(square)
    np.testing.assert_allclose(silhouette_features(moved), one, atol=1e-12)
    near = np.linalg.norm(silhouette_features(large) - one)
    assert near < 0.25 * np.linalg.norm(silhouette_features(disc) - one)


def test_category_features_are_equal_within_a_class_and_nearer_within_a_group():
    features = category_features(np.arange(10).repeat(2))
    distance = squareform(pdist(features, "sqeuclidean"))
    assert (distance[::2, 1::2].diagonal() == 0).all()
    # another class: two one-hot places differ; another group: two more
    assert set(np.unique(distance)) == {0.0, 2.0, 4.0}


def test_the_simulated_columns_are_those_of_the_configuration():
    assert tuple(TUNINGS) == SIMULATED_COLUMNS


@pytest.mark.parametrize("columns", [["V1"], ["V2"], ["lLOC", "rLOC"], ["IT"]])
def test_without_noise_voxels_show_the_true_geometry(clean, columns):
    assert agreement_with_truth(clean, columns) > 0.9
    assert agreement_with_truth(clean, columns, "test-repeats") > 0.9


def test_the_true_geometry_of_shape_is_that_of_the_silhouettes(clean):
    settings = replace(SETTINGS, voxels_per_roi=500)
    scenes = load_scenes(settings, image_table(settings), clean / "images")
    centred = scenes.silhouettes - scenes.silhouettes.mean(axis=0)
    with h5py.File(clean / "truth.h5") as file:
        truth = file["rdm/lLOC"][()]
    # random mixtures keep the cosine between centred features (Johnson & Lindenstrauss)
    assert pearsonr(pdist(centred, "cosine"), truth)[0] > 0.97


def test_rois_differ_and_shape_differs_from_category(clean):
    with h5py.File(clean / "truth.h5") as file:
        rdms = {name: file[f"rdm/{name}"][()] for name in TUNINGS}
        classes = file["class_index"][()]
    same = pdist(classes[:, None]) == 0
    assert (rdms["IT"][same] == 0).all()
    assert (rdms["lLOC"][same] > 0).all()
    assert spearmanr(rdms["V1"], rdms["IT"])[0] < 0.3
    assert spearmanr(rdms["lLOC"], rdms["IT"])[0] < 0.9


def test_noise_lowers_the_agreement_with_the_truth(tmp_path):
    scores = []
    for noise in (0.0, 1.0, 4.0):
        folder = tmp_path / str(noise)
        write_study(folder, noise=noise, drift=noise / 2)
        scores.append(agreement_with_truth(folder, ["V1"]))
    assert scores[0] > scores[1] + 0.1 > scores[2] + 0.2


def test_orders_differ_and_every_test_image_is_shown_once_a_session(clean):
    tables = [pd.read_csv(outputs_of(clean, subject)["stimuli"]) for subject in (1, 2)]
    assert (tables[0]["stimulus"] != tables[1]["stimulus"]).mean() > 0.5
    for table in tables:
        counts = table.groupby(["trial_type", "stimulus"]).size()
        assert (counts["train"] == 1).all()
        assert len(counts["train"]) == 40
        per_session = table[table["trial_type"] == "test"].groupby(["session", "stimulus"]).size()
        assert (per_session == 1).all()
        assert len(per_session) == 3 * 12
        assert np.ptp(table.groupby(["session", "run"]).size()) <= 1
        assert table["trial_id"].tolist() == list(range(76))
        assert table[["session", "run"]].equals(
            table[["session", "run"]].sort_values(["session", "run"])
        )


def test_the_tables_have_the_columns_of_things(clean):
    tables = outputs_of(clean, 1)
    stimuli = pd.read_csv(tables["stimuli"])
    assert list(stimuli) == [
        *("trial_type", "session", "run", "subject_id", "trial_id", "stimulus", "concept")
    ]
    voxels = pd.read_csv(tables["voxels"])
    assert list(voxels)[:13] == [
        *("voxel_id", "subject_id", "voxel_x", "voxel_y", "voxel_z", "nc_singletrial"),
        *("nc_testset", "splithalf_uncorrected", "splithalf_corrected", "prf-eccentricity"),
        *("prf-polarangle", "prf-rsquared", "prf-size"),
    ]
    wanted = {"V1", "hV4", "LO1 (prf)", "V3a", "lLOC", "rFFA", "IT", "glasser-p9-\n46v"}
    assert wanted <= set(voxels)
    simulated = voxels[list(SIMULATED_COLUMNS)]
    assert (simulated.sum() == 500).all()
    assert (simulated.sum(axis=1) == 0).sum() == 250
    has_field = voxels["prf-size"].notna()
    assert (has_field == voxels[["V1", "V2"]].any(axis=1)).all()


def test_the_responses_are_laid_out_as_pandas_does_in_fixed_format(clean):
    with h5py.File(outputs_of(clean, 1)["responses"]) as file:
        group = file["ResponseData"]
        assert sorted(group) == [
            *("axis0", "axis1", "block0_items", "block0_values", "block1_items", "block1_values")
        ]
        assert group["block0_values"].shape == (2750, 76)
        assert group["block0_values"].dtype == np.float64
        assert group["block1_values"][:, 0].tolist() == list(range(2750))
        assert group["block1_items"][()].tolist() == [b"voxel_id"]
        texts = {name: value for name, value in group.attrs.items() if isinstance(value, bytes)}
        assert texts["pandas_type"] == b"frame"
        assert {name: texts[name] for name in texts if name.endswith("_variety")} == {
            f"{name}_variety": b"regular"
            for name in ("axis0", "axis1", "block0_items", "block1_items")
        }
        assert (group.attrs["nblocks"], group.attrs["ndim"]) == (2, 2)
        assert group["axis0"].attrs["PSEUDOATOM"] == b"object"
        assert file.attrs["PYTABLES_FORMAT_VERSION"] == b"2.1"


def test_noise_ceilings_tell_signal_from_noise(tmp_path, clean):
    voxels = pd.read_csv(outputs_of(clean, 1)["voxels"])
    outside = voxels[list(SIMULATED_COLUMNS)].sum(axis=1) == 0
    assert (voxels.loc[~outside, "nc_testset"] > 99.9).all()
    # chance: with 3 repetitions the estimate of a voxel of pure noise is above 0 half the time
    assert voxels.loc[outside, "nc_singletrial"].median() < 10
    write_study(tmp_path, noise=30.0)
    noisy = pd.read_csv(outputs_of(tmp_path, 1)["voxels"])
    assert noisy["nc_singletrial"].median() < 10


def test_noise_ceiling_and_split_half_equal_their_expectations():
    rng = np.random.default_rng(2)
    signal, noise = rng.standard_normal((3, 1, 4000)), 1.5 * rng.standard_normal((3, 8, 4000))
    repeated = signal + noise
    # signal variance 1, noise variance 2.25
    np.testing.assert_allclose(noise_ceiling(repeated, 1), 100 / 3.25, atol=2)
    np.testing.assert_allclose(noise_ceiling(repeated, 8), 100 / (1 + 2.25 / 8), atol=2)
    uncorrected, corrected = split_half(repeated)
    np.testing.assert_allclose(uncorrected, 1 / (1 + 2.25 / 4), atol=0.03)
    np.testing.assert_allclose(corrected, 1 / (1 + 2.25 / 8), atol=0.03)
    by_numpy = np.corrcoef(repeated[0, ::2].mean(0), repeated[0, 1::2].mean(0))[0, 1]
    assert uncorrected[0] == pytest.approx(by_numpy)


def test_drift_is_a_line_within_each_run(tmp_path):
    changes = {"voxels_per_roi": 8, "exemplars": 3}
    write_study(tmp_path / "with", drift=2.0, **changes)
    write_study(tmp_path / "without", drift=0.0, **changes)
    arrays = []
    for folder in ("with", "without"):
        with h5py.File(outputs_of(tmp_path / folder, 1)["responses"]) as file:
            arrays.append(file["ResponseData/block0_values"][()])
    added = arrays[0] - arrays[1]
    trials = pd.read_csv(outputs_of(tmp_path / "with", 1)["stimuli"])
    for _, run in trials.groupby(["session", "run"]):
        steps = np.diff(added[:, run.index], axis=1)
        assert (np.abs(steps - steps[:, :1]) < 1e-9).all()
    assert added.std() > 0.05


@pytest.mark.slow
def test_the_same_settings_give_the_same_bytes_on_one_thread_and_two(tmp_path):
    small = {"voxels_per_roi": 100, "noise": 1.0, "drift": 0.5, "image_size": 96}
    for threads in (1, 2):
        with threadpool_limits(threads):
            write_study(tmp_path / str(threads), **small)
    files = sorted(p.relative_to(tmp_path / "1") for p in (tmp_path / "1").rglob("*.*"))
    assert len(files) == 4 + 52
    for file in files:
        assert file_sha256(tmp_path / "1" / file) == file_sha256(tmp_path / "2" / file)


def test_the_truth_tells_images_of_other_bytes_even_where_they_look_the_same(tmp_path, monkeypatch):
    def write_longer(settings, table, folder):
        simulated_images.write_folder(settings, table, folder)
        with (folder / "disc_a" / "disc_a_01s.jpg").open("ab") as file:
            file.write(b"after the end")

    write_images(SETTINGS, tmp_path / "images", tmp_path / "truth.h5")
    monkeypatch.setattr(simulate, "write_folder", write_longer)
    write_images(SETTINGS, tmp_path / "images", tmp_path / "longer.h5")
    with h5py.File(tmp_path / "truth.h5") as one, h5py.File(tmp_path / "longer.h5") as other:
        assert (one["rdm/V1"][()] == other["rdm/V1"][()]).all()
        assert one.attrs["images"] != other.attrs["images"]


def test_images_are_those_of_the_table_and_rewriting_leaves_no_others(tmp_path):
    write_images(SETTINGS, tmp_path / "images", tmp_path / "truth.h5")
    # what a killed process leaves
    shutil.copytree(tmp_path / "images", tmp_path / ".images.x0_y1z2a")
    fewer = replace(SETTINGS, exemplars=1)
    write_images(fewer, tmp_path / "images", tmp_path / "truth.h5")
    found = sorted(path.name for path in (tmp_path / "images").rglob("*.jpg"))
    table = image_table(fewer)
    assert found == table["stimulus"].tolist()
    assert table["trial_type"].value_counts().to_dict() == {"train": 20, "test": 12}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "truth.h5"]
    with Image.open(tmp_path / "images" / "disc_a" / "disc_a_01s.jpg") as image:
        assert (image.size, image.mode, image.format) == ((48, 48), "RGB", "JPEG")


def test_more_runs_than_trials_in_a_session_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="brain.runs: 40 runs cannot share the 2"):
        write_study(tmp_path, runs=40, voxels_per_roi=8)
