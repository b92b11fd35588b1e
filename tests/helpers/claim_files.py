"""Hand-made universes of a small study: tables and draws whose every number is known."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd

from rulealign.claims.scores import KEYS
from rulealign.config.claims import FullTerm
from rulealign.config.universes import listed_axes
from rulealign.plan.settings.claims import (
    ClaimSettings,
    ClaimsSettings,
    FactsSettings,
    GridSettings,
)
from rulealign.store import write_csv, write_h5

STIMULI = [f"image_{place:02d}" for place in range(12)]
SUBJECTS, DRAWS, STUDY_SEED, INTERVAL = 6, 120, 3, 0.9
GRID = {
    "crossed": ["size", "descriptor"],
    "network": ["cnn3"],
    "stimuli": ["grey"],
    "size": [224, 32],
    "descriptor": ["global-average", "grid-8"],
    "centring": ["uncentred"],
    "pairs": ["all"],
    "convention": ["per_subject", "mean_rdm"],
    "comparison": ["spearman", "pearson"],
    "control": ["none", "pixels"],
    "baseline": ["own", "untrained_bn"],
    "initialisation": {"default": {}, "normal": {"bp": "bp_normal"}},
}
SEEDS = {
    "bp": [1, 2, 3, 4, 5],
    "fa": [1, 2, 3],
    "untrained_bn": [1, 2, 3, 4, 5],
    "bp_normal": [1, 2],
}
FACTS = FactsSettings(
    trains={rule: rule != "untrained_bn" for rule in SEEDS},
    seeds=SEEDS,
    initial={rule: "normal" if rule == "bp_normal" else "default" for rule in SEEDS},
    networks={rule: ["cnn3"] for rule in SEEDS},
    layers={},
    vectors={"cnn3": ["fc1"]},
    generalise_to="stimuli",
)


def grid(universes=GRID):
    """Give a grid as jobs are told it, from a section `universes`."""
    values = {axis: list(universes[axis]) for axis in listed_axes(universes)}
    replaced = universes["initialisation"]
    return GridSettings(crossed=universes["crossed"], values=values, replacements=replaced)


def claim(label, plus, minus, **changes):
    """Declare a claim of conv1 with V1; terms are (rule, epoch)."""
    terms = {
        "plus": [FullTerm(*(*term, "conv1", "V1")[:4]) for term in plus],
        "minus": [FullTerm(*(*term, "conv1", "V1")[:4]) for term in minus],
    }
    about = {"label": label, "statement": f"{label} is so", "layer": ["conv1"], "roi": ["V1"]}
    kind = {"direction": "negative", "smallest_effect": None, "family": "all"}
    kind["smallest_effect_reason"] = None
    return ClaimSettings(**about | terms | kind | changes)


DROP = claim("drop", [("bp", 1)], [("bp", 0)])
LESS = claim("less", [("fa", 1), ("bp", 0)], [("fa", 0), ("bp", 1)], direction="positive")


def settings(*claims, goal="stimuli", universes=GRID, interval=INTERVAL):
    """Give the settings of the evaluation of some claims."""
    return ClaimsSettings(
        study_seed=STUDY_SEED,
        bootstrap_draws=DRAWS,
        interval=interval,
        generalise_to=goal,
        grid=grid(universes),
        claims=list(claims),
        facts=replace(FACTS, generalise_to=goal),
    )


ANALYSES = [
    ("per_subject", "all", "spearman", "none"),
    ("mean_rdm", "all", "spearman", "none"),
    ("per_subject", "all", "pearson", "none"),
    ("per_subject", "all", "spearman", "pixels"),
]
"""Convention, pairs, comparison and control that every rule is scored in."""

VIEWS = list(itertools.product(("grey",), (32, 224), ("global-average", "grid-8"), ("uncentred",)))
"""Stimulus set, size, descriptor and centring that every rule is scored in."""


def keys(rule, views=VIEWS, more=()):
    """List every row of a rule: each analysis in each view, at each seed and epoch."""
    analyses = [*ANALYSES, *more]
    epochs = (0,) if rule == "untrained_bn" else (0, 1)
    for seed, epoch, (stimuli, size, descriptor, centring), one in itertools.product(
        SEEDS[rule], epochs, views, analyses
    ):
        yield ("cnn3", rule, seed, epoch, stimuli, size, "conv1", descriptor, centring, "V1", *one)


def scores(rule, views=VIEWS, more=()):
    """Give every row of a rule a score per subject and draw: about .05 per epoch, and noise."""
    rng = np.random.default_rng(sum(map(ord, rule)))
    rows = list(keys(rule, views, more))
    level = np.array([0.2 - 0.05 * key[3] * rule.startswith("bp") for key in rows])
    people = level[:, None] + rng.normal(0, 0.02, (len(rows), SUBJECTS))
    draws = people + rng.normal(0, 0.03, (DRAWS, len(rows), SUBJECTS))
    return rows, people, draws.astype(np.float32)


def without_each(rule, people):
    """Give every row and subject a score without each stimulus, about as varied as the draws."""
    rng = np.random.default_rng(2 + sum(map(ord, rule)))
    common = rng.normal(0, 0.003, (len(STIMULI), len(people), 1))
    return people + common + rng.normal(0, 0.002, (len(STIMULI), *people.shape))


def write(
    folder,
    rule,
    *,
    change=None,
    reasons=None,
    study_seed=STUDY_SEED,
    stimuli=STIMULI,
    views=VIEWS,
    more=(),
    goal="stimuli",
    shuffles=None,
):
    """Write table, draws and alignment of one rule; `change(rows, subjects)` may alter the scores.

    `shuffles`, shape (number, rows), are scores with shuffled stimuli. Rows whose key contains a
    value of `reasons` have no score but that reason.
    """
    rows, people, subject_draws = scores(rule, views, more)
    if change is not None:
        before = people.copy()
        people = change(rows, people)
        subject_draws = subject_draws + (people - before).astype(np.float32)
    table = pd.DataFrame(rows, columns=list(KEYS))
    draws = subject_draws.mean(axis=2)
    tail = 50 * (1 - INTERVAL)
    table["n_stimuli"], table["n_pairs"], table["n_subjects"] = len(stimuli), 66, SUBJECTS
    table["score"] = people.mean(axis=1)
    table["low"], table["high"] = np.percentile(draws, [tail, 100 - tail], axis=0)
    table["reason"] = [_reason(row, reasons or {}) for row in rows]
    without = table["reason"].notna().to_numpy()
    table.loc[without, ["score", "low", "high"]] = np.nan
    names = ["_".join(map(str, row)) for row in rows]
    paths = [folder / f"rule-{rule}_roi-V1{end}" for end in ("_universes.csv", "_d.h5", ".csv")]
    write_csv(paths[0], table)
    left_out = without_each(rule, people)
    arrays = {"draws": draws, "left_out": left_out.mean(axis=2)}
    ids = {"row": [name for name, odd in zip(names, without, strict=True) if not odd]}
    ids |= {"stimulus": stimuli}
    if goal != "stimuli":
        arrays |= {"subject_draws": subject_draws, "subject_left_out": left_out}
        ids |= {"subject": [f"{place:02d}" for place in range(SUBJECTS)]}
    if shuffles is not None:
        arrays["shuffles"] = shuffles.astype(np.float32)
    arrays = {name: values[:, ~without] for name, values in arrays.items()}
    if goal != "stimuli":
        arrays |= {"subject_scores": people[~without]}
    made_with = {"study_seed": study_seed, "bootstrap_draws": DRAWS, "interval": INTERVAL}
    made_with |= {"generalise_to": goal, "shuffles": 0 if shuffles is None else len(shuffles)}
    about = {"pairs_hash_all": "everything"}
    write_h5(paths[1], arrays, ids=ids, settings=made_with, attributes=about)
    aligned = table[(table["comparison"] == "spearman") & (table["control"] == "none")]
    write_csv(paths[2], aligned.drop(columns="reason"))
    return paths


def _reason(row, reasons):
    return next((why for value, why in reasons.items() if value in row), None)


def write_ceilings(folder, **changes):
    """Write the noise ceiling of V1: clear of chance, but for what is changed."""
    row = {"roi": "V1", "pairs": "all", "lower": 0.2, "null_lower_high": 0.05}
    row |= {"informative": True, "reason": "", "n_subjects": SUBJECTS}
    row |= {"informative_by": "lower bound of the noise ceiling", "reliability": np.nan}
    row |= {"null_reliability_high": np.nan} | changes
    rows = [row, row | {"pairs": "cross_run"}]
    write_csv(folder / "ceilings.csv", pd.DataFrame(rows))
    return folder / "ceilings.csv"


def write_all(folder, rules=tuple(SEEDS), goal="stimuli", **changes):
    """Write every rule; give tables, draws, alignments, encodings and ceilings for `evaluate`."""
    made = [write(folder, rule, goal=goal, **changes.get(rule, {})) for rule in rules]
    return [*(list(paths) for paths in zip(*made, strict=True)), [], [write_ceilings(folder)]]
