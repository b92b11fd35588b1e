"""The nested layer choice against plain loops and simulations whose truth is known."""

from functools import partial

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import spearmanr

from rulealign.errors import ConfigurationError, DataError
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman, resample_counts
from rulealign.rsa.compare import convention_weights, spearman_matrix, with_mean
from rulealign.rsa.layers import FoldScores, choose_layer, fold_masks, layer_choice_seed

N = 20
PAIRS = N * (N - 1) // 2
FIRST, SECOND = np.triu_indices(N, 1)


def rdm(patterns):
    return pdist(patterns, "correlation")


def noise_rdms(count, rng, n=N):
    return np.stack([rdm(rng.standard_normal((n, 15))) for _ in range(count)])


def score_folds(models, brains, masks, combine=None, correlate=spearman_matrix):
    """Score models on both sides of every fold; by default by their mean over brains."""
    combine = np.full((len(brains), 1), 1 / len(brains)) if combine is None else combine
    return FoldScores(
        *(
            np.stack([correlate(models, brains, mask=sides[side]) @ combine for sides in masks])
            for side in (0, 1)
        )
    )


def nested(models, brains, n, *, seed, folds=2, splits=10, mask=None, **how):
    """Choose the layer of a network on other stimuli than it is scored on."""
    return choose_layer(
        score_folds(models, brains, fold_masks(n, folds, splits, seed, mask), **how)
    )


def plain_nested(models, brains, masks, combine):
    """Choose by the mean over brains outside, take the mean over brains inside; fold by fold."""
    scores, chosen = [], []
    for outside, inside in masks:
        both = [
            np.array([[spearmanr(m[side], b[side]).statistic for b in brains] for m in models])
            @ combine
            for side in (outside, inside)
        ]
        best = [max(range(len(models)), key=lambda k: both[0][k, s]) for s in range(len(combine.T))]
        chosen.append(best)
        scores.append([both[1][k, s] for s, k in enumerate(best)])
    return np.mean(scores, axis=0), chosen


@pytest.mark.parametrize("folds", [2, 4])
@pytest.mark.parametrize("some_pairs", [False, True], ids=["all pairs", "masked"])
def test_nested_scores_equal_a_plain_loop(folds, some_pairs):
    rng = np.random.default_rng(1)
    models, brains = noise_rdms(4, rng), with_mean(noise_rdms(3, rng))
    mask = rng.random(PAIRS) < 0.8 if some_pairs else None
    weights = convention_weights(3)
    choice = nested(models, brains, N, seed=5, folds=folds, splits=3, combine=weights, mask=mask)
    masks = fold_masks(N, folds, 3, 5, mask)
    score, chosen = plain_nested(models, brains, masks, weights)
    np.testing.assert_allclose(choice.score, score, atol=1e-13)
    np.testing.assert_array_equal(choice.chosen, chosen)
    assert len({tuple(row) for row in chosen}) > 1  # folds do not all choose the same


