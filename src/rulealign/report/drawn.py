"""The result tables as figures draw them: rows of all settings, in words, with a place each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rulealign.errors import DataError
from rulealign.report import select
from rulealign.report.formatting import plain
from rulealign.rsa.compare import require_same_pairs_kind

if TYPE_CHECKING:
    from rulealign.config.evaluation import View
    from rulealign.plan.settings.report import FigureSettings

SETTINGS = ["stimuli", "size", "descriptor", "centring"]
"""What a view chooses; controls have no descriptor."""

PER_SUBJECT, MEAN_RDM = "mean of subjects", "mean RDM"
MEASURES = {"per_subject": PER_SUBJECT, "mean_rdm": MEAN_RDM}
"""Convention -> what is scored, in words; the score of one subject is called by the subject."""

_KEYS = [*select.COURSE_KEYS, *SETTINGS, "measure"]
_FAR = 2.5
"""A ceiling further up than this many times the scores' range would flatten their course."""


def scores(tables: Mapping[str, pd.DataFrame], lines: Sequence[str]) -> pd.DataFrame:
    """Put every score into the form that figures draw.

    Args:
        tables: `alignment` and, where subjects are drawn, `alignment_subjects`.
        lines: the rules that are drawn by themselves; the others are a band.

    Returns:
        A row per arm, epoch, layer, ROI, setting and measure. `x` is its place: checkpoints are
        evenly spaced, and rules stand side by side. A rule that does not train has its score at
        every epoch, and `held` is true where it was not measured. `last` marks each rule's last
        checkpoint, `line` the rules that are drawn by themselves.

    Raises:
        DataError: one of the rows appears twice.
        GuardError: they are over different kinds of pairs.
    """
    alignment = tables["alignment"]
    require_same_pairs_kind(alignment["pairs"], [])
    if alignment.duplicated([*select.COURSE_KEYS, *SETTINGS, "convention", "epoch"]).any():
        raise DataError("the alignment table has a score twice for one epoch.")
    rows = alignment.assign(measure=alignment["convention"].map(MEASURES))
    rows = pd.concat([rows, _of_subjects(tables.get("alignment_subjects"))], ignore_index=True)
    rows = placed(rows, lines, alignment["epoch"])
    return rows.sort_values([*_KEYS, "epoch"], kind="stable", ignore_index=True)


def placed(rows: pd.DataFrame, lines: Sequence[str], epochs: Sequence[int]) -> pd.DataFrame:
    """Give every row its place on an axis of checkpoints.

    Args:
        rows: with network, rule and epoch.
        lines: the rules that are drawn by themselves.
        epochs: all that some rule was measured at.

    Returns:
        The rows with `x`, `last`, `line`, `still` and `held`, as `scores` explains them.
    """
    last = rows["epoch"] == rows.groupby(["network", "rule"])["epoch"].transform("max")
    order = sorted(set(epochs))
    rows = _held(rows.assign(last=last), order)
    places = {epoch: place for place, epoch in enumerate(order)}
    aside = rows["rule"].map(dodge(lines)).fillna(0)
    return rows.assign(line=rows["rule"].isin(lines), x=rows["epoch"].map(places) + aside)


def over_seeds(rows: pd.DataFrame, keys: Sequence[str], column: str) -> pd.DataFrame:
    """Average a quantity over seeds.

    Args:
        rows: with `keys`, `seed` and the quantity.
        keys: what tells averages apart.
        column: the quantity; where it is missing, a seed counts for nothing.

    Returns:
        A row per value of the keys: `score` is the mean, `low` and `high` the lowest and the
        highest seed, `n_seeds` how many there are.

    Raises:
        DataError: a seed appears twice.
    """
    if rows.duplicated([*keys, "seed"]).any():
        raise DataError(f"the table of {column} has a seed twice.")
    found = rows.dropna(subset=column).groupby(list(keys), sort=False)[column]
    names = {"score": "mean", "low": "min", "high": "max", "n_seeds": "count"}
    return found.agg(**names).reset_index()


def dodge(names: Sequence[str]) -> dict[str, float]:
    """Return a small shift per name, so that intervals at one place stand side by side."""
    step = min(0.12, 0.6 / max(1, len(names)))
    middle = (len(names) - 1) / 2
    return {name: (place - middle) * step for place, name in enumerate(names)}


def _of_subjects(subjects: pd.DataFrame | None) -> pd.DataFrame:
    if subjects is None:
        return pd.DataFrame()
    keys = [*select.COURSE_KEYS, *SETTINGS, "epoch", "subject"]
    rows = subjects.groupby(keys, as_index=False)["score"].mean()
    return rows.assign(measure="subject " + rows["subject"].astype(str)).drop(columns="subject")


