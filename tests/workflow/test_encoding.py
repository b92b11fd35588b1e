"""A study with encoding: what it runs besides, and the numbers at its end."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from expected_jobs import RECORD
from rulealign.data.responses.patterns import read_trials_and_responses, select_patterns
from rulealign.store import open_h5, read_csv, read_ids

pytestmark = pytest.mark.workflow

ENCODING = {"folds": 3, "inner_folds": 2, "penalties": [1.0], "hierarchy": ["V1", "LOC"]}
ENCODING["features"] = ["activations", "gradient", "teaching"]
JOBS = {f"Gram matrices and folds of {roi}" for roi in ("V1", "LOC")}
JOBS |= {
    f"Predict {roi} from layers of cnn3 by {rule}" for roi in ("V1", "LOC") for rule in ("bp", "fa")
}
CHECK = "Check that every stimulus set and every brain RDM has the same stimuli in the same order"
JOBS |= {CHECK, "Draw the figures"}  # the check waits for the folds, and figures read its table
JOBS |= {"Encoding of all ROIs by all rules", "Order in which layers predict the hierarchy of ROIs"}
JOBS |= {
    f"Gradients and teaching signals of cnn3 by {rule}, seed 1, epoch {epoch}, at 32 px"
    for rule in ("bp", "fa")
    for epoch in (0, 2)
}


def voxel_wise(features, patterns, folds):
    """Fit every voxel by ordinary least squares with a penalty of one per feature."""
    errors = baseline = 0
    for fold in range(3):
        fit = folds != fold
        z = (features - features[fit].mean(axis=0)) / np.where(
            features[fit].std(axis=0) > 0, features[fit].std(axis=0), np.inf
        )
        mean, varying = patterns[fit].mean(axis=0), (features[fit].std(axis=0) > 0).sum()
        penalty = varying * np.eye(z.shape[1])
        weights = np.linalg.solve(z[fit].T @ z[fit] + penalty, z[fit].T @ (patterns[fit] - mean))
        errors += ((patterns - mean - z @ weights)[~fit] ** 2).sum()
        baseline += ((patterns - mean)[~fit] ** 2).sum()
    return 1 - errors / baseline


def test_encoding_adds_its_jobs_and_gives_the_numbers_of_the_voxels(done, tmp_path):
    run = done.copy(tmp_path)
    before = run.results()
    with run.restudied(lambda study: study.update(encoding=ENCODING)):
        assert set(run.planned()) == JOBS | RECORD
        run.snakemake("--cores", "2")
        assert run.planned() == []
    after = run.results()
    rewritten = {"report.html", "provenance.json", "study.yaml", "statistics/README.md"}
    changed = {name for name in before if before[name] != after[name]}
    assert {name for name in changed if "manifests" not in name} == rewritten
    assert b"Encoding: what layers predict" in after["report.html"]
    root = run.folder / "results" / run.study["study"]
    rows = read_csv(root / "statistics/encoding.csv").set_index(["rule", "epoch", "layer", "roi"])
    rows = rows[rows["measure"] == "ridge_r2"]
    by_features = {name: own for name, own in rows.groupby("features")}
    assert set(by_features) == {"activations", "gradient-own-decision", "teaching"}
    # bp teaches by the gradient, fa by another one
    alike = by_features["teaching"]["score"] == by_features["gradient-own-decision"]["score"]
    assert alike.loc["bp"].all()
    assert not alike.loc["fa"].loc[2, "conv1"].any()
    rows = by_features["activations"]
    order = read_csv(root / "statistics/encoding_order.csv")
    assert len(order) == 2 * 2 * (3 + 3)  # rules, epochs, features and pairs of them
    by_kind = order.set_index(["features", "rule", "epoch"])["value"]
    assert order["value"].between(-2, 2).all()
    less = by_kind["gradient-own-decision"] - by_kind["activations"]
    np.testing.assert_allclose(by_kind["gradient-own-decision - activations"], less, atol=1e-12)
    with open_h5(root / "encoding/roi-V1_gram.h5") as file:
        folds, ids = file["folds"][0], read_ids(file, "stimulus")
    shown = next((root / "activations").glob("*net-cnn3_rule-bp_seed-1_epoch-2_*_px-32.h5"))
    expected = []
    for subject in ("01", "02"):
        responses = root / f"brain/sub-{subject}_roi-V1_responses.h5"
        names, patterns, _ = select_patterns(responses, "test-repeats", "all-trials")
        assert names == ids
        patterns = patterns - patterns.mean(axis=1, keepdims=True)
        patterns /= np.linalg.norm(patterns, axis=1, keepdims=True)
        with open_h5(shown) as file:
            features = file["fc1/vector"][()].astype(np.float64)
        expected.append(voxel_wise(features, patterns, folds))
    found = rows.loc[("bp", 2, "fc1", "V1")]
    assert found["score"].item() == pytest.approx(np.mean(expected), abs=1e-8)
    assert found["low"].item() < found["score"].item() < found["high"].item()


def ceiling(responses, patterns):
    """Estimate each voxel's share of signal by analysis of variance of the repeated images."""
    trials, values = read_trials_and_responses(responses)
    values = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    by_image = pd.DataFrame(values.T).groupby(trials["stimulus"].to_numpy())
    n = by_image.size()
    again = n[n > 1]
    noise = by_image.var().loc[again.index].mul(again - 1, axis=0).sum() / (again - 1).sum()
    return 1 - noise.to_numpy() / again.iloc[0] / patterns.var(axis=0, ddof=1)


