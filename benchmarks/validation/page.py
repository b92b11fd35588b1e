"""docs/validation.md: prose from a template, every number from the data sets."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pandas as pd
from jinja2 import Environment, StrictUndefined

from rulealign.atomic import whole
from validation import tables
from validation.curves import curve_lines
from validation.other_settings import (
    OtherSetting,
    met_of_others,
    met_of_primary,
    other_table,
    primary_table,
)
from validation.tables import Truths
from validation.verdicts import MET, Line, variance_ratios
from validation.world import OF_BOTH, Setting

TEMPLATE = "templates/validation.md.j2"


def write_page(
    rows: pd.DataFrame,
    truths: Truths,
    setting: Setting,
    others: Sequence[OtherSetting],
    output: Path,
    curves: pd.DataFrame | None = None,
) -> None:
    """Write the page.

    Args:
        rows: of `measuring.measured_sets`.
        truths: of `measuring.kept_truths`.
        setting: of the simulation.
        others: of `other_settings.measured_others`; at least one.
        output: the Markdown file to make.
        curves: of `measuring.measured_sets`, of the kind `curves.CURVES`; by default the page has
            no section about them.

    Raises:
        DataError: a number is missing from the rows, or not finite.
        StoreError: the disk is full.
    """
    lines = {
        "intervals": tables.interval_lines(rows, truths),
        "many": tables.many_lines(rows, truths),
        "nulls": tables.null_lines(rows),
        "seeds": tables.seed_lines(rows),
        "ceilings": tables.ceiling_lines(rows, truths),
    }
    if curves is not None:
        lines["curves"] = curve_lines(curves)
    judged = [line for part in lines.values() for line in part if line.verdict]
    text = (
        _environment()
        .from_string(_template())
        .render(
            **{name: table(part) for name, part in lines.items()},
            curve_sets=0 if curves is None else len(curves),
            setting=setting,
            sets=len(rows),
            missed=[line for line in judged if line.verdict != MET],
            judged=len(judged),
            methods=method_table(lines["intervals"]),
            others=other_table(others),
            other_met=met_of_others(others),
            primary_others=primary_table(others),
            primary_met=met_of_primary(others),
            other_sets=len(others[0].rows),
            variances=variance_table(rows),
            truths=truth_table(truths),
        )
    )
    with whole(output) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _environment() -> Environment:
    return Environment(undefined=StrictUndefined, keep_trailing_newline=True)


def _template() -> str:
    return files("validation").joinpath(TEMPLATE).read_text(encoding="utf-8")


def table(lines: Sequence[Line]) -> str:
    """Write lines as a Markdown table; verdicts that are no success are bold.

    Args:
        lines: of `tables`.

    Returns:
        The table, without a newline at its end.
    """
    written = ["| quantity | target | seen | sets | verdict |", "|---|---|---|---|---|"]
    for line in lines:
        verdict = line.verdict if line.verdict in ("", MET) else f"**{line.verdict}**"
        cells = (line.quantity, line.target, line.seen, str(line.sets), verdict)
        written.append(f"| {' | '.join(cells)} |")
    return "\n".join(written)


def method_table(lines: Sequence[Line]) -> str:
    """Count, interval by interval, how many of its quantities it covers as often as it should.

    Args:
        lines: of `tables.interval_lines`.

    Returns:
        A Markdown table.
    """
    written = ["| interval | in the table of claims | quantities | covered in 95 ± 3% |"]
    written.append("|---|---|---|---|")
    for method, called in tables.METHODS.items():
        own = [line for line in lines if line.quantity.startswith(f"{method}: ")]
        met = sum(line.verdict == MET for line in own)
        written.append(f"| {method} | {called} | {len(own)} | {met} |")
    return "\n".join(written)


def variance_table(rows: pd.DataFrame) -> str:
    """Write how far variances are from those that the data sets show.

    Args:
        rows: of `measuring.measured_sets`.

    Returns:
        A Markdown table.
    """
    written = ["| interval over | quantity | bootstrap / seen | corrected / seen |"]
    written.append("|---|---|---|---|")
    for what, names, kinds in (
        ("stimuli", list(tables.WORDS), ("percentile", "corrected")),
        ("stimuli and subjects", OF_BOTH, ("crossed", "crossed corrected")),
    ):
        for name, bootstrap, corrected in variance_ratios(rows, names, kinds):
            words = f"| {what} | {tables.WORDS[name]} |"
            written.append(f"{words} {bootstrap:.2f} | {corrected:.2f} |")
    return "\n".join(written)


def truth_table(truths: Truths) -> str:
    """Write the truths with their standard errors.

    Args:
        truths: of `measuring.kept_truths`.

    Returns:
        A Markdown table.
    """
    names = ("true", "other", "difference", "network")
    head = " | ".join(("truth", *(tables.WORDS[name] for name in names)))
    written = [f"| {head} |", "|---|---|---|---|---|"]
    for kind, values in truths.items():
        if f"{kind}, error" in truths:
            errors = truths[f"{kind}, error"]
            cells = [f"{values[name]:.4f} ± {errors[name]:.4f}" for name in names]
            if kind == "same stimuli":
                cells[-1] = "not asked for"
            written.append(f"| {' | '.join((kind, *cells))} |")
    return "\n".join(written)