def _held(rows: pd.DataFrame, epochs: Sequence[int]) -> pd.DataFrame:
    # a network that does not train has one state, which stands for every epoch
    rows = rows.assign(held=False, still=rows["last"] & (rows["epoch"] == 0))
    still = rows[rows["still"]]
    copies = [still.assign(epoch=epoch, held=True, last=False) for epoch in epochs if epoch]
    return pd.concat([rows, *copies], ignore_index=True)


def ceilings(tables: Mapping[str, pd.DataFrame], rows: pd.DataFrame) -> pd.DataFrame:
    """Give the noise ceiling beside every set of courses, and whether it is within reach.

    Args:
        tables: `alignment` and `ceilings`.
        rows: as `scores` gives them.

    Returns:
        A row per network, layer, ROI and setting of the measure that ceilings hold for: bounds,
        `near`, false where the band would flatten the courses, and `words`, without their arrow as
        `upright_words`.

    Raises:
        GuardError: the ceilings are of other pairs or another convention than the scores.
    """
    of_means = tables["alignment"]
    held = select.bounds(tables["ceilings"], of_means[of_means["convention"] == "per_subject"])
    own = rows[rows["line"] & (rows["measure"] == PER_SUBJECT)]
    keys = [key for key in _KEYS if key != "rule"]
    reach = own.groupby(keys, as_index=False).agg(floor=("low", "min"), top=("high", "max"))
    columns = ["roi", "lower", "upper", "null_upper_high", "informative"]
    found = reach.merge(held[columns], on="roi")
    low, high = np.fmin(0, found["floor"]), np.fmax(0, found["top"])
    found["near"] = (found["upper"] <= low + _FAR * (high - low)) & found["upper"].notna()
    found["upright_words"] = [_words(row) for _, row in found.iterrows()]
    further = found["upper"].notna() & ~found["near"]
    found["words"] = found["upright_words"].where(~further, "↑ " + found["upright_words"])
    return found.drop(columns=["floor", "top"])


def _words(ceiling: pd.Series) -> str:
    if pd.isna(ceiling["upper"]):
        return "1 subject: no noise ceiling"
    bounds = f"noise ceiling {plain(ceiling['lower'])} to {plain(ceiling['upper'])}"
    known = "not informative" if pd.notna(ceiling["null_upper_high"]) else "without a null"
    return bounds if ceiling["informative"] else f"{bounds}, {known}"


def controls(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Put the scores of controls into the form that figures draw.

    Args:
        tables: `alignment` and, where the study has any, `controls`.

    Returns:
        A row per control, ROI, setting and measure; none where the study has no controls.

    Raises:
        DataError: a score appears twice.
        GuardError: they are over other pairs than the alignments.
    """
    if "controls" not in tables:
        return pd.DataFrame(columns=["control", "score"])
    rows = tables["controls"]
    require_same_pairs_kind(rows["pairs"], tables["alignment"]["pairs"])
    if rows.duplicated(["control", "roi", "convention", "stimuli", "size", "centring"]).any():
        raise DataError("the table of controls has a score twice.")
    return rows.assign(measure=rows["convention"].map(MEASURES))


def of_alignment(
    tables: Mapping[str, pd.DataFrame], told: FigureSettings
) -> dict[str, pd.DataFrame]:
    """Give the data that figures of alignment draw, of every setting.

    Args:
        tables: `alignment`, `ceilings` and, where there are any, `alignment_subjects`, `controls`.
        told: rules, pairs of layer and ROI, and views.

    Returns:
        Name -> table, as the functions of this module give them.

    Raises:
        DataError: a score appears twice, or a panel has none.
        GuardError: ceilings or controls are of other pairs or another convention than the scores.
    """
    rows = scores(tables, told.lines)
    known = rows.dropna(subset="score")
    for pair in told.layer_map:
        if not (known[list(pair._fields)] == list(pair)).all(axis=1).any():
            raise DataError(f"the alignment table has no scores of {', '.join(pair)}.")
    return {"scores": rows, "ceilings": ceilings(tables, rows), "controls": controls(tables)}


def at_view(data: Mapping[str, pd.DataFrame], view: View) -> dict[str, pd.DataFrame]:
    """Take the rows that a figure in one view can show.

    Args:
        data: as `of_alignment` gives it.
        view: what is shown.

    Returns:
        Name -> table.

    Raises:
        DataError: there is no score of this view.
    """
    found = {name: rows[_shown(rows, view)] for name, rows in data.items()}
    if found["scores"].empty:
        raise DataError(f"the alignment table has no rows for {select.words(view)}.")
    return found


def _shown(rows: pd.DataFrame, view: View) -> pd.Series:
    shown = pd.Series(True, index=rows.index)
    for name, value in view.model_dump().items():
        if name in rows:
            allowed = [value, select.NO_SPACE] if name == "descriptor" else [value]
            shown &= rows[name].isin(allowed)
    return shown
