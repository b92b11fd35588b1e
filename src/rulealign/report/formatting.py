"""The one place where a number of the result tables becomes text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import urlencode

import pandas as pd
from markupsafe import Markup, escape

NOT_MEASURED = "not measured"
DIGITS = 3
"""Decimals of a correlation."""


def plain(value: float, digits: int = DIGITS) -> str:
    """Write a number for a figure or a caption.

    Args:
        value: from a result table.
        digits: decimals.

    Returns:
        The number, rounded once, with a true minus sign; "not measured" where it is missing.
    """
    return NOT_MEASURED if pd.isna(value) else f"{value:z.{digits}f}".replace("-", "−")


def plain_p(p: float) -> str:
    """Write a p-value for a figure or a caption: "0.012", or "< 0.001" where it is not 0."""
    return f"< {10**-DIGITS:.{DIGITS}f}" if 0 < p < 0.5 * 10**-DIGITS else plain(p)


def with_ends(value: float, low: float, high: float) -> str:
    """Write a number with its interval as plain text.

    Args:
        value: from a result table.
        low: lower end of its interval.
        high: upper end.

    Returns:
        Text such as "0.123 [0.101, 0.145]".
    """
    return f"{plain(value)} [{plain(low)}, {plain(high)}]"


def counted(counts: Iterable[int], one: str, many: str) -> str:
    """Write how many of a thing there are.

    Args:
        counts: a number, or several where they differ, such as those of different rules; none is 0.
        one: the thing's name in the singular.
        many: its name in the plural.

    Returns:
        Text such as "1 seed", "5 seeds" or "1, 2 or 5 seeds".
    """
    numbers = [str(count) for count in sorted(set(counts))] or ["0"]
    several = f"{', '.join(numbers[:-1])} or {numbers[-1]}" if len(numbers) > 1 else numbers[0]
    return f"{several} {one if numbers == ['1'] else many}"


def number(value: float, digits: int = DIGITS, reason: str = NOT_MEASURED) -> Markup:
    """Write a number for the page, with the table's own value in the markup.

    Args:
        value: from a result table.
        digits: decimals.
        reason: what to write where it is missing.

    Returns:
        A `<data>` element, or the reason.
    """
    if pd.isna(value):
        return missing(reason)
    # item(): numpy's numbers write themselves with their type
    exact = value.item() if hasattr(value, "item") else value
    return Markup('<data value="{}">{}</data>').format(repr(exact), plain(value, digits))


def p_value(p: float) -> Markup:
    """Write a p-value for the page, as `number` and `plain_p` do."""
    if pd.isna(p):
        return missing(NOT_MEASURED)
    return Markup('<data value="{}">{}</data>').format(repr(float(p)), plain_p(p))


def percent(fraction: float, reason: str = NOT_MEASURED) -> Markup:
    """Write a fraction as a percentage with one decimal, as `number` does."""
    if pd.isna(fraction):
        return missing(reason)
    exact = float(fraction)
    return Markup('<data value="{}">{}</data>%').format(repr(exact), plain(100 * exact, 1))


def missing(reason: str) -> Markup:
    """Write why there is no number."""
    return Markup('<span class="missing">{}</span>').format(escape(reason))


def score(row: pd.Series) -> Markup:
    """Write a score with its interval.

    Args:
        row: with score, low and high.

    Returns:
        Markup such as "0.123 [0.101, 0.145]".
    """
    if pd.isna(row["score"]):
        return missing(NOT_MEASURED)
    return Markup('{} <span class="interval">[{}, {}]</span>').format(
        number(row["score"]), number(row["low"]), number(row["high"])
    )


def curve_link(claim: str) -> Markup:
    """Link a claim's name to its specification curve, which the page's address names."""
    address = urlencode({"claim": json.dumps(claim)})
    return Markup('<a href="#?{}">{}</a>').format(address, claim)
