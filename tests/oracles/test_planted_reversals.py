"""A claim that one choice of analysis turns round: it has to be found, and the choice named."""

import itertools

import numpy as np
import pandas as pd
import pytest

import claim_files
from claim_files import DROP
from rulealign.claims.evaluate import evaluate

PLAIN = {
    "network": "cnn3",
    "stimuli": "grey",
    "size": 224,
    "descriptor": "global-average",
    "centring": "uncentred",
    "convention": "per_subject",
    "pairs": "all",
    "comparison": "spearman",
    "control": "none",
    "baseline": "own",
    "initialisation": "default",
}
"""One universe: a value of every axis."""

ONE = {axis: [value] for axis, value in PLAIN.items()}
ONE |= {"crossed": [], "initialisation": {"default": {}}}
"""A grid of it alone."""


CROSS_RUN = ("per_subject", "cross_run", "spearman", "none")


def evaluated(folder, grid, others=None, goal="stimuli", **changes):
    """Evaluate the fall of bp over a grid: the tables of universes and of claims.

    `changes` are made to bp, those of `others` (rule -> changes) to rules that it is held against.
    """
    rules = {"bp": changes} | (others or {})
    folder.mkdir(exist_ok=True)
    files = claim_files.write_all(folder, tuple(rules), goal, **rules)
    made = [folder / f"{name}.csv" for name in ("claims", "summary", "curves")]
    evaluate(*files, claim_files.settings(DROP, universes=grid, goal=goal), *made)
    return [pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in made[:2]]


def raised(value):
    """Turn the first epoch's fall into a rise, in the rows with one value only."""

    def change(rows, people):
        up = np.array([0.1 * (row[3] == 1 and value in row) for row in rows])
        return people + up[:, None]

    return change


@pytest.mark.parametrize(
    ("axis", "value", "other", "words", "first_words"),
    [
        ("stimuli", "magenta", "grey", "with stimuli magenta", "with stimuli grey"),
        ("size", 32, 224, "at 32 px", "at 224 px"),
        ("descriptor", "grid-8", "global-average", "with grid-8", "with global-average"),
        ("centring", "centred", "uncentred", "centred", "uncentred"),
        ("convention", "mean_rdm", "per_subject", "with the mean RDM", "with each subject's RDM"),
        ("pairs", "cross_run", "all", "over cross-run pairs", "over all pairs"),
        ("comparison", "pearson", "spearman", "by Pearson's r", "by Spearman's ρ"),
        ("control", "pixels", "none", "with pixels partialled out", "without a control"),
    ],
)
def test_a_planted_reversal_is_found_and_named(tmp_path, axis, value, other, words, first_words):
    grid = ONE | {axis: [other, value]}
    shown = ("stimuli", "size", "descriptor", "centring")
    views = list(itertools.product(*(grid[name] for name in shown)))
    claims, summary = evaluated(tmp_path, grid, change=raised(value), views=views, more=[CROSS_RUN])
    assert claims.set_index(axis)["verdict"].to_dict() == {other: "holds", value: "reversed"}
    assert summary["summary"].item() == (
        f"holds {first_words}; reversed {words} (holds in 1 of 2 universes)"
    )


@pytest.mark.parametrize(
    ("axis", "value", "other", "words", "first_words"),
    [
        ("size", 32, 224, "at 32 px", "at 224 px"),
        ("descriptor", "grid-8", "global-average", "with grid-8", "with global-average"),
    ],
)
def test_a_planted_reversal_is_found_in_every_universe_of_a_crossed_grid(
    tmp_path, axis, value, other, words, first_words
):
    grid = {**claim_files.GRID, "baseline": ["own"], "initialisation": {"default": {}}}
    claims, summary = evaluated(tmp_path, grid, change=raised(value))
    assert set(claims.loc[claims[axis] == value, "verdict"]) == {"reversed"}
    assert set(claims.loc[claims[axis] == other, "verdict"]) == {"holds"}
    counts = summary[["holds", "reversed", "unresolved", "missing"]]
    assert counts.iloc[0].tolist() == [8, 8, 0, 0]
    assert summary["summary"].item() == (
        f"holds {first_words}; reversed {words} (holds in 8 of 16 universes)"
    )


def raised_after_an_epoch(rows, people):
    return people + np.array([0.1 * row[3] for row in rows])[:, None]


def lowered(rows, people):
    return people - 0.1


@pytest.mark.parametrize(
    ("axis", "values", "rule", "change", "words", "first_words"),
    [
        # calibration alone makes the fall: the network that has it lies below bp after an epoch
        (
            "baseline",
            ["own", "untrained_bn"],
            "untrained_bn",
            lowered,
            "against untrained_bn",
            "against its own epoch 0",
        ),
        (
            "initialisation",
            {"default": {}, "normal": {"bp": "bp_normal"}},
            "bp_normal",
            raised_after_an_epoch,
            "with initialisation normal",
            "with initialisation default",
        ),
    ],
)
def test_a_reversal_by_another_network_is_found_and_named(
    tmp_path, axis, values, rule, change, words, first_words
):
    grid = ONE | {axis: values}
    claims, summary = evaluated(tmp_path, grid, {rule: {"change": change}})
    verdicts = claims.set_index(axis)["verdict"].to_dict()
    first, other = values
    assert verdicts == {first: "holds", other: "reversed"}
    assert summary["summary"].item() == (
        f"holds {first_words}; reversed {words} (holds in 1 of 2 universes)"
    )


def test_a_fall_in_one_person_alone_does_not_hold_for_other_people(tmp_path):
    # the first person's fall makes the mean, which resampled stimuli keep as it is
    def one_person(rows, people):
        after = np.array([row[3] == 1 for row in rows])
        changed = people + 0.05 * after[:, None]  # takes the planted fall back
        changed[after, 0] -= 0.05 * people.shape[1]
        return changed

    verdicts = {"stimuli": "holds", "subjects": "unresolved", "both": "unresolved"}
    for goal, verdict in verdicts.items():
        claims, _ = evaluated(tmp_path / goal, ONE, goal=goal, change=one_person)
        assert claims["verdict"].item() == verdict
        assert claims["effect"].item() == pytest.approx(-0.05, abs=0.01)


def test_a_claim_about_levels_is_not_settled_by_growth(tmp_path):
    # bp lies .1 above fa before training, and neither changes: a claim that bp ends up higher is
    # true, one that training made it so is not
    def higher(rows, people):
        return people + np.array([0.1 + 0.05 * row[3] for row in rows])[:, None]

    level = claim_files.claim("level", [("bp", 1)], [("fa", 1)], direction="positive")
    growth = claim_files.claim(
        "growth", [("bp", 1), ("fa", 0)], [("bp", 0), ("fa", 1)], direction="positive"
    )
    files = claim_files.write_all(tmp_path, ("bp", "fa"), bp={"change": higher})
    made = [tmp_path / f"{name}.csv" for name in ("claims", "summary", "curves")]
    evaluate(*files, claim_files.settings(level, growth, universes=ONE), *made)
    claims = pd.read_csv(made[0]).set_index("claim")
    assert claims["verdict"].to_dict() == {"level": "holds", "growth": "unresolved"}
    assert claims["effect"].to_dict() == pytest.approx({"level": 0.1, "growth": 0}, abs=0.02)
