"""The stimulus bootstrap beside ranking every RDM anew in every draw.

`python benchmarks/bootstrap.py` prints the seconds of both on the same RDMs and draws, their ratio
and largest difference, then the seconds of a draw at full size, and of 1,000 such draws.
"""

import time

import numpy as np
from scipy.stats import rankdata

from rulealign.rsa.bootstrap import bootstrap_spearman, resample_counts

MODELS, BRAINS, STIMULI, DRAWS = 200, 18, 720, 20
FEW_MODELS, FEW_BRAINS, FEW_DRAWS = 16, 4, 8


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


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    pairs = STIMULI * (STIMULI - 1) // 2
    # single precision, as model RDMs are: a few per cent of their dissimilarities are equal
    models = rng.normal(0.7, 0.1, (MODELS, pairs)).astype(np.float32)
    brains = rng.random((BRAINS, pairs))
    counts = resample_counts(STIMULI, DRAWS, seed=1)
    bootstrap_spearman(models[0, :3], brains[0, :3], np.ones((1, 3), int))  # compile, or load

    few = models[:FEW_MODELS], brains[:FEW_BRAINS]
    plain, plain_wall, plain_cpu = timed(written_out, *few, counts[:FEW_DRAWS])
    print(f"{FEW_MODELS} x {FEW_BRAINS} RDMs of {STIMULI} stimuli, {FEW_DRAWS} draws:")
    print(f"  ranked anew: {plain_wall:.2f} s, {plain_cpu:.2f} CPU s")
    fast, wall, cpu = timed(bootstrap_spearman, *few, counts[:FEW_DRAWS])
    print(f"  bootstrap_spearman: {wall:.2f} s, {cpu:.2f} CPU s, most of it to sort, once")
    print(f"  {plain_cpu / cpu:.0f} times less CPU")
    print(f"  largest difference {np.abs(plain - fast).max():.1e}")

    print(f"{MODELS} x {BRAINS} RDMs of {STIMULI} stimuli:")
    anew = plain_cpu / FEW_DRAWS / (FEW_MODELS + FEW_BRAINS) * (MODELS + BRAINS)
    for threads in (1, 2):
        _, *one = timed(bootstrap_spearman, models, brains, counts[:1], threads=threads)
        _, *every = timed(bootstrap_spearman, models, brains, counts, threads=threads)
        wall, cpu = ((e - o) / (DRAWS - 1) for e, o in zip(every, one, strict=True))
        print(f"  {threads} threads: {1e3 * wall:.0f} ms, {1e3 * cpu:.0f} CPU ms a further draw")
        print(f"  1,000 draws: {one[0] + 999 * wall:.0f} s, {one[1] + 999 * cpu:.0f} CPU s")
        print(f"  ranking anew would take {1000 * anew / (one[1] + 999 * cpu):.0f} times the CPU")
