"""Seven parts of R^2 of three feature spaces: what was planted is found where it was planted."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from rulealign.encoding import together as fitted
from rulealign.encoding.fits import Counts, fit_features
from rulealign.encoding.folds import groups_of, stimulus_folds
from rulealign.encoding.roi_gram import RoiGram
from rulealign.encoding.seven_parts import COMMON, PARTS, WHOLE, seven_parts
from rulealign.encoding.together import Together, mixes
from rulealign.plan.settings.encoding import EncodingSettings
from rulealign.store import write_h5

N, FOLDS, KINDS = 120, 4, ("activations", "gradient-entropy", "teaching")
IDS = [f"image_{place:03d}" for place in range(N)]
SETTINGS = EncodingSettings(
    study_seed=1,
    bootstrap_draws=20,
    interval=0.9,
    inner_folds=3,
    penalties=[0.01, 1.0, 1000.0],
    generalise_to="stimuli",
    least_ceiling=None,
    block=None,
)
SUBSETS = [set(one) for size in (1, 2, 3) for one in combinations(KINDS, size)]
MEASURES = dict(zip(list(PARTS)[:7], SUBSETS, strict=True))
"""Measure -> the spaces that hold what it measures."""


def latent(rng):
    """Draw three values per stimulus for each of the seven parts."""
    return {measure: rng.normal(size=(N, 3)) for measure in MEASURES}


def spaces(values, rng):
    """Give each space all that is its own or shared with others, mixed."""
    held = {
        kind: np.hstack([values[measure] for measure, those in MEASURES.items() if kind in those])
        for kind in KINDS
    }
    return {kind: own @ rng.normal(size=(own.shape[1], 30)) + 2 for kind, own in held.items()}


def roi(patterns):
    folds = stimulus_folds(groups_of(IDS), FOLDS, 0)
    every = np.broadcast_to(folds, (1, N))
    groups = np.arange(N)[np.newaxis]
    return RoiGram("V1", ["01"], IDS, (patterns @ patterns.T)[np.newaxis], every, groups, [])


def found(folder, features, brain, settings=SETTINGS):
    of_layer, fits, counts = {}, {}, Counts.of(settings, N)
    for kind, values in features.items():
        path = folder / f"{kind}.h5"
        write_h5(path, {"conv1": values}, ids={"stimulus": IDS}, settings={}, attributes={})
        of_layer[kind] = pd.DataFrame({"path": [path], "name": ["conv1"]})
        fits[kind] = [fit_features([values], brain, counts)]
    parts = seven_parts(Together(of_layer, fits, brain, counts), KINDS)
    return {measure: part for _, measure, part in parts}


@pytest.mark.parametrize("planted", list(MEASURES))
def test_what_is_planted_in_one_part_is_found_in_this_part(tmp_path, planted):
    rng = np.random.default_rng(list(MEASURES).index(planted))
    values = latent(rng)
    signal = values[planted] @ rng.normal(size=(3, 15))
    patterns = signal + rng.normal(0, 0.5, signal.shape)
    parts = {
        measure: part.scores.item()
        for measure, part in found(tmp_path, spaces(values, rng), roi(patterns)).items()
    }
    whole = parts.pop(WHOLE)
    assert list(parts) == list(MEASURES)
    assert whole > 0.75
    assert parts.pop(planted) > whole - 0.1
    assert max(map(abs, parts.values())) < 0.1


def plain_r2(features, patterns, folds, penalty):
    """Fit all voxels by scikit-learn to z-scores that share the kernel equally."""
    errors = baseline = 0
    for fold in range(FOLDS):
        fit, test = folds != fold, folds == fold
        z = [(x - x[fit].mean(axis=0)) / x[fit].std(axis=0) for x in features]
        x = np.hstack([each / np.sqrt(each.shape[1] * len(z)) for each in z])
        model = Ridge(alpha=penalty).fit(x[fit], patterns[fit])
        errors += ((patterns[test] - model.predict(x[test])) ** 2).sum()
        baseline += ((patterns[test] - patterns[fit].mean(axis=0)) ** 2).sum()
    return 1 - errors / baseline


def test_parts_are_sums_of_plain_ridge_regressions(tmp_path, monkeypatch):
    monkeypatch.setattr(fitted, "mixes", lambda n: ((1 / n,) * n,))
    rng = np.random.default_rng(3)
    values = latent(rng)
    features = spaces(values, rng)
    signal = sum(values[one] * scale for scale, one in enumerate(MEASURES, start=1))
    patterns = signal @ rng.normal(size=(3, 20)) + rng.normal(0, 9, (N, 20))
    brain = roi(patterns)
    settings = EncodingSettings(**SETTINGS.plain() | {"penalties": [0.3]})
    parts = {
        measure: part.scores.item()
        for measure, part in found(tmp_path, features, brain, settings).items()
    }
    a, g, t = (features[kind] for kind in KINDS)
    r2 = {
        name: plain_r2(those, patterns, brain.folds[0], 0.3)
        for name, those in {
            "a": [a],
            "g": [g],
            "t": [t],
            "ag": [a, g],
            "at": [a, t],
            "gt": [g, t],
            "agt": [a, g, t],
        }.items()
    }
    expected = {
        "unique_activations_r2": r2["agt"] - r2["gt"],
        "unique_gradient_r2": r2["agt"] - r2["at"],
        "unique_teaching_r2": r2["agt"] - r2["ag"],
        "shared_activations_gradient_r2": r2["at"] + r2["gt"] - r2["t"] - r2["agt"],
        "shared_activations_teaching_r2": r2["ag"] + r2["gt"] - r2["g"] - r2["agt"],
        "shared_gradient_teaching_r2": r2["ag"] + r2["at"] - r2["a"] - r2["agt"],
        "common_r2": r2["a"] + r2["g"] + r2["t"] - r2["ag"] - r2["at"] - r2["gt"] + r2["agt"],
        "whole_r2": r2["agt"],
    }
    assert parts == pytest.approx(expected, abs=1e-8)
    assert sum(parts[one] for one in MEASURES) == pytest.approx(r2["agt"], abs=1e-8)
    assert min(abs(one) for one in parts.values()) > 1e-3  # else a wrong sign would not show


def test_parts_sum_to_the_whole_in_every_draw(tmp_path):
    rng = np.random.default_rng(4)
    values = latent(rng)
    patterns = sum(values.values()) @ rng.normal(size=(3, 8)) + rng.normal(0, 2, (N, 8))
    parts = found(tmp_path, spaces(values, rng), roi(patterns))
    for samples in ("scores", "drawn", "left_out"):
        seven = sum(getattr(parts[one], samples) for one in MEASURES)
        np.testing.assert_allclose(seven, getattr(parts[WHOLE], samples), atol=1e-10)
    assert np.ptp(parts[COMMON].drawn) > 0.01


def test_teaching_signals_that_are_the_gradient_have_no_parts(tmp_path):
    rng = np.random.default_rng(5)
    values = latent(rng)
    features = spaces(values, rng)
    features["teaching"] = features["gradient-entropy"]
    parts = found(tmp_path, features, roi(rng.normal(size=(N, 8))))
    assert set(parts.values()) == {"teaching is a copy of gradient-entropy"}


def test_shares_of_fewer_spaces_are_among_those_of_more():
    assert mixes(2) == ((1, 0), (0.75, 0.25), (0.5, 0.5), (0.25, 0.75), (0, 1))
    three = mixes(3)
    assert len(three) == 15  # of 4 quarters into 3: 6 over 2
    assert {(*one, 0) for one in mixes(2)} <= set(three)
