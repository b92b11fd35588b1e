"""A study whose resamples would fail is stopped before it trains, with numbers."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from rulealign.errors import DataError
from rulealign.plan.settings.brain import InputsSettings
from rulealign.rsa.bootstrap import spearman as bootstrap
from rulealign.rsa.bootstrap.resample_check import require_resamples
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman
from rulealign.store import write_h5

SETTINGS = InputsSettings(copies={}, study_seed=7, bootstrap_draws=200, pairs=["all"], labels={})


@pytest.fixture
def files(tmp_path):
    """Give a function: condensed RDMs of subjects -> their files."""

    def write(rdms):
        n_stimuli = round((1 + np.sqrt(1 + 8 * rdms.shape[1])) / 2)
        ids = {"stimulus": [f"image_{place:02d}" for place in range(n_stimuli)]}
        about = {"roi": "EVC", "distance": "d", "acquisition": "a", "repetitions": 0}
        paths = [tmp_path / f"sub-{subject:02d}.h5" for subject in range(len(rdms))]
        for subject, (path, rdm) in enumerate(zip(paths, rdms, strict=True)):
            own = {"subject": subject, **about}
            write_h5(path, {"rdm": rdm}, ids=ids, settings={}, attributes=own)
        return paths

    return write


def rdms(n_stimuli, subjects=2):
    return np.random.default_rng(0).random((subjects, n_stimuli * (n_stimuli - 1) // 2))


def categories(sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    first, second = np.triu_indices(len(labels), 1)
    return (labels[first] != labels[second]).astype(float)


@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_the_chance_of_too_few_different_stimuli_is_that_of_all_resamples_counted(n):
    few = sum(len(set(one)) < 3 for one in product(range(n), repeat=n))
    assert bootstrap._too_few(n) == pytest.approx(few / n**n, rel=1e-12)


@pytest.mark.parametrize(("draws", "enough"), [(1, 7), (1000, 10), (10_000, 11)])
def test_enough_stimuli_are_the_fewest_of_which_less_than_one_study_in_100_fails(draws, enough):
    # chances as a person writes them down: of 6, 7, 9, 10 and 11 stimuli
    chance = {6: 936 / 6**6, 7: 2653 / 7**7, 9: 18369 / 9**9, 10: 46 / 10**7, 11: 3.9445e-7}
    assert bootstrap.enough_stimuli(draws) == enough
    assert 1 - (1 - chance[enough]) ** draws < 0.01 <= 1 - (1 - chance[enough - 1]) ** draws


@pytest.mark.parametrize("n", [5, 6])
def test_five_or_six_stimuli_are_refused_with_the_number_that_is_enough(files, n):
    settings = replace(SETTINGS, bootstrap_draws=1000)
    drawn = np.random.default_rng(bootstrap.bootstrap_seed(7, n)).integers(n, size=(1000, n))
    few = [len(set(row)) < 3 for row in drawn.tolist()]
    message = rf"{n} stimuli .* 1000 resamples: {sum(few)} .* resample {few.index(True)}\).* 10 st"
    message = rf"sub-00\.h5: {message}imuli, or lower statistics\.bootstrap_draws\."
    with pytest.raises(DataError, match=message):
        require_resamples(files(rdms(n)), settings, None)


def test_enough_stimuli_are_taken(files):
    require_resamples(files(rdms(12)), replace(SETTINGS, bootstrap_draws=1000), None)


@pytest.mark.parametrize("sizes", [(12, 1), (10, 3), (4, 4, 4)])
def test_rdms_of_categories_are_refused_where_the_bootstrap_would_fail(files, sizes):
    one, n = categories(sizes), sum(sizes)
    counts = bootstrap.resample_counts(n, 200, bootstrap.bootstrap_seed(7, n))
    first, second = np.triu_indices(n, 1)
    left = [one[(row[first] > 0) & (row[second] > 0)] for row in counts]
    constant = [place for place, values in enumerate(left) if len(set(values)) == 1]
    paths = files(np.stack([rdms(n, 1)[0], one]))
    if not constant:
        require_resamples(paths, SETTINGS, None)
        assert np.isfinite(bootstrap_spearman(rdms(n, 1), one[np.newaxis], counts)).all()
        return
    message = rf"EVC of 1: .* {len(constant)} of 200 .* resample {constant[0]}\).* 2 different"
    with pytest.raises(DataError, match=message):
        require_resamples(paths, SETTINGS, None)
    with pytest.raises(DataError, match=f"resample {constant[0]} "):
        bootstrap_spearman(rdms(n, 1), one[np.newaxis], counts)


def test_only_the_pairs_that_are_compared_count(files, tmp_path):
    # of all pairs it is no category RDM, of those between runs it is
    one, runs = categories((1, 11)), np.arange(12) % 2
    first, second = np.triu_indices(12, 1)
    between = runs[first] != runs[second]
    one[~between] = rdms(12, 1)[0][~between]
    ids = {"stimulus": [f"image_{place:02d}" for place in range(12)]}
    write_h5(tmp_path / "pairs.h5", {"cross_run": between}, ids=ids, settings={})
    paths = files(np.stack([rdms(12, 1)[0], one]))
    require_resamples(paths, SETTINGS, None)
    with pytest.raises(DataError, match=r"EVC of 1: its RDM is constant over the pairs of"):
        require_resamples(
            paths, replace(SETTINGS, pairs=["all", "cross_run"]), tmp_path / "pairs.h5"
        )
