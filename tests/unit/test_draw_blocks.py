"""Draws in blocks: any threads and megabytes give the same bits, and the megabytes hold."""

import subprocess
import sys
import tracemalloc

import numba
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from rulealign.rsa.bootstrap import weighted_ranks
from rulealign.rsa.bootstrap.draw_blocks import draw_blocks
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman, resample_counts

N = 40
PAIRS = N * (N - 1) // 2
MASK = np.random.default_rng(9).random(PAIRS) < 0.6
COMBINE = np.random.default_rng(8).random((5, 2))


def rdms(n_rdms, seed):
    return np.random.default_rng(seed).random((n_rdms, PAIRS)).round(2)


@pytest.mark.parametrize("combine", [None, COMBINE], ids=["every rho", "combined"])
@pytest.mark.parametrize("mask", [None, MASK], ids=["all pairs", "masked"])
def test_threads_and_megabytes_change_no_bit(mask, combine):
    # 70 models make two products of 32 and one of 6, sets of 1 model, and sets in between
    models, brains, counts = rdms(70, 1), rdms(5, 2), resample_counts(N, 21, seed=3)
    expected = bootstrap_spearman(models, brains, counts, mask=mask, combine=combine)
    for threads, work_mb in [(1, 0.001), (2, 512), (3, 1.0), (2, 0.6), (4, 0.001)]:
        how = {"mask": mask, "combine": combine, "threads": threads, "work_mb": work_mb}
        again = bootstrap_spearman(models, brains, counts, **how)
        np.testing.assert_array_equal(again, expected)


def test_a_model_scores_the_same_alone():
    models, brains, counts = rdms(40, 1), rdms(5, 2), resample_counts(N, 5, seed=3)
    every = bootstrap_spearman(models, brains, counts, combine=COMBINE)
    for place in (0, 31, 32, 39):
        alone = bootstrap_spearman(models[place], brains, counts, combine=COMBINE)
        np.testing.assert_array_equal(alone[:, 0], every[:, place])


@pytest.mark.parametrize(("threads", "work_mb"), [(1, 512), (2, 0.4), (3, 0.001)])
def test_blocks_cover_all_draws_of_all_models_once_in_order(threads, work_mb):
    models, brains, counts = rdms(30, 1), rdms(3, 2), resample_counts(N, 50, seed=3)
    covered, done, places = np.zeros((50, 30), dtype=int), [0.0], []
    for block in draw_blocks(models, brains, counts, threads=threads, work_mb=work_mb):
        covered[block.draws, block.models] += 1
        assert block.scores.shape == (*covered[block.draws, block.models].shape, 3)
        done.append(block.done)
        assert done[-1] == pytest.approx(covered.mean())
        places.append((block.models.start, block.draws.start))
    assert (covered == 1).all()
    assert places == sorted(places)
    assert (len({models for models, _ in places}) > 1) == (work_mb < 512)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("mask", [False, True], ids=["all pairs", "masked"])
def test_the_megabytes_hold(threads, mask):
    n, work_mb = 150, 16
    pairs = n * (n - 1) // 2
    rng = np.random.default_rng(1)
    models = rng.random((1500, pairs), dtype=np.float32)  # their order alone takes 67 MB
    brains, counts = rng.random((4, pairs)), resample_counts(n, 20, seed=3)
    mask = rng.random(pairs) < 0.9 if mask else None
    how = {"combine": np.full((4, 1), 0.25), "mask": mask, "threads": threads}
    bootstrap_spearman(models[:2], brains, counts, **how)  # compiled before it is measured
    tracemalloc.start()
    sets = {b.models.start for b in draw_blocks(models, brains, counts, work_mb=work_mb, **how)}
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert peak < work_mb
    assert peak > 0.5 * work_mb
    assert 1 < len(sets) < 30


def test_other_libraries_get_their_threads_back():
    before = [(each["filepath"], each["num_threads"]) for each in threadpool_info()]
    blocks = draw_blocks(rdms(3, 1), rdms(2, 2), resample_counts(N, 40, seed=3), threads=2)
    next(blocks)
    assert [(each["filepath"], each["num_threads"]) for each in threadpool_info()] == before
    blocks.close()


def test_without_a_folder_for_compiled_code_it_is_compiled_for_this_once(monkeypatch):
    models, brains, counts = rdms(3, 1), rdms(2, 2), resample_counts(N, 5, seed=3)
    expected = bootstrap_spearman(models, brains, counts)
    asked, njit = [], numba.njit

    def refuse(cache=False, **options):
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**options)

    monkeypatch.setattr(numba, "njit", refuse)
    weighted_ranks._compiled.cache_clear()
    np.testing.assert_array_equal(bootstrap_spearman(models, brains, counts), expected)
    assert asked == [True, False]
    weighted_ranks._compiled.cache_clear()


def test_what_needs_no_draws_does_not_import_numba():
    modules = "rulealign.rsa.alignment, rulealign.rsa.tables"
    code = f"import sys, {modules}; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
