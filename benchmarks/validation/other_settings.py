"""Intervals where noise is weaker or stronger, and stimuli are fewer or more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from validation.measuring import (
    find_truth_of_fixed_subjects,
    kept_truths,
    measured_sets,
)
from validation.tables import WORDS, Truths, seed_lines
from validation.verdicts import MET, Line, coverage_line, variance_ratios
from validation.world import Setting

OTHERS: Mapping[str, Mapping[str, float]] = {
    "weak noise": {"noise": 0.5, "network_noise": 0.5},
    "strong noise": {"noise": 4.0},
    "fewer stimuli": {"stimuli": 40},
    "more stimuli": {"stimuli": 160},
}
"""Name -> what differs from the setting of the page."""

METHODS = ("percentile", "corrected")
"""Intervals over stimuli, as `data_sets.fixed_subjects` names them."""

KIND = "fixed subjects"
"""The kind of data sets that intervals over stimuli are about."""

NETWORKS = "new networks"
"""The kind of data sets that primary intervals are about."""


@dataclass(frozen=True)
class OtherSetting:
    """Data sets of another setting.

    Attributes:
        name: of `OTHERS`.
        setting: of the simulation.
        rows: of `measuring.measured_sets`, of the kinds `KIND` and `NETWORKS`.
        truths: of `measuring.kept_truths`, of the kind `KIND`.
    """

    name: str
    setting: Setting
    rows: pd.DataFrame
    truths: Truths


def measured_others(setting: Setting, sets: int, jobs: int, folder: Path) -> list[OtherSetting]:
    """Measure data sets of every other setting, and keep them.

    Args:
        setting: that of the page, from which the others differ as `OTHERS` says.
        sets: data sets of each.
        jobs: processes; changes no number.
        folder: of what is kept.

    Returns:
        The settings, in the order of `OTHERS`.

    Raises:
        DataError: what was kept is of another setting or other code.
        StoreError: the disk is full.
    """
    found = []
    for name, differs in OTHERS.items():
        print(f"{name}: {said(differs)}", flush=True)
        other, stem = replace(setting, **differs), name.replace(" ", "_")
        truths = kept_truths(other, folder / f"truths_{stem}.json", find_truth_of_fixed_subjects)
        rows = measured_sets(other, sets, jobs, folder / f"sets_{stem}.csv", (KIND, NETWORKS))
        found.append(OtherSetting(name, other, rows, truths))
    return found


def said(differs: Mapping[str, float]) -> str:
    """Say how a setting differs, such as "stimuli 40"."""
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in differs.items())


def other_lines(other: OtherSetting) -> dict[str, list[Line]]:
    """Judge the intervals of one setting.

    Args:
        other: of `measured_others`.

    Returns:
        Method -> a line for each quantity of `tables.WORDS`.
    """
    truths = other.truths[KIND]
    return {
        method: [
            coverage_line(other.rows, f"{method} {name}", truths[name], words)
            for name, words in WORDS.items()
        ]
        for method in METHODS
    }


def met_of_others(others: Sequence[OtherSetting]) -> dict[str, str]:
    """Count the quantities that each kind of interval covers as often as it should.

    Args:
        others: of `measured_others`.

    Returns:
        Method -> words such as "18 of 20", over all settings.
    """
    lines = [other_lines(other) for other in others]
    found = {method: [line for one in lines for line in one[method]] for method in METHODS}
    return {
        method: f"{sum(line.verdict == MET for line in own)} of {len(own)}"
        for method, own in found.items()
    }


def other_table(others: Sequence[OtherSetting]) -> str:
    """Write the coverage of the intervals in other settings; what misses its target is bold.

    Args:
        others: of `measured_others`.

    Returns:
        A Markdown table, without a newline at its end.
    """
    written = [
        "| setting | quantity | percentiles | corrected | bootstrap / seen | corrected / seen |",
        "|---|---|---|---|---|---|",
    ]
    for other in others:
        lines = zip(*other_lines(other).values(), strict=True)
        ratios = variance_ratios(other.rows, list(WORDS), METHODS)
        what = f"{other.name} ({said(OTHERS[other.name])})"
        for both, (_, *ratio) in zip(lines, ratios, strict=True):
            cells = [
                what,
                both[0].quantity,
                *map(_seen, both),
                *(f"{value:.2f}" for value in ratio),
            ]
            written.append(f"| {' | '.join(cells)} |")
    return "\n".join(written)


def _seen(line: Line) -> str:
    # what is there to compare with has no verdict
    return line.seen if line.verdict in ("", MET) else f"**{line.seen}**"


def primary_table(others: Sequence[OtherSetting]) -> str:
    """Write how often primary intervals cover a true null in other settings; misses are bold.

    Args:
        others: of `measured_others`.

    Returns:
        A Markdown table with a column for each setting, without a newline at its end.
    """
    names = [f"{other.name} ({said(OTHERS[other.name])})" for other in others]
    written = [f"| quantity | {' | '.join(names)} |", f"|---|{'---|' * len(others)}"]
    for lines in zip(*(seed_lines(other.rows) for other in others), strict=True):
        cells = [lines[0].quantity, *map(_seen, lines)]
        written.append(f"| {' | '.join(cells)} |")
    return "\n".join(written)


def met_of_primary(others: Sequence[OtherSetting]) -> str:
    """Count the primary intervals that cover a true null as often as they should.

    Args:
        others: of `measured_others`.

    Returns:
        Words such as "39 of 40", over all settings.
    """
    lines = [line for other in others for line in seed_lines(other.rows) if line.verdict]
    return f"{sum(line.verdict == MET for line in lines)} of {len(lines)}"
