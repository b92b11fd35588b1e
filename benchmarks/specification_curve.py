"""What specification curves cost: 300 universes, 1,000 draws, 92 stimuli, 5 seeds, 15 subjects.

`python benchmarks/specification_curve.py` prints the CPU seconds of the primary intervals of 300
universes, of their joint null (no difference) and of the test; and of scoring 40 RDMs against 15
subjects with shuffled stimuli 1,000 times (no alignment), which is done once per universe in which
RDMs are compared in another way.
"""

import time
from functools import partial

import numpy as np
import pandas as pd

from rulealign.claims.specification_curve import median_test, no_difference, shared_noise
from rulealign.claims.universes.analyses import Brains, analyse
from rulealign.claims.universes.inputs import UniverseSet
from rulealign.claims.universes.shuffles import shuffled_orders, shuffled_scores
from rulealign.config.universes import NO_CONTROL
from rulealign.rsa.bootstrap.primary import (
    BOTH,
    Effect,
    primary_interval,
    seed_variance,
    variance_parts,
)
from rulealign.rsa.model_rdms import MODEL_KEYS, ModelRdms

UNIVERSES, DRAWS, STIMULI, SEEDS, SUBJECTS, RDMS = 300, 1000, 92, 5, 15, 40


def effects(rng: np.random.Generator) -> list[Effect]:
    """Make up the effects of all universes."""
    for _ in range(UNIVERSES):
        parts = (rng.normal(0, 0.02, (n, SEEDS, SUBJECTS)) for n in (1, DRAWS, STIMULI))
        scores, drawn, left_out = parts
        yield Effect(scores[0], drawn, left_out / STIMULI**0.5)


def curve(rng: np.random.Generator) -> None:
    """Time intervals, null and test of one curve."""
    seeds, spent = range(SEEDS), dict.fromkeys(("intervals", "null", "test"), 0.0)
    noise, found = shared_noise(1, DRAWS, seeds, SUBJECTS), []
    for effect in effects(rng):
        start = time.process_time()
        of_seed = seed_variance(effect.scores.mean(axis=1))
        interval = primary_interval(effect, BOTH, 0.95, of_seed)
        middle = time.process_time()
        parts = variance_parts(effect, BOTH, of_seed)
        found.append(no_difference(effect, interval, parts, seeds, noise))
        spent["intervals"] += middle - start
        spent["null"] += time.process_time() - middle
    start = time.process_time()
    median_test(found)
    spent["test"] = time.process_time() - start
    print(f"{UNIVERSES} universes:", ", ".join(f"{what} {s:.1f} s" for what, s in spent.items()))


def level(rng: np.random.Generator) -> None:
    """Time scores with shuffled stimuli."""
    n_pairs = STIMULI * (STIMULI - 1) // 2
    index = pd.DataFrame(
        [["bp", n, 0, "grey", 32, "conv1", "grid-8", "centred"] for n in range(RDMS)]
    )
    ids = [f"image_{place}" for place in range(STIMULI)]
    models = ModelRdms(index.set_axis(MODEL_KEYS, axis=1), ids, rng.random((RDMS, n_pairs)))
    rdms = rng.random((SUBJECTS, n_pairs))
    names = [f"subject {n}" for n in range(SUBJECTS)]
    brains = Brains(rdms, np.full((SUBJECTS, 1), 1 / SUBJECTS), names, np.ones((1, STIMULI)), None)
    analysed = partial(
        analyse,
        UniverseSet(models, None),
        analysis=("spearman", NO_CONTROL),
        layers=["conv1"],
        work_mb=512,
        threads=1,
    )
    for shuffles in (10, DRAWS):  # what is compiled is compiled before
        start = time.process_time()
        shuffled_scores(
            brains, shuffled_orders(1, STIMULI, shuffles), lambda many: analysed(brains=many)
        )
        print(f"{shuffles} shuffles: {time.process_time() - start:.1f} s")


if __name__ == "__main__":
    curve(np.random.default_rng(0))
    level(np.random.default_rng(1))
