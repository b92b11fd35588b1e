"""The stimulus bootstrap beside ranking every RDM anew in every draw.

`python benchmarks/bootstrap.py` prints the seconds of both, their ratio and largest difference.
"""

import time

import numpy as np
from scipy.stats import rankdata

from rulealign.rsa.bootstrap import bootstrap_spearman, resample_counts

MODELS, BRAINS, STIMULI, DRAWS = 100, 16, 92, 20


def written_out(models: np.ndarray, brains: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Correlate in each resample as it is written out, every RDM ranked anew."""
    first, second = np.triu_indices(STIMULI, 1)
    scores = []
    for count in counts:
        times = count[first] * count[second]
        ranked = [rankdata(np.repeat(rdms, times, axis=1), axis=1) for rdms in (models, brains)]
        centred = [r - r.mean(axis=1, keepdims=True) for r in ranked]
        model, brain = (r / np.linalg.norm(r, axis=1, keepdims=True) for r in centred)
        scores.append(model @ brain.T)
    return np.stack(scores)


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    pairs = STIMULI * (STIMULI - 1) // 2
    models, brains = rng.random((MODELS, pairs)), rng.random((BRAINS, pairs))
    counts = resample_counts(STIMULI, DRAWS, seed=1)
    seconds, scores = [], []
    for function in (written_out, bootstrap_spearman):
        start = time.perf_counter()
        scores.append(function(models, brains, counts))
        seconds.append(time.perf_counter() - start)
        print(f"{function.__name__}: {seconds[-1]:.2f} s, {MODELS} x {BRAINS} RDMs, {DRAWS} draws")
    difference = np.abs(scores[0] - scores[1]).max()
    print(f"{seconds[0] / seconds[1]:.1f} times faster, largest difference {difference:.1e}")
