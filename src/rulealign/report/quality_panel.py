"""The section "Brain data quality" of the report page: what was found, first; then the tables."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from rulealign.report.formatting import missing, number
from rulealign.report.quality import rois_of
from rulealign.report.tabulate import Table
from rulealign.rsa.quality.rows import filled

_NAMED = 8  # other ROIs or sessions that a finding names
_MANY = 15  # pairs of subjects that get a row each

_PER_RUN = ("runs in a session", "trials in a run")
_ROI_COLUMNS = {
    "voxels": ("voxels", "number", 0),
    "median noise ceiling, single trial, %": ("noise_ceiling", "median nc_singletrial", 1),
    "median noise ceiling, test images, %": ("noise_ceiling", "median nc_testset", 1),
    "faulty voxels": ("faulty_voxels", None, 0),
    "duplicated trials": ("duplicated_trials", "copies", 0),
    "neighbours": ("lag_test", "difference", 3),
    "t": ("lag_test", "t", 1),
    "other runs": ("lag", "other runs", 3),
    "peak at shift": ("shift_test", "peak", 0),
}


@dataclass(frozen=True)
class Panel:
    """What the section shows.

    Attributes:
        findings: what was flagged, in plain words.
        notes: what is worth knowing, and no fault.
        acquisition: (term, text) of what the files state.
        tables: id -> table; only those that there is something for.
        trials: whether there were single trials to check.
    """

    findings: list[str]
    notes: list[str]
    acquisition: list[tuple[str, str]]
    tables: dict[str, Table]
    trials: bool


def panel(table: pd.DataFrame) -> Panel:
    """Put the table of quality checks into words and tables.

    Args:
        table: `statistics/quality.csv`, as read back.

    Returns:
        The content of the section.
    """
    table = filled(table)
    given = table["check"] == "acquisition"
    made = {
        "table-trials": _structure(table[table["check"] == "trials"]),
        "table-repetitions": _repetitions(table[table["check"] == "repetitions"]),
        "table-rois": _rois(table),
        "table-agreement": _agreement(table[table["check"] == "agreement"]),
        "table-orders": _orders(table[table["check"].str.startswith("order_")]),
    }
    return Panel(
        findings=_grouped(table[table["flagged"]]),
        notes=_grouped(table[~table["flagged"] & ~given & (table["finding"] != "")]),
        acquisition=_acquisition(table[given]),
        tables={name: one for name, one in made.items() if one.rows},
        trials=bool((table["check"] == "trials").any()),
    )


def _grouped(rows: pd.DataFrame) -> list[str]:
    # the same of several ROIs or sessions is said once; the tables have the others' numbers
    said = []
    # ... but numbers of voxels differ from ROI to ROI
    alone = rows["roi"].where(rows["check"] == "voxels", "")
    for _, own in rows.groupby(["check", "subject", "other", alone], sort=False):
        first, *others = own.to_dict("records")
        if first["check"].startswith("order_"):
            also = [one["item"] for one in others]
        else:
            also = [f"in {one['roi']}" if one["roi"] else one["item"] for one in others]
        names = list(dict.fromkeys(also))
        rest = f"; {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        more = f" (also {'; '.join(names[:_NAMED])}{rest})" if names else ""
        said.append(f"{first['finding']}{more}.")
    return said


def _acquisition(rows: pd.DataFrame) -> list[tuple[str, str]]:
    facts = []
    for subject, own in rows[rows["subject"] != ""].groupby("subject"):
        facts.append((subject, "; ".join(own["finding"])))
    for _, row in rows[rows["subject"] == ""].iterrows():
        facts.append((", ".join(row["roi"].split()), row["finding"]))
    return facts


def _lookup(rows: pd.DataFrame, check: str, item: str | None) -> float:
    found = rows[(rows["check"] == check) & ((rows["item"] == item) | (item is None))]["value"]
    return found.sum() if item is None and len(found) else _only(found)


def _only(values: pd.Series) -> float:
    return values.iloc[0] if len(values) else float("nan")


def _structure(rows: pd.DataFrame) -> Table:
    plain = ["sessions", "runs", "trials", "train trials", "test trials", "images"]
    body = []
    for subject, own in rows.groupby("subject"):
        value = own.set_index("item")["value"]
        ranges = [_range(value[f"fewest {what}"], value[f"most {what}"], 0) for what in _PER_RUN]
        body.append([subject, *ranges, *(number(value[item], 0) for item in plain)])
    head = ["subject", "runs per session", "trials per run", *plain]
    return Table("Trial and run structure, as read from the tables of trials.", head, body)


def _range(low: float, high: float, digits: int) -> Markup:
    if low == high:
        return number(low, digits)
    return Markup("{} to {}").format(number(low, digits), number(high, digits))


def _repetitions(rows: pd.DataFrame) -> Table:
    shown, averaged = rows[rows["roi"] == ""], rows[rows["roi"] != ""]
    times = sorted(set(shown["item"]), key=int)
    body = []
    for subject, own in shown.groupby("subject"):
        counts = own.set_index("item")["value"]
        cells = [number(counts.get(one, 0), 0) for one in times]
        mine = averaged.loc[averaged["subject"] == subject, "value"]
        digits = 0 if (mine % 1 == 0).all() else 2
        body.append([subject, *cells, _range(mine.min(), mine.max(), digits)])
    head = ["subject", *(f"images shown {_times(one)}" for one in times)]
    caption = "How often images were shown, and how many trials each pattern of an RDM rests on."
    return Table(caption, [*head, "trials per stimulus of the RDMs"], body)


def _times(count: str) -> str:
    return {"1": "once", "2": "twice"}.get(count, f"{count} times")


def _rois(table: pd.DataFrame) -> Table:
    body = []
    for roi in rois_of(table, "voxels"):
        for subject, own in table[table["roi"] == roi].groupby("subject"):
            cells = [_cell(own, name) for name in _ROI_COLUMNS]
            body.append([f"{roi}, {subject}", *cells])
    caption = (
        "Voxels and single trials. Neighbours: dissimilarity of trials that follow each other in a"
        " run, minus what a straight line through longer lags foretells, with its t over runs."
        " Other runs: dissimilarity of trials in different runs, minus that of trials in one run."
        " Peak at shift: by how many trials labels must be moved so that they fit best."
    )
    return Table(caption, ["ROI, subject", *_ROI_COLUMNS], body)


def _cell(own: pd.DataFrame, name: str) -> Markup:
    check, item, digits = _ROI_COLUMNS[name]
    value = _lookup(own, check, item)
    reason = {"peak at shift": "no signal", "neighbours": "runs too short"}.get(name, "not there")
    shown = number(value, digits, reason)
    rows = own[(own["check"] == check) & ((own["item"] == item) | (item is None))]
    if name == "voxels" and rows["expected"].notna().any() and value != _only(rows["expected"]):
        return Markup("{} ({} expected)").format(shown, number(_only(rows["expected"]), 0))
    return Markup("<strong>⚠ {}</strong>").format(shown) if rows["flagged"].any() else shown


def _agreement(rows: pd.DataFrame) -> Table:
    pairs = rows.groupby(["subject", "other"]).ngroups
    body = []
    for roi, of_roi in rows.groupby("roi", sort=False):
        by_item = {item: own["value"] for item, own in of_roi.groupby("item")}
        items = [by_item.get(item, pd.Series(dtype=float)) for item in ("all", "cross_run", "drop")]
        if pairs > _MANY:
            body.append([roi, f"{pairs} pairs", *map(_spread, items)])
            continue
        for (one, other), own in of_roi.groupby(["subject", "other"], sort=False):
            body.append([roi, f"{one} and {other}", *_pair(own.set_index("item"))])
    caption = (
        "Agreement between subjects: Spearman’s ρ of their RDMs, on all pairs of stimuli and on"
        " pairs that are in different runs for every subject"
        + ("; mean [lowest, highest]." if pairs > _MANY else ".")
    )
    head = ["ROI", "subjects", "all pairs", "different runs", "drop"]
    return Table(caption, head, body)


def _spread(values: pd.Series) -> Markup:
    if values.empty:
        return missing("no runs known")
    return Markup('{} <span class="interval">[{}, {}]</span>').format(
        number(values.mean()), number(values.min()), number(values.max())
    )


def _pair(own: pd.DataFrame) -> list[Markup]:
    cells = [
        number(own["value"].get(item, float("nan")), reason="stimuli have no one run")
        for item in ("all", "cross_run", "drop")
    ]
    if own["flagged"].any():
        cells[-1] = Markup("<strong>⚠ {}</strong>").format(cells[-1])
    return cells


def _orders(rows: pd.DataFrame) -> Table:
    body = []
    for (one, other), own in rows.groupby(["subject", "other"], sort=False):
        order, same = (own[own["check"] == f"order_{what}"] for what in ("correlation", "same_run"))
        most = (same["value"] - same["expected"]).idxmax()
        flagged = own["flagged"].any()
        strongest = number(order["value"].max())
        strongest = Markup("<strong>⚠ {}</strong>").format(strongest) if flagged else strongest
        runs = Markup("{} ({} by chance)").format(
            number(same["value"][most], 0), number(same["expected"][most], 0)
        )
        body.append([f"{one} and {other}", number(len(order), 0), strongest, runs])
    caption = (
        "Presentation orders: every session of one subject held against every session of the other"
        " (train and test images apart). The highest correlation of the places of shared images,"
        " and the most pairs of images that share a run in both, with what chance would give there."
    )
    return Table(caption, ["subjects", "comparisons", "order, highest ρ", "same-run pairs"], body)
