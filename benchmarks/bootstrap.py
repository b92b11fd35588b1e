"""The stimulus bootstrap beside ranking every RDM anew in every draw.

`python benchmarks/bootstrap.py` prints the seconds of both on the same RDMs and draws, with the
sorting that is done once and without it, their ratios and largest difference; then the seconds of
1,000 draws at full size with 2 threads, all of them drawn, and the peak memory (3 minutes).
"""

import resource
import time

import numpy as np
from scipy.stats import rankdata

from rulealign.rsa.bootstrap.spearman import bootstrap_spearman, resample_counts

MODELS, BRAINS, STIMULI, DRAWS, THREADS = 200, 18, 720, 1000, 2
FEW_MODELS, FEW_DRAWS = 100, 8


def written_out(models: np.ndarray, brains: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Correlate in each resample as it is written out, every RDM ranked anew."""
    first, second = np.triu_indices(counts.shape[1], 1)
    scores = []
    for count in counts:
        times = count[first] * count[second]
        model, brain = (
            np.stack([rankdata(np.repeat(rdm, times)) for rdm in rdms]) for rdms in (models, brains)
        )
        centred = [ranks - ranks.mean(axis=1, keepdims=True) for ranks in (model, brain)]
        model, brain = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in centred)
        scores.append(model @ brain.T)
    return np.stack(scores)


def timed(function, *arguments, **options):
    """Give what a function returns, and the wall and CPU seconds it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function(*arguments, **options)
    return result, time.perf_counter() - wall, time.process_time() - cpu


def _megabytes(*arrays):
    return sum(array.nbytes for array in arrays) / 1024**2


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    pairs = STIMULI * (STIMULI - 1) // 2
    # single precision, as model RDMs are: a few per cent of their dissimilarities are equal
    models = rng.normal(0.7, 0.1, (MODELS, pairs)).astype(np.float32)
    brains = rng.random((BRAINS, pairs))
    counts = resample_counts(STIMULI, DRAWS, seed=1)
    bootstrap_spearman(models[0, :3], brains[0, :3], np.ones((1, 3), int))  # compile, or load

    few = models[:FEW_MODELS], brains
    plain, plain_wall, plain_cpu = timed(written_out, *few, counts[:FEW_DRAWS])
    print(f"{FEW_MODELS} x {BRAINS} RDMs of {STIMULI} stimuli, {FEW_DRAWS} draws:")
    print(f"  ranked anew: {plain_wall:.2f} s, {plain_cpu:.2f} CPU s")
    fast, wall, cpu = timed(bootstrap_spearman, *few, counts[:FEW_DRAWS])
    _, _, sorting = timed(bootstrap_spearman, *few, counts[:1])
    further = (cpu - sorting) / (FEW_DRAWS - 1)
    print(f"  bootstrap_spearman: {wall:.2f} s, {cpu:.2f} CPU s, most of it to sort, once")
    print(f"  {plain_cpu / cpu:.0f} times less CPU, sorting included")
    print(f"  {plain_cpu / FEW_DRAWS / further:.0f} times less CPU for every further draw")
    print(f"  largest difference {np.abs(plain - fast).max():.1e}")

    print(f"{MODELS} x {BRAINS} RDMs of {STIMULI} stimuli, {DRAWS} draws, {THREADS} threads:")
    anew = DRAWS * plain_cpu / FEW_DRAWS / (FEW_MODELS + BRAINS) * (MODELS + BRAINS)
    _, wall, cpu = timed(bootstrap_spearman, models, brains, counts, threads=THREADS)
    print(f"  {wall:.0f} s, {cpu:.0f} CPU s")
    print(f"  ranking anew would take {anew / cpu:.0f} times the CPU")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory {peak:.0f} MB, of which the RDMs are {_megabytes(models, brains):.0f}")