@pytest.mark.parametrize("folds", [2, 3, 4])
def test_no_stimulus_is_on_both_sides_of_a_fold(folds):
    mask = np.random.default_rng(1).random(PAIRS) < 0.8
    masks = fold_masks(N, folds, 6, 5, mask)
    assert len(masks) == 6 * folds
    for outside, inside in masks:
        sides = [set(FIRST[side]) | set(SECOND[side]) for side in (outside, inside)]
        assert not sides[0] & sides[1]
        assert len(sides[1]) in (N // folds, N // folds + 1)
        assert not (outside | inside)[~mask].any()
        # every allowed pair whose stimuli are on one side is taken
        for side, pairs in zip(sides, (outside, inside), strict=True):
            whole = np.isin(FIRST, list(side)) & np.isin(SECOND, list(side))
            np.testing.assert_array_equal(pairs, whole & mask)


def test_each_stimulus_is_scored_once_per_split_and_splits_differ():
    masks = fold_masks(N, 4, 3, 5)
    scored = [frozenset(FIRST[inside]) | frozenset(SECOND[inside]) for _, inside in masks]
    for split in range(3):
        parts = scored[4 * split : 4 * split + 4]
        assert sorted(stimulus for part in parts for stimulus in part) == list(range(N))
    assert len(set(scored)) == 12


def test_splits_derive_from_the_seed_alone():
    one, same, other = (fold_masks(N, 2, 2, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert len({layer_choice_seed(1, 92), layer_choice_seed(2, 92), layer_choice_seed(1, 91)}) == 3


def test_on_pure_noise_the_nested_score_is_zero_and_the_circular_one_is_not():
    rng = np.random.default_rng(2)
    chosen, circular = [], []
    for run in range(150):
        models, brains = noise_rdms(6, rng, 24), noise_rdms(2, rng, 24)
        choice = nested(models, brains, 24, seed=run, splits=2)
        chosen.append(choice.score.item())
        circular.append(spearman_matrix(models, brains).mean(axis=1).max())
    error = np.std(chosen) / np.sqrt(len(chosen))
    assert abs(np.mean(chosen)) < 3 * error
    assert error < 0.006
    assert np.mean(circular) > 10 * error  # what a maximum makes of nothing


def test_the_layer_that_is_like_the_roi_is_chosen_and_its_score_is_unbiased():
    rng = np.random.default_rng(3)
    n, found, fixed, chosen = 40, [], [], []
    for run in range(25):
        truth = rng.standard_normal((n, 15))
        models = noise_rdms(5, rng, n)
        models[2] = rdm(truth)
        brains = np.stack([rdm(truth + rng.standard_normal((n, 15))) for _ in range(3)])
        choice = nested(models, brains, n, seed=run, splits=2)
        found.append(choice.score.item())
        fixed.append(choice.layers[2, 0])
        chosen += choice.chosen[..., 0].tolist()
    assert chosen.count(2) == len(chosen)
    assert found == pytest.approx(fixed, abs=1e-14)
    # halves score as all pairs do: no choice, no bias
    whole = spearman_matrix(models, brains).mean(axis=1)[2]
    assert np.mean(found) == pytest.approx(whole, abs=0.1)


def test_of_equally_good_layers_the_nested_score_does_not_gain_by_choosing():
    # layers and subjects are the truth with noise of their own, so that only luck tells layers
    # apart, and luck with some stimuli is none with others
    rng = np.random.default_rng(4)
    gains, circular = [], []
    for run in range(100):
        truth = rng.standard_normal((24, 15))
        models = np.stack([rdm(truth + rng.standard_normal((24, 15))) for _ in range(5)])
        brains = np.stack([rdm(truth + 2 * rng.standard_normal((24, 15))) for _ in range(2)])
        choice = nested(models, brains, 24, seed=run, splits=2)
        gains.append(choice.score.item() - choice.layers.mean())
        scores = spearman_matrix(models, brains).mean(axis=1)
        circular.append(scores.max() - scores.mean())
    error = np.std(gains) / np.sqrt(len(gains))
    assert abs(np.mean(gains)) < 3 * error
    assert error < 0.005
    assert np.mean(circular) > 10 * error


def test_draws_choose_anew_on_the_same_sides():
    rng = np.random.default_rng(6)
    models, brains = noise_rdms(3, rng), noise_rdms(2, rng)
    counts = resample_counts(N, draws=6, seed=7)
    counts[0] = 1
    correlate = partial(bootstrap_spearman, counts=counts)
    draws = nested(models, brains, N, seed=5, splits=2, correlate=correlate)
    assert draws.score.shape == (6, 1)
    plain = nested(models, brains, N, seed=5, splits=2)
    np.testing.assert_allclose(draws.score[0], plain.score, atol=1e-13)
    for draw, count in enumerate(counts):
        reached = []
        for sides in fold_masks(N, 2, 2, 5):
            scores = [
                [np.mean([resampled(m, b, count, side) for b in brains]) for m in models]
                for side in sides
            ]
            reached.append(scores[1][int(np.argmax(scores[0]))])
        assert draws.score[draw, 0] == pytest.approx(np.mean(reached), abs=1e-12)


def resampled(model, brain, count, mask):
    drawn = np.repeat(np.arange(N), count)
    first, second = np.triu_indices(N, 1)
    first, second = drawn[first], drawn[second]
    taken = squareform(mask)[first, second]
    lists = [squareform(one)[first, second][taken] for one in (model, brain)]
    return spearmanr(*lists).statistic


def test_too_small_folds_are_refused():
    models = noise_rdms(2, np.random.default_rng(1), 10)
    with pytest.raises(DataError, match="10 stimuli in 4 folds leave fewer than 3"):
        nested(models, models, 10, seed=1, folds=4)
    with pytest.raises(ConfigurationError, match="at least 2 folds and 1 split, not 1 and 10"):
        nested(models, models, 10, seed=1, folds=1)
    with pytest.raises(ConfigurationError, match="at least 2 folds and 1 split, not 2 and 0"):
        nested(models, models, 10, seed=1, splits=0)
    with pytest.raises(DataError, match="too few pairs"):
        nested(models, models, 10, seed=1, mask=np.arange(45) < 6)
    with pytest.raises(DataError, match="a mask of bool, shape"):
        nested(models, models, 10, seed=1, mask=np.ones(44, bool))


def test_a_choice_keeps_to_the_layers_it_is_given():
    rng = np.random.default_rng(9)
    models, brains = noise_rdms(5, rng), noise_rdms(2, rng)
    scores = score_folds(models, brains, fold_masks(N, 2, 3, 1))
    some = choose_layer(scores, [3, 1])
    alone = choose_layer(score_folds(models[[3, 1]], brains, fold_masks(N, 2, 3, 1)))
    np.testing.assert_allclose(some.score, alone.score, atol=1e-15)
    np.testing.assert_array_equal(some.chosen, alone.chosen)


def test_folds_of_three_stimuli_are_the_smallest():
    masks = fold_masks(6, 2, 1, seed=3)
    assert [tuple(int(side.sum()) for side in sides) for sides in masks] == [(3, 3), (3, 3)]
