"""Did each rule learn? The judgement of the table of diagnostics (guard 11)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from rulealign.errors import DataError

STILL = 0.01
"""|W - W0| / |W0| below which a conv layer counts as not moved."""

ERRORS_ABOVE_CHANCE = 3
"""Binomial standard errors by which accuracy must exceed chance."""

MOSTLY_DEAD = 0.5
"""Share of dead units above which a layer's scores rest on a remnant of it."""


@dataclass(frozen=True)
class Verdict:
    """Whether a rule learned, at its last checkpoint.

    Attributes:
        trained: whether it has been trained at all.
        still: (layer, change) of every conv layer that did not move, change of the seed with least.
        at_chance: (seed, accuracy) of every network that is not clearly above chance.
        words: the same in words.
    """

    trained: bool
    still: tuple[tuple[str, float], ...]
    at_chance: tuple[tuple[int, float], ...]
    words: str

    @property
    def doubtful(self) -> bool:
        """Whether it was trained, and did not learn."""
        return self.trained and bool(self.still or self.at_chance)


def learned(table: pd.DataFrame, rules: Sequence[str]) -> dict[str, Verdict]:
    """Judge every rule by its conv layers, which must move, and its accuracy, by no chance.

    Args:
        table: rows of `tables.diagnostics_table`, of one network.
        rules: labels.

    Returns:
        label -> verdict, in this order. A rule that teaches the readout alone is named too: its
        conv layers do not move, by design or not.

    Raises:
        DataError: the table has no rows of a rule.
    """
    for rule in rules:
        if rule not in set(table["rule"]):
            raise DataError(f"the table of diagnostics has no rows of rule '{rule}'.")
    return {rule: _judge(table[table["rule"] == rule]) for rule in rules}


def _judge(rows: pd.DataFrame) -> Verdict:
    last = rows[rows["epoch"] == rows["epoch"].max()]
    if not rows["trains"].all():
        return Verdict(False, (), (), "does not train")
    if last["epoch"].iloc[0] == 0:
        return Verdict(False, (), (), "not trained yet: epoch 0 is its only checkpoint")
    conv = last[last["convolution"]]
    # skipna: a change that is NaN must count as not moved
    least = conv.groupby("layer", sort=False)["weight_change"].agg(lambda v: v.min(skipna=False))
    still = tuple((layer, change) for layer, change in least.items() if not change >= STILL)
    at_chance = tuple(
        (row["seed"], row["held_out_accuracy"])
        for _, row in last.drop_duplicates("seed").iterrows()
        if not row["held_out_accuracy"] > above_chance(row["chance"], row["held_out_images"])
    )
    return Verdict(True, still, at_chance, _words(still, at_chance, len(least)))


def above_chance(chance: float, images: int) -> float:
    """Give the accuracy that guessing exceeds less than about once in 700 times.

    Args:
        chance: p, accuracy of guessing.
        images: n, images that accuracy is measured on.

    Returns:
        p + 3 sqrt(p (1 - p) / n).
    """
    return chance + ERRORS_ABOVE_CHANCE * math.sqrt(chance * (1 - chance) / images)


def _words(
    still: Sequence[tuple[str, float]], at_chance: Sequence[tuple[int, float]], layers: int
) -> str:
    reasons = []
    if still:
        named = ", ".join(f"{layer} {100 * change:.2f}%" for layer, change in still)
        which = "conv layers do not move" if len(still) == layers else "not all conv layers move"
        reasons.append(f"{which} ({named})")
    if at_chance:
        named = ", ".join(f"seed {seed} {100 * value:.1f}%" for seed, value in at_chance)
        reasons.append(f"accuracy at chance ({named})")
    return f"does not learn: {'; '.join(reasons)}" if reasons else "learns"


def mostly_dead(table: pd.DataFrame, rule: str) -> dict[str, float]:
    """List the layers of which most units are dead, at a trained rule's last checkpoint.

    Args:
        table: rows of `tables.diagnostics_table`.
        rule: a label.

    Returns:
        layer -> share of dead units, 0.5 to 1, in mean over seeds; none for a rule that does not
        train.
    """
    rows = table[(table["rule"] == rule) & table["trains"]]
    shares = rows[rows["epoch"] == rows["epoch"].max()].groupby("layer")["dead_units"].mean()
    return shares[shares > MOSTLY_DEAD].to_dict()


def silent_words(table: pd.DataFrame, rule: str, remedy: str) -> list[str]:
    """Say which layers of a rule are mostly dead, and which of its settings leaves fewer.

    What helps is known of fully connected layers alone; see docs/rules.md for what was measured.

    Args:
        table: rows of `tables.diagnostics_table`.
        rule: a label.
        remedy: the rule's `RuleSettings.fewer_dead_units`.

    Returns:
        Such as "89% of the units of <layer> are dead; to have fewer, lower readout_learning_rate";
        none where no layer is.
    """
    said, convolutions = [], set(table.loc[table["convolution"], "layer"])
    for layer, share in mostly_dead(table, rule).items():
        helps = f"; to have fewer, {remedy}" if remedy and layer not in convolutions else ""
        said.append(f"{share:.0%} of the units of {layer} are dead{helps}")
    return said


def warnings(table: pd.DataFrame, remedies: Mapping[str, str]) -> list[str]:
    """Write a line for every arm that did not learn, and for every layer that fell silent.

    Args:
        table: rows of `tables.diagnostics_table`.
        remedies: label of every rule -> as in `silent_words`.

    Returns:
        Lines, none where all learned.
    """
    lines = []
    for network, own in table.groupby("network", sort=False):
        there = [rule for rule in remedies if rule in set(own["rule"])]
        whose = {rule: f"WARNING: network '{network}', rule '{rule}'" for rule in there}
        verdicts = learned(own, there).items()
        lines += [f"{whose[rule]} {one.words}" for rule, one in verdicts if one.doubtful]
        for rule in there:
            said = silent_words(own, rule, remedies[rule])
            lines += [f"{whose[rule]}: {words}" for words in said]
    return lines
