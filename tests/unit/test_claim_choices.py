"""Which layer the terms of a universe chose: that of its own networks, view and pairs."""

import itertools

import pandas as pd
import pytest

from rulealign.claim_grid import Score, Universe
from rulealign.claims.choices import judge_choice
from rulealign.errors import DataError

AXES = {
    "stimuli": ["grey", "white"],
    "px": [32, 224],
    "among": ["global-average", "grid-8"],
    "centring": ["uncentred", "centred"],
    "convention": ["per_subject", "mean_rdm"],
    "pairs": ["all", "cross_run"],
}
NAMES = {"size": "px", "descriptor": "among"}
FIRST = {
    "layer": "nested",
    "comparison": "spearman",
    "control": "none",
    **{name: AXES[NAMES.get(name, name)][0] for name in ("stimuli", "size", "descriptor")},
    **{name: AXES[name][0] for name in ("centring", "convention", "pairs")},
}
CLAIM = {"layer": ["conv1"]}
EPOCHS, SEEDS = (0, 1), (1, 2, 3)


def table(conv1):
    """Choose conv1 in a share `conv1(row)` of the folds of each row, else fc1."""
    rows = []
    for seed, epoch, values in itertools.product(SEEDS, EPOCHS, itertools.product(*AXES.values())):
        row = {"seed": seed, "epoch": epoch, **dict(zip(AXES, values, strict=True))}
        for layer, share in (("conv1", conv1(row)), ("fc1", 1 - conv1(row))):
            rows.append({**row, "layer": layer, "chosen": float(share), "reason": None})
    return {("bp", "V1"): pd.DataFrame(rows)}


def universe(seeds=(1, 2), **choices):
    weights = {Score("bp", 1, "conv1", "V1"): 1.0, Score("bp", 0, "conv1", "V1"): -1.0}
    return Universe(FIRST | choices, weights, list(seeds), False, "")


@pytest.mark.parametrize("axis", AXES)
def test_a_choice_is_that_of_the_universes_own_rows(axis):
    first, other = AXES[axis]
    name = {column: axis for axis, column in NAMES.items()}.get(axis, axis)
    choices = table(lambda row: row[axis] == first)
    refused, chosen = judge_choice(CLAIM, universe(), choices)
    assert refused == ""
    assert chosen.count("conv1 for bp at epoch") == 2
    assert chosen.count("(in 100% of the folds or more)") == 2
    refused, chosen = judge_choice(CLAIM, universe(**{name: other}), choices)
    assert refused.startswith("the claim names conv1; chosen was fc1 for bp at epoch 1")
    assert chosen == ""


@pytest.mark.parametrize(("share", "taken"), [(0.95, True), (0.9, True), (0.85, False)])
def test_every_network_must_have_chosen_the_layer_nearly_always(share, taken):
    # one network of one epoch; on average over seeds the share is larger
    mixed = {"seed": 1, "epoch": 0}
    choices = table(lambda row: share if mixed.items() <= row.items() else 1)
    refused, chosen = judge_choice(CLAIM, universe(), choices)
    assert (refused == "") == taken
    said = f"conv1 for bp at epoch 0 (in {share:.0%} of the folds or more)"
    assert said in (chosen if taken else refused)


def test_pairs_over_which_nothing_was_chosen_are_a_reason():
    rows = table(lambda row: True)["bp", "V1"]
    choices = {("bp", "V1"): rows[rows["pairs"] == "all"]}
    refused, _ = judge_choice(CLAIM, universe(pairs="cross_run"), choices)
    assert refused == "which layers were chosen is known over all pairs only"


def test_only_seeds_that_the_universe_takes_choose():
    choices = table(lambda row: row["seed"] == 3)
    assert judge_choice(CLAIM, universe(seeds=(3,)), choices)[0] == ""
    assert "chosen was fc1" in judge_choice(CLAIM, universe(seeds=(1, 2)), choices)[0]


def test_terms_that_chose_different_layers_are_not_compared():
    choices = table(lambda row: row["epoch"] == 1)
    refused, _ = judge_choice(CLAIM, universe(), choices)
    assert refused.startswith("the terms chose different layers, which are not compared: conv1")


@pytest.mark.parametrize(("axis", "value"), [("comparison", "pearson"), ("control", "pixels")])
def test_choices_are_known_of_plain_scores_only(axis, value):
    refused, _ = judge_choice(CLAIM, universe(**{axis: value}), table(lambda row: True))
    assert (
        refused == f"which layers were chosen is known of plain scores only, not with this {axis}"
    )


def test_a_fixed_layer_chooses_nothing():
    assert judge_choice(CLAIM, universe(layer="fixed"), {}) == ("", "")


def test_a_seed_whose_choice_is_not_there_is_not_left_out():
    with pytest.raises(DataError, match=r"of bp with V1 for .* with each of the seeds \[1, 9\]"):
        judge_choice(CLAIM, universe(seeds=(1, 9)), table(lambda row: True))


def test_a_choice_that_is_not_there_is_named():
    with pytest.raises(DataError, match="no choice among layers of bp with V1 for epoch 1, .*5"):
        judge_choice(CLAIM, universe(size=5), table(lambda row: True))
