"""Responses of a known truth: the road from features to tables says what they follow, and in order.

Four ROIs follow four layers: their activations in order, their gradients in reverse order, both, or
neither. Gradients hold activations, as real ones do, so that both predict in every case but one.
"""

import numpy as np
import pytest

from encoding_truth import (
    BETWEEN,
    FOLDS,
    LAYERS,
    ROIS,
    SETTINGS,
    STIMULI,
    TRUTHS,
    expected,
    folds,
    layers,
    measured,
    responses,
    simulated,
    write_features,
    write_voxels,
)
from rulealign.encoding.encode import encode
from rulealign.store import read_csv


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    made = {}
    for truth in TRUTHS:
        folder = tmp_path_factory.mktemp("truth")
        made[truth] = measured(folder, *simulated(truth, np.random.default_rng(3)))
    return made


def unique(tables, place):
    return tables[ROIS[place]].loc[(LAYERS[len(ROIS) - 1 - place], "gradient-entropy", "unique_r2")]


def test_activations_in_order_are_found_as_such(found):
    tables, order = found["activations",]
    assert order.loc["activations", "value"] == pytest.approx(1, abs=0.05)
    assert order.loc["activations", "p"] < 0.1  # of 24 orders, this one and its reverse
    # gradients hold what is followed, and so have its order
    assert order.loc[BETWEEN, "value"] == pytest.approx(0, abs=0.05)
    for place, roi in enumerate(ROIS):
        rows = tables[roi].loc[LAYERS[place]]
        assert rows.loc[("activations", "voxel_r2"), "low"] > 0.2
        # the gradient predicts, too, and would be taken for what is followed
        assert rows.loc[("gradient-entropy", "voxel_r2"), "low"] > 0.2
        assert rows.loc[("gradient-entropy", "unique_r2"), "high"] < 0.03
        assert rows.loc[("gradient-entropy", "shared_r2"), "low"] > 0.2


def test_gradients_in_reverse_order_are_found_as_such(found):
    tables, order = found["gradients",]
    assert order.loc["gradient-entropy", "value"] == pytest.approx(-1, abs=0.05)
    for place in range(len(ROIS)):
        assert unique(tables, place)["low"] > 0.2
    assert (
        max(
            tables[roi].loc[(layer, "activations", "voxel_r2"), "score"]
            for roi in ROIS
            for layer in LAYERS
        )
        < 0.05
    )


def test_both_at_once_are_told_apart(found):
    tables, order = found["activations", "gradients"]
    assert order.loc["activations", "value"] == pytest.approx(1, abs=0.05)
    assert order.loc["activations", "low"] > 0.5
    assert order.loc[BETWEEN, "high"] < 0
    for place, roi in enumerate(ROIS):
        assert unique(tables, place)["low"] > 0.03
        assert tables[roi].loc[(LAYERS[place], "activations", "voxel_r2"), "low"] > 0.05


def test_where_neither_is_followed_nothing_is_found(found):
    tables, order = found[()]
    assert (order["p"] > 0.05).all()
    for rows in tables.values():
        r2 = rows.xs("voxel_r2", level="measure")
        assert r2["score"].max() < 0.02
        assert rows.xs("unique_r2", level="measure")["low"].max() < 0.01
        assert rows.xs("voxel_r_of_ceiling", level="measure")["score"].abs().max() < 0.2


def test_the_length_of_gradients_is_held_against_them(tmp_path):
    rng = np.random.default_rng(5)
    activations, gradients, _ = layers(rng)
    length = np.exp(rng.normal(size=(STIMULI, 1)) / 3)
    gradients = gradients / np.linalg.norm(gradients, axis=2, keepdims=True) * length
    features = write_features(tmp_path, activations, gradients)
    rows = {}
    for name, signal in (("length", length * 6), ("direction", gradients[0] / length * 9)):
        write_voxels(tmp_path / "voxels.h5", "V1", responses(signal, rng))
        told = tmp_path / "voxels.h5", SETTINGS, tmp_path / "V1.csv", tmp_path / "errors.h5"
        encode(features[:1], *told, signals=features[1:])
        made = read_csv(tmp_path / "V1.csv").set_index(["layer", "features", "measure"])
        rows[name] = made.loc[("conv1", "gradient-entropy", "above_norm_r2")]
    assert rows["length"]["high"] < 0
    assert rows["direction"]["low"] > 0.05


def test_a_copy_of_the_activations_adds_nothing_and_says_so(tmp_path):
    rng = np.random.default_rng(6)
    activations, _, _ = layers(rng)
    features = write_features(tmp_path, activations, activations * 3 + 1)
    write_voxels(tmp_path / "voxels.h5", "V1", responses(activations[0], rng))
    told = tmp_path / "voxels.h5", SETTINGS, tmp_path / "V1.csv", tmp_path / "errors.h5"
    encode(features[:1], *told, signals=features[1:])
    rows = read_csv(tmp_path / "V1.csv")
    rows = rows[rows["measure"].isin(["unique_r2", "shared_r2"])]
    assert len(rows) == 2 * len(LAYERS)
    assert rows["score"].isna().all()
    assert set(rows["reason"]) == {"these features are a copy of the activations"}


def test_the_truth_of_the_benchmark_is_of_the_pipelines_own_fits(tmp_path):
    rng = np.random.default_rng(7)
    activations, gradients, patterns = simulated(("activations",), rng)
    tables, _ = measured(tmp_path, activations, gradients, patterns)
    found = tables["V1"].loc[("conv1", "activations", "voxel_r2"), "score"]
    # its new stimuli are the held-out ones
    held = [
        expected([activations[0]], own, [np.flatnonzero(folds() == fold) for fold in range(FOLDS)])
        for own in patterns[0]
    ]
    assert np.mean(held) == pytest.approx(found)
