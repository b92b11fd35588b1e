"""What each panel of a figure shows, in a sentence with its numbers: for those who cannot see it.

A text says what the panel shows as the study names it; a reader who chooses something else reads it
in the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rulealign.report import learning as of_learning
from rulealign.report import quality as of_quality
from rulealign.report import select
from rulealign.report.formatting import plain
from rulealign.report.panels import panel_names
from rulealign.report.shown import BRAIN
from rulealign.rsa.over_time import PEAK
from rulealign.rsa.quality.rows import filled

if TYPE_CHECKING:
    from rulealign.arm import Mapped
    from rulealign.config.evaluation import View
    from rulealign.plan.settings.report import FigureSettings
    from rulealign.report.shown import ShownRdms

Findings = dict[str, str]
"""Name of a panel -> what it shows."""


def alignment(table: pd.DataFrame, told: FigureSettings, view: View) -> dict[str, Findings]:
    """Say how the alignment of every rule that is a line runs, and where it ends.

    Args:
        table: `statistics/alignment.csv`.
        told: rules, and pairs of layer and ROI.
        view: what is shown.

    Returns:
        `trajectory` and `final` -> findings, a panel per pair.
    """
    rows = select.at_view(table, view)
    names = zip(panel_names(told.layer_map), told.layer_map, strict=True)
    of_pair = {name: _courses(rows, told.lines, pair) for name, pair in names}
    return {
        "trajectory": {name: _runs(courses) for name, courses in of_pair.items()},
        "final": {name: _ends(courses) for name, courses in of_pair.items()},
    }


def _courses(rows: pd.DataFrame, rules: Sequence[str], pair: Mapped) -> dict[str, pd.Series]:
    found = {rule: select.course(rows, rule, pair).dropna(subset="score") for rule in rules}
    return {rule: one.set_index("epoch")["score"] for rule, one in found.items() if len(one)}


def _runs(courses: Mapping[str, pd.Series]) -> str:
    trained = [
        f"{rule} {plain(one.iloc[0])} at epoch {one.index[0]}, {plain(one.iloc[-1])} at epoch"
        f" {one.index[-1]}"
        for rule, one in courses.items()
        if len(one) > 1
    ]
    still = [f"{rule} {plain(one.iloc[0])}" for rule, one in courses.items() if len(one) == 1]
    return "; ".join([*trained, *still]) or "no score"


def _ends(courses: Mapping[str, pd.Series]) -> str:
    last = {rule: float(one.iloc[-1]) for rule, one in courses.items()}
    return _from_highest(last)


def _from_highest(values: Mapping[str, float], digits: int = 3) -> str:
    ordered = sorted(values, key=values.__getitem__, reverse=True)
    return "from high to low: " + ", ".join(
        f"{one} {plain(values[one], digits)}" for one in ordered
    )


def layers(table: pd.DataFrame, told: FigureSettings) -> Findings:
    """Say which layer and ROI of each rule that is a line agree best at its last checkpoint.

    Args:
        table: `statistics/alignment.csv`.
        told: rules and views.

    Returns:
        A panel per network and rule.
    """
    rows = select.at_view(table, told.views[0])
    several, found = len(rows["network"].unique()) > 1, {}
    for (network, rule), own in rows.groupby(["network", "rule"], sort=False):
        last = own[own["epoch"] == own["epoch"].max()].dropna(subset="score")
        if len(last):
            best = last.loc[last["score"].idxmax()]
            name = f"{network}-{rule}" if several else str(rule)
            found[name] = f"highest: {best['layer']} with {best['roi']}, {plain(best['score'])}"
    return found


def accuracy(training: pd.DataFrame, told: FigureSettings, chance: float) -> Findings:
    """Say what accuracy rules reach at their last checkpoint, in per cent.

    Args:
        training: `statistics/training.csv`.
        told: rules, and which of them are lines.
        chance: the accuracy of guessing.

    Returns:
        A panel per network.
    """
    several, found = len(training["network"].unique()) > 1, {}
    own = training[training["rule"].isin(told.lines)]
    for network, rows in own.groupby("network", sort=False):
        last = rows[rows["epoch"] == rows.groupby("rule")["epoch"].transform("max")]
        means = 100 * last.groupby("rule")["held_out_accuracy"].mean()
        words = _from_highest(means.dropna().to_dict(), 1)
        name = f"accuracy-{network}" if several else "accuracy"
        found[name] = f"per cent correct, {words}; chance {plain(100 * chance, 1)}"
    return found


def learning(diagnostics: pd.DataFrame, told: FigureSettings) -> Findings:
    """Say what each diagnostic of a layer is at the last checkpoint of the rules that are lines.

    Args:
        diagnostics: `statistics/diagnostics.csv`.
        told: rules, and which of them are lines.

    Returns:
        A panel per network, measure and layer.
    """
    rows, found = of_learning.data(diagnostics, told)["learning"], {}
    rows = rows[rows["rule"].isin(told.lines)]
    several = len(diagnostics["network"].unique()) > 1
    units = {
        of_learning.CHANGE.panel: (100, "per cent, "),
        of_learning.ANGLE.panel: (1, "degrees, "),
    }
    for (network, measure, layer), own in rows.groupby(["network", "measure", "layer"], sort=False):
        last = own[own["epoch"] == own.groupby("rule")["epoch"].transform("max")]
        scale, unit = units.get(measure, (1, ""))
        values = (scale * last.set_index("rule")["score"]).to_dict()
        name = f"{measure}-{f'{network}-' if several else ''}{layer}"
        found[name] = unit + _from_highest(values, 1)
    return found


def over_time(table: pd.DataFrame, told: FigureSettings) -> Findings:
    """Say when each layer agrees best.

    Args:
        table: `statistics/over_time.csv`.
        told: rules, and which of them are lines.

    Returns:
        A panel per ROI, network and rule that is a line.
    """
    rows = table[(table["statistic"] == PEAK) & table["rule"].isin(told.lines)]
    rows = rows[select.in_view(rows, told.views[0])]
    several, found = len(table["network"].unique()) > 1, {}
    for (roi, network, rule), own in rows.groupby(["roi", "network", "rule"], sort=False):
        peaks = ", ".join(
            f"{layer} {plain(time, 0)} ms"
            for layer, time in zip(own["layer"], own["value"], strict=True)
        )
        found["-".join([roi, *([network] if several else []), rule])] = f"highest: {peaks}"
    return found


def quality(table: pd.DataFrame) -> Findings:
    """Say what the checks of brain data found.

    Args:
        table: `statistics/quality.csv`.

    Returns:
        A panel per ROI and check of trials, one of the agreement of subjects and one of ceilings.
    """
    table, found = filled(table), {}
    for curve in of_quality.CURVES:
        tests = table[(table["check"] == f"{curve.check}_test") & (table["item"] == curve.told)]
        for roi, own in tests.groupby("roi", sort=False):
            values = zip(own["subject"], own["value"], strict=True)
            each = ", ".join(f"{subject} {plain(value, curve.digits)}" for subject, value in values)
            found[f"{curve.panel}-in-{roi}"] = f"{curve.words}: {each}"
    for points in (of_quality.AGREEMENT, of_quality.CEILINGS):
        rows = table[(table["check"] == points.check) & (table["item"] == points.filled)]
        ranges = rows.groupby("roi", sort=False)["value"].agg(["min", "max"])
        found[points.panel] = "lowest and highest: " + "; ".join(
            f"{roi} {plain(one['min'])} and {plain(one['max'])}" for roi, one in ranges.iterrows()
        )
    return found


def rdms(table: pd.DataFrame, told: FigureSettings) -> Findings:
    """Say how RDMs of rules agree with the mean RDM of the ROI beside them.

    Args:
        table: `statistics/alignment.csv`.
        told: rules, and pairs of layer and ROI.

    Returns:
        A panel per pair.
    """
    rows = select.at_view(table, told.views[0], convention="mean_rdm")
    return {
        f"rdms-{name}": f"ρ with the brain's mean RDM, {_ends(_courses(rows, told.lines, pair))}"
        for name, pair in zip(panel_names(told.layer_map), told.layer_map, strict=True)
    }


def maps(shown: ShownRdms, told: FigureSettings) -> Findings:
    """Say how near the maps of rules are to that of the ROI beside them, at the last checkpoint.

    Args:
        shown: what the report shows of RDMs.
        told: pairs of layer and ROI.

    Returns:
        A panel per pair: Pearson's r of the distances between stimuli on both maps.
    """
    from scipy.spatial.distance import pdist  # slow to import

    last, found = shown.last().places, {}
    for name, pair in zip(panel_names(told.layer_map), told.layer_map, strict=True):
        own = last[(last[list(pair._fields)] == pd.Series(pair._asdict())).all(axis=1)]
        apart = {one: pdist(rows[["x", "y"]]) for one, rows in own.groupby("shown", sort=False)}
        brain = apart.pop(BRAIN)
        # an RDM that lacks pairs has no map
        near = {rule: float(np.corrcoef(one, brain)[0, 1]) for rule, one in apart.items()}
        near = {rule: r for rule, r in near.items() if np.isfinite(r)}
        words = "distances on the map and on that of the brain, Pearson's r"
        found[f"maps-{name}"] = f"{words}, {_from_highest(near)}" if near else "no map to compare"
    return found


def filters(shown: ShownRdms) -> Findings:
    """Say how like the filters that it began with each rule's filters are at the last checkpoint.

    Args:
        shown: what the report shows of filters.

    Returns:
        A panel per network.
    """
    last = shown.last().filters
    return {
        f"filters-{network}": "weights and those of the first checkpoint, Pearson's r, "
        + _from_highest(rows.set_index("shown")["kept"].to_dict())
        for network, rows in last.groupby("network", sort=False)
    }


def claims(summary: pd.DataFrame) -> dict[str, Findings]:
    """Say what came of claims.

    Args:
        summary: `statistics/claims_summary.csv`.

    Returns:
        `claims` and `overview` -> findings.
    """
    each = dict(zip(summary["claim"], summary["cell_verdict"], strict=True))
    every = "; ".join(f"{claim}: {verdict}" for claim, verdict in each.items())
    return {
        "claims": {str(claim): str(verdict) for claim, verdict in each.items()},
        "overview": {"overview": every},
    }
