"""What z-scoring patterns within a set of stimuli does to variances over stimuli.

`python benchmarks/zscoring.py [sets]` simulates data sets of weak noise (setting "weak noise" of
docs/validation.md) with the pipeline's z-scored patterns, and with patterns as they were measured,
and prints the bootstrap's and the corrected variance of the scores over the variance that was seen
over the sets, with its standard error: 500 sets take 17 minutes of CPU.

A resample of RDMs keeps the mean pattern that was subtracted from all stimuli of the set; another
set of stimuli has another one.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np

from rulealign.rsa.rdm import correlation_rdm
from validation import data_sets
from validation.other_settings import OTHERS
from validation.road import stimulus_names
from validation.tables import WORDS
from validation.world import Setting, generator

SETTING = replace(Setting(), **OTHERS["weak noise"])


def as_measured(setting, subjects, _folder):
    """Compute the RDMs of signal and noise, in place of `road.brain_rdms`: no voxel is z-scored."""
    rdms = []
    for number, signal in enumerate(subjects.signals):
        noise = generator(setting, "noise", *subjects.noise, number, "x").standard_normal(
            signal.shape
        )
        ids = stimulus_names(len(signal))
        rdms.append(correlation_rdm(signal + setting.noise * noise, centred=False, ids=ids))
    return SimpleNamespace(rdms=np.stack(rdms)), []


def tell(what, rows):
    """Print each quantity's variances over the one that was seen."""
    for name, words in WORDS.items():
        scores = np.array([row[f"percentile {name} score"] for row in rows])
        seen, centred = scores.var(ddof=1), scores - scores.mean()
        ratios = [
            np.mean([row[f"{method} {name} variance"] for row in rows]) / seen
            for method in ("percentile", "corrected")
        ]
        # of a variance, by the kurtosis
        error = np.sqrt(((centred**4).mean() / seen**2 - 1) / len(rows))
        print(
            f"{what}, {words}: bootstrap / seen {ratios[0]:.2f}, corrected / seen {ratios[1]:.2f}"
            f" (standard error {error:.2f})"
        )


if __name__ == "__main__":
    sets = range(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
    with tempfile.TemporaryDirectory() as folder:
        z_scored = [data_sets.fixed_subjects(SETTING, number, Path(folder)) for number in sets]
        with patch.object(data_sets, "brain_rdms", as_measured):
            measured = [data_sets.fixed_subjects(SETTING, number, Path(folder)) for number in sets]
    tell("z-scored", z_scored)
    tell("as measured", measured)