def test_encoding_by_voxel_gives_the_numbers_of_scikit_learn(done, tmp_path):
    run = done.copy(tmp_path)
    asked = ENCODING | {"features": ["activations", "gradient"], "voxels": {"block": 50}}
    gram = {f"Gram matrices and folds of {roi}" for roi in ("V1", "LOC")}
    with run.restudied(lambda study: study.update(encoding=asked)):
        planned = set(run.planned())
        assert planned - JOBS - RECORD == {
            f"Patterns, noise ceilings and folds of {roi}" for roi in ("V1", "LOC")
        }
        assert JOBS - planned == gram
        run.snakemake("--cores", "2")
        assert run.planned() == []
    root = run.folder / "results" / run.study["study"]
    rows = read_csv(root / "statistics/encoding.csv")
    parts = ["unique_r2", "shared_r2", "above_norm_r2"]
    assert {*parts, "voxel_r2", "voxel_r2_of_ceiling", "cka"} < set(rows["measure"])
    chosen = (rows["layer"] == "fc1") & (rows["roi"] == "V1") & (rows["epoch"] == 2)
    rows = rows[chosen & (rows["rule"] == "bp")].set_index(["features", "measure"])["score"]
    with open_h5(root / "encoding/roi-V1_voxels.h5") as file:
        folds, ids = file["folds"][()], read_ids(file, "stimulus")
        groups, found = file["groups"][()], {s: file[f"ceilings/{s}"][()] for s in ("01", "02")}
    concepts = np.array([name.rpartition("_")[0] for name in ids])
    np.testing.assert_array_equal(groups[0], np.unique(concepts, return_inverse=True)[1])
    shown = next((root / "activations").glob("*net-cnn3_rule-bp_seed-1_epoch-2_*_px-32.h5"))
    with open_h5(shown) as file:
        features = file["fc1/vector"][()].astype(np.float64)
    expected = []
    for place, subject in enumerate(("01", "02")):
        responses = root / f"brain/sub-{subject}_roi-V1_responses.h5"
        _, patterns, _ = select_patterns(responses, "test-repeats", "all-trials")
        np.testing.assert_allclose(found[subject], ceiling(responses, patterns), atol=1e-5)
        made, shifted = np.empty((2, *patterns.shape))
        for fold in range(3):
            fit, test = folds[place] != fold, folds[place] == fold
            scale = StandardScaler().fit(features[fit])
            varying = (features[fit].std(axis=0) > 0).sum()
            ridge = Ridge(alpha=varying).fit(scale.transform(features[fit]), patterns[fit])
            mean = patterns[fit].mean(axis=0)
            made[test] = ridge.predict(scale.transform(features[test])) - mean
            shifted[test] = patterns[test] - mean
        r2 = 1 - ((shifted - made) ** 2).sum(axis=0) / (shifted**2).sum(axis=0)
        r = [np.corrcoef(one, two)[0, 1] for one, two in zip(made.T, shifted.T, strict=True)]
        kept = found[subject] >= 0.1
        assert kept.any()
        by_ceiling = r2[kept] / found[subject][kept]
        expected.append([r2.mean(), np.mean(r), by_ceiling.mean()])
    measures = ["voxel_r2", "voxel_r", "voxel_r2_of_ceiling"]
    for measure, value in zip(measures, np.mean(expected, axis=0), strict=True):
        assert rows["activations", measure] == pytest.approx(value, abs=1e-8), measure
    gradient, shared = rows["gradient-own-decision"], rows["gradient-own-decision", "shared_r2"]
    both = gradient["unique_r2"] + rows["activations", "voxel_r2"]
    assert shared == pytest.approx(gradient["voxel_r2"] - gradient["unique_r2"], abs=1e-9)
    assert both < 1
