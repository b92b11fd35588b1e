"""The tables of docs/validation.md: which lines they have, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from validation.new_networks import INTERVALS, ONLY
from validation.truths import SCORES
from validation.verdicts import (
    Line,
    artefact_line,
    bound_lines,
    coverage_line,
    error_line,
    uniform_line,
)
from validation.world import OF_BOTH, OF_SUBJECTS

WORDS = {
    "true": "score of the true model",
    "other": "score of another model",
    "difference": "their difference",
    "network": "mean score of a rule's networks",
    "null": "difference of two equally good rules",
}
"""What has an interval, in words."""

METHODS = {
    "stimulus bootstrap, percentiles": "percentile_low, percentile_high",
    "stimuli, corrected variance": "primary: stimuli, these seeds only",
    "stimuli and networks": "primary: stimuli, seeds",
    "subjects": "as published",
    "crossed, stimuli and subjects": "crossed_low, crossed_high",
    "stimuli and subjects, corrected variance": "no column: `benchmarks/validation/corrected.py`",
    "stimuli, subjects and networks": "primary: stimuli, subjects, seeds",
}
"""Kinds of intervals, in words -> what the table of claims calls them."""

Truths = Mapping[str, Mapping[str, float]]
"""Kind of truth -> what -> its value."""


def named_truths(values: object) -> dict[str, float]:
    """Name the values of `truths.truth`, and add the difference that is 0 by construction.

    Args:
        values: in the order of `truths.SCORES`.

    Returns:
        What -> its value.
    """
    return dict(zip(SCORES, map(float, values), strict=True)) | {"null": 0.0}


def interval_lines(rows: pd.DataFrame, truths: Truths) -> list[Line]:
    """Judge every interval by the truth at this number of stimuli.

    Args:
        rows: of `data_sets.measured`.
        truths: of the kinds `fixed subjects`, `new subjects` and `same stimuli`.

    Returns:
        The lines, method by method.
    """
    methods = (
        ("percentile", "fixed subjects", tuple(WORDS)),
        ("corrected", "fixed subjects", tuple(WORDS)),
        ("primary", "fixed subjects", ("network", "null")),
        ("subjects", "same stimuli", OF_SUBJECTS),
        ("crossed", "new subjects", OF_BOTH),
        ("crossed corrected", "new subjects", OF_BOTH),
        ("primary both", "new subjects", ("null",)),
    )
    return [
        coverage_line(rows, f"{method} {name}", truths[kind][name], f"{words}: {WORDS[name]}")
        for (method, kind, names), words in zip(methods, METHODS, strict=True)
        for name in names
    ]


def many_lines(rows: pd.DataFrame, truths: Truths) -> list[Line]:
    """Judge the intervals over stimuli by the truth of many stimuli instead.

    Args:
        rows: of `data_sets.measured`.
        truths: of the kinds `fixed subjects, many` and `new subjects, many`.

    Returns:
        The lines.
    """
    names = ("true", "other", "difference", "network")
    kinds = {
        "percentile": ("fixed subjects, many", names),
        "corrected": ("fixed subjects, many", names),
    }
    kinds |= dict.fromkeys(("crossed", "crossed corrected"), ("new subjects, many", OF_SUBJECTS))
    return [
        coverage_line(
            rows,
            f"{method} {name}",
            truths[kind][name],
            f"of many stimuli, {method}: {WORDS[name]}",
        )
        for method, (kind, own) in kinds.items()
        for name in own
    ]


def null_lines(rows: pd.DataFrame) -> list[Line]:
    """Judge p-values of true nulls, one by one and in families.

    Args:
        rows: of `data_sets.measured`.

    Returns:
        The lines.
    """
    p_values = {
        "p sign-flip": "`p_seeds`: sign-flip test over networks, randomised",
        "p primary": "`p`: stimuli and networks, difference of two rules",
        "p lower bound": "permutations, lower bound of the ceiling, randomised",
        "p upper bound": "permutations, upper bound of the ceiling, randomised",
    }
    lines = [uniform_line(rows, name, words) for name, words in p_values.items()]
    families = {
        "sign-flip": "`p_seeds`",
        "primary": "`p`",
    }
    for family, words in families.items():
        for how in ("holm", "benjamini-hochberg", "unadjusted"):
            quantity = f"family of claims by {words}, {how}: any rejection"
            promised = how != "unadjusted"
            lines.append(error_line(rows, f"family {family} {how}", quantity, promised=promised))
    intervals = {
        "primary": "the primary interval over stimuli",
        "primary both": "the primary interval over stimuli and subjects",
        "percentile": "percentiles",
        "crossed": "the published crossed interval",
        "crossed corrected": "stimuli and subjects, these seeds only",
    }
    for kind, words in intervals.items():
        quantity = f"claim about a true null, by {words}: holds or reversed"
        promised = kind.startswith("primary")
        lines.append(error_line(rows, f"verdict {kind}", quantity, promised=promised))
    return lines


def seed_lines(rows: pd.DataFrame) -> list[Line]:
    """Judge primary intervals of a true null where some networks are better than others.

    Args:
        rows: of `data_sets.measured`.

    Returns:
        The lines; intervals of these seeds only are there to compare with.
    """
    lines = []
    for goal, seeds in INTERVALS:
        line = coverage_line(rows, f"{goal} {seeds}", 0.0, f"generalises to {goal}, {seeds}")
        lines.append(replace(line, target="(to compare)", verdict="") if seeds == ONLY else line)
    return lines


def ceiling_lines(rows: pd.DataFrame, truths: Truths) -> list[Line]:
    """Judge the noise ceiling, and the artefact of run order.

    Args:
        rows: of `data_sets.measured`.
        truths: of the kind `fixed subjects`.

    Returns:
        The lines.
    """
    lines = bound_lines(rows, truths["fixed subjects"]["true"])
    measures = {
        "agreement": "agreement (lower bound)",
        "time": "score of the first subject's order in time",
    }
    orders = {"own": "each an own order", "shared": "all one order"}
    for measure, words in measures.items():
        for order, whose in orders.items():
            for pairs in ("all", "cross_run"):
                planted = pairs == "all" and (order == "shared" or measure == "time")
                quantity = f"noise and run drift, {whose}: {words}, pairs `{pairs}`"
                name = f"{measure} {order} {pairs}"
                lines.append(artefact_line(rows, name, quantity, raised=planted))
    return lines
