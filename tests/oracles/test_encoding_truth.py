"""Responses of a known truth: the road from features to tables says what they follow, and in order.

Four ROIs follow four layers: their activations in order, their gradients in reverse order, both, or
neither. Gradients hold activations, as real ones do, so that both predict in every case but one.
"""

import numpy as np
import pytest

from rulealign.encoding.encode import encode
from rulealign.encoding.folds import groups_of, stimulus_folds
from rulealign.encoding.order import order_table
from rulealign.plan.settings.encoding import EncodingSettings, OrderSettings
from rulealign.store import read_csv, write_h5

STIMULI, SUBJECTS, VOXELS, WIDTH = 96, 3, 12, 6
LAYERS, ROIS = ("conv1", "conv2", "conv3", "fc1"), ("V1", "V2", "LOC", "IT")
IDS = [f"image_{place:02d}" for place in range(STIMULI)]
SETTINGS = EncodingSettings(
    study_seed=1,
    bootstrap_draws=100,
    interval=0.95,
    inner_folds=3,
    penalties=[0.03, 0.3, 3.0, 1000.0],
    generalise_to="stimuli",
    least_ceiling=0.1,
    block=10,
)
ORDER = OrderSettings(
    study_seed=1,
    interval=0.95,
    hierarchy=list(ROIS),
    depths={"cnn3": dict(zip(LAYERS, (0.25, 0.5, 0.75, 1.0), strict=True))},
)


def layers(rng):
    """Make activations and gradients of each layer; half of a gradient is its activations."""
    activations = rng.normal(size=(len(LAYERS), STIMULI, WIDTH))
    own = rng.normal(size=activations.shape)
    turned = activations @ rng.normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH)
    return activations, np.concatenate([turned, own], axis=2), own


def write_features(folder, activations, gradients):
    names = {"network": "cnn3", "rule": "bp", "seed": 1, "epoch": 1, "stimuli": "shown", "size": 32}
    paths = folder / "activations.h5", folder / "signals.h5"
    for path, values, ending in zip(
        paths, (activations, gradients), ("", "/gradient-entropy"), strict=True
    ):
        arrays = {f"{name}/vector{ending}": of for name, of in zip(LAYERS, values, strict=True)}
        write_h5(path, arrays, ids={"stimulus": IDS}, settings={}, attributes=names)
    return paths


def write_voxels(path, roi, signal, rng):
    """Give each subject its own mixture of the signal, and noise of the signal's size."""
    arrays, grams = {}, []
    folds = stimulus_folds(groups_of(IDS), 4, 0)
    subjects = [f"{number:02d}" for number in range(1, SUBJECTS + 1)]
    for subject in subjects:
        made = signal @ rng.normal(size=(signal.shape[1], VOXELS)) + rng.normal(
            size=(STIMULI, VOXELS)
        ) * np.sqrt(max(signal.shape[1], 1))
        arrays[f"patterns/{subject}"] = made
        arrays[f"ceilings/{subject}"] = np.full(VOXELS, 0.5)
        grams.append(made @ made.T)
    arrays["grams"] = np.stack(grams)
    arrays["folds"] = np.tile(folds, (SUBJECTS, 1))
    arrays["groups"] = np.tile(np.arange(STIMULI), (SUBJECTS, 1))
    ids = {"stimulus": IDS, "subject": subjects}
    write_h5(path, arrays, ids=ids, settings={}, attributes={"roi": roi})


def measured(folder, truth):
    """Make responses of a truth; give the tables of encoding, ROI by ROI, and of the order."""
    rng = np.random.default_rng(3)
    activations, gradients, own = layers(rng)
    features = write_features(folder, activations, gradients)
    tables, errors, voxels = {}, [], []
    for place, roi in enumerate(ROIS):
        parts = {"activations": activations[place], "gradients": own[len(ROIS) - 1 - place]}
        followed = [parts[name] for name in truth]
        signal = np.concatenate([np.zeros((STIMULI, 0)), *followed], axis=1)
        voxels.append(folder / f"{roi}_voxels.h5")
        write_voxels(voxels[-1], roi, signal, rng)
        errors.append(folder / f"{roi}_errors.h5")
        table = folder / f"{roi}.csv"
        encode(features[:1], voxels[-1], SETTINGS, table, errors[-1], signals=features[1:])
        rows = read_csv(table).set_index(["layer", "features", "measure"])
        tables[roi] = rows[["score", "low", "high", "reason"]]
    order_table([errors], voxels, ORDER, folder / "order.csv")
    order = read_csv(folder / "order.csv").set_index("features")
    return tables, order.rename(index=lambda name: name.replace("-entropy", ""))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    cases = [("activations",), ("gradients",), ("activations", "gradients"), ()]
    return {truth: measured(tmp_path_factory.mktemp("truth"), truth) for truth in cases}


BETWEEN = "gradient - activations"


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
    assert order.loc["gradient", "value"] == pytest.approx(-1, abs=0.05)
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
        write_voxels(tmp_path / "voxels.h5", "V1", signal, rng)
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
    write_voxels(tmp_path / "voxels.h5", "V1", activations[0], rng)
    told = tmp_path / "voxels.h5", SETTINGS, tmp_path / "V1.csv", tmp_path / "errors.h5"
    encode(features[:1], *told, signals=features[1:])
    rows = read_csv(tmp_path / "V1.csv")
    rows = rows[rows["measure"].isin(["unique_r2", "shared_r2"])]
    assert len(rows) == 2 * len(LAYERS)
    assert rows["score"].isna().all()
    assert set(rows["reason"]) == {"these features are a copy of the activations"}
