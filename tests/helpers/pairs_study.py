"""A small study with runs: trials, brain and model RDMs, and the pairs in different runs."""

from dataclasses import replace

import numpy as np
import pandas as pd

import score_settings
from rulealign.arm import Arm
from rulealign.rsa.alignment import align
from rulealign.rsa.pairs import write_pairs
from rulealign.store import write_h5

N = 12
PAIRS = N * (N - 1) // 2
IDS = [f"concept{place:02d}_01b.jpg" for place in range(N)]
SCORES = replace(score_settings.SCORES, pairs="cross_run")
SEEDS = (42, 7)
LAYERS = ("conv1/grid-8/centred", "fc1/vector/centred")


def trials(subject, ids=IDS, per_run=3):
    """List one subject's trials: each image once, in an order of the subject's own."""
    order = np.random.default_rng(int(subject)).permutation(ids)
    run = np.arange(len(order)) // per_run
    table = pd.DataFrame({"stimulus": order, "trial_type": "train", "subject_id": subject})
    table["concept"] = [name.rpartition("_")[0] for name in order]
    return table.assign(session=1 + run // 2, run=1 + run % 2, trial_id=np.arange(len(order)))


def trial_files(folder, subjects=("1", "2", "3")):
    """Write the trials of some subjects."""
    for subject in subjects:
        path = folder / f"sub-{subject}_trials.csv"
        trials(subject).to_csv(path, index=False)
        yield path


def pairs_file(folder, name="pairs.h5", subjects=("1", "2", "3")):
    """Write the pairs in different runs."""
    write_pairs(list(trial_files(folder, subjects)), "first-exemplar", folder / name)
    return folder / name


def brain_rdms(roi="V1"):
    """Give three subjects' RDMs, some dissimilarities negative, some equal."""
    return np.random.default_rng(len(roi)).normal(size=(3, PAIRS)).round(1)


def brain_files(folder, roi="V1"):
    """Write the RDMs of one ROI."""
    for subject, rdm in enumerate(brain_rdms(roi), start=1):
        path = folder / f"sub-{subject}_roi-{roi}_rdm.h5"
        about = {"subject": str(subject), "roi": roi, "distance": "crossnobis"}
        about |= {"acquisition": "3T", "repetitions": 1}
        write_h5(path, {"rdm": rdm}, ids={"stimulus": IDS}, settings={}, attributes=about)
        yield path


def model_rdm(rule, seed, name):
    """Give one layer's RDM, with equal dissimilarities."""
    place = 100 * len(rule) + 10 * seed + LAYERS.index(name)
    return np.random.default_rng(place).random(PAIRS).round(2).astype(np.float32)


def model_files(folder, rule):
    """Write the RDMs of one rule's networks."""
    for seed in SEEDS:
        path = folder / f"rule-{rule}_seed-{seed}.h5"
        keys = {
            "network": "cnn3",
            "rule": rule,
            "seed": seed,
            "epoch": 0,
            "stimuli": "shown",
            "size": 32,
        }
        arrays = {name: model_rdm(rule, seed, name) for name in LAYERS}
        write_h5(path, arrays, ids={"stimulus": IDS}, settings={}, attributes=keys)
        yield path


def run(folder, pairs_path, rule="bp", **changed):
    """Align one rule with V1; give the table and the draws."""
    settings = score_settings.alignment(SCORES, **changed)
    table = folder / f"rule-{rule}_roi-V1.csv"
    draws = table.with_name(f"{table.stem}_draws.h5")
    models, brains = list(model_files(folder, rule)), list(brain_files(folder))
    align(models, brains, Arm("cnn3", rule), "V1", settings, table, draws, pairs_path)
    return table, draws
