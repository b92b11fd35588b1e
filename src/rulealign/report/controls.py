"""Controls beside layers: what images alone reach, in the same panels and in a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from rulealign.errors import DataError
from rulealign.report.formatting import missing, score
from rulealign.report.tabulate import Table
from rulealign.rsa.compare import require_same_pairs_kind

if TYPE_CHECKING:
    from rulealign.config.evaluation import View

_COLUMNS = ["control", "roi", "convention", "pairs", "score", "low", "high", "reason"]


def at_view(
    controls: pd.DataFrame | None,
    view: View,
    beside: pd.DataFrame,
    convention: str = "per_subject",
) -> pd.DataFrame:
    """Take the controls that belong beside some alignments.

    Args:
        controls: the table `statistics/controls.csv`; None where the study has none.
        view: what is shown; controls have no descriptor to choose.
        beside: the alignments of that view.
        convention: per_subject or mean_rdm.

    Returns:
        The table's rows; none where the study has no controls.

    Raises:
        DataError: the study has controls, but none of this view.
        GuardError: the controls are over other pairs than the alignments.
    """
    if controls is None:
        return pd.DataFrame(columns=_COLUMNS)
    wanted = {"stimuli": view.stimuli, "size": view.size, "centring": view.centring}
    wanted["convention"] = convention
    rows = controls[(controls[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    if rows.empty:
        raise DataError(f"the table of controls has no rows of {wanted}.")
    require_same_pairs_kind(rows["pairs"], beside["pairs"])
    return rows


def names(rows: pd.DataFrame) -> list[str]:
    """List the controls of some rows, each once, in the order of the table."""
    return list(dict.fromkeys(rows["control"]))


def of_roi(rows: pd.DataFrame, roi: str) -> dict[str, pd.Series]:
    """Take the controls' scores with one ROI.

    Args:
        rows: those of one view, as `at_view` gives them.
        roi: an ROI.

    Returns:
        control -> row, in the order of `names`; also of controls without a score, which have a
        reason.

    Raises:
        DataError: a control has not exactly one row for the ROI.
    """
    found = rows[rows["roi"] == roi]
    if sorted(found["control"]) != sorted(names(rows)):
        raise DataError(
            f"the table of controls has {sorted(found['control'])} for {roi}, not each of"
            f" {names(rows)} once."
        )
    by_name = {row["control"]: row for _, row in found.iterrows()}
    return {name: by_name[name] for name in names(rows)}


def caption(rows: pd.DataFrame, look: str) -> str:
    """Say what the controls of a figure are, and which ones the stimuli do not have.

    Args:
        rows: those of the figure's view.
        look: how they are drawn, such as "Thin grey lines".

    Returns:
        Plain text to be added to the figure's caption; empty where the study has no controls.
    """
    if rows.empty:
        return ""
    without = [f"{name} ({why})" for name, why in reasons(rows).items()]
    end = f" Without a score: {'; '.join(without)}." if without else ""
    return f" {look}: controls, which are features of the images alone, without a network.{end}"


def reasons(rows: pd.DataFrame) -> dict[str, str]:
    """Give control -> why it has no score, of those that have none."""
    without = rows[rows["score"].isna()]
    return dict(zip(without["control"], without["reason"], strict=True))


def tabulate(rows: pd.DataFrame, rois: Sequence[str], text: str) -> Table:
    """Tabulate the scores of controls.

    Args:
        rows: those of one view.
        rois: ROIs, one column each.
        text: the caption.

    Returns:
        A row per control; the caption says why a score is missing.
    """
    by_roi = [of_roi(rows, roi) for roi in rois]
    body = [[name, *(_cell(found[name]) for found in by_roi)] for name in names(rows)]
    without = "".join(f" No {name}: {why}." for name, why in reasons(rows).items())
    return Table(text + without, ["control", *rois], body)


def _cell(row: pd.Series) -> Markup:
    return missing("none") if pd.isna(row["score"]) else score(row)
