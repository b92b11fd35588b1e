"""Did each rule learn? Movement of the weights, direction of the updates, rank of the errors."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from rulealign.learning.verdict import STILL
from rulealign.plan.settings.report import FigureSettings
from rulealign.report import drawn, marks
from rulealign.report.vega import Panel


class Measure(NamedTuple):
    """One quantity of the table of diagnostics, and how it is drawn.

    Attributes:
        column: of `statistics/diagnostics.csv`.
        panel: of a panel's name, without the layer.
        title: of a panel, after the layer.
        label: of the vertical axis.
        scale: of the vertical axis.
        format: of its labels.
        mark: where a dotted line is drawn; None for none.
    """

    column: str
    panel: str
    title: str
    label: str
    scale: alt.Scale
    format: str
    mark: float | None


CHANGE = Measure(
    "weight_change",
    "change-of",
    "change of weights",
    "|W − W₀| / |W₀|",
    # linear up to what counts as movement, so that 0 has its place; logarithmic above
    alt.Scale(type="symlog", constant=STILL, domainMin=0),
    "~%",
    STILL,
)
ANGLE = Measure(
    "angle_to_bp", "angle-to-bp-of", "angle to bp", "degrees", alt.Scale(domainMin=0), "~f", 90.0
)
RANK = Measure(
    "effective_rank",
    "error-rank-of",
    "rank of errors",
    "effective rank",
    alt.Scale(type="log", domainMin=1, nice=False),
    "~g",
    None,
)


def data(diagnostics: pd.DataFrame, told: FigureSettings) -> dict[str, pd.DataFrame]:
    """Give the data that the panels draw: means over seeds, and the lowest and highest seed.

    Args:
        diagnostics: the table `statistics/diagnostics.csv`.
        told: rules, and which of them are lines.

    Returns:
        `learning`: a row per network, trained rule, epoch, layer and measure that has a value.

    Raises:
        DataError: a seed appears twice.
    """
    trained = diagnostics[diagnostics["trains"]]
    keys = ["network", "rule", "epoch", "layer"]
    found = [
        drawn.over_seeds(trained, keys, one.column).assign(measure=one.panel)
        for one in (CHANGE, ANGLE, RANK)
    ]
    return {"learning": drawn.placed(pd.concat(found), told.lines, diagnostics["epoch"])}


def panels(told: FigureSettings, diagnostics: pd.DataFrame) -> list[Panel]:
    """Specify the diagnostics of learning: a panel per network, measure and layer.

    Args:
        told: rules, and which of them are lines.
        diagnostics: the table `statistics/diagnostics.csv`.

    Returns:
        Panels of what `data` gives: change and angle of each conv layer side by side, then the
        rank of the errors at each layer that can be read.
    """
    several = len(diagnostics["network"].unique()) > 1
    epochs = diagnostics["epoch"]
    return [
        Panel(
            f"{measure.panel}-{f'{network}-' if several else ''}{layer}",
            _panel(told, measure, network, layer, epochs, several=several),
            {"network": network, "layer": layer, "measure": measure.panel},
        )
        for network, measure, layer in _layout(diagnostics)
    ]


def _layout(diagnostics: pd.DataFrame) -> list[tuple[str, Measure, str]]:
    shown = []
    for network, rows in diagnostics.groupby("network", sort=False):
        conv = rows.loc[rows["convolution"], "layer"].unique()
        readable = rows.dropna(subset="dead_units")["layer"].unique()
        shown += [(network, measure, layer) for layer in conv for measure in (CHANGE, ANGLE)]
        shown += [(network, RANK, layer) for layer in readable]
    return shown


def _panel(
    told: FigureSettings,
    measure: Measure,
    network: str,
    layer: str,
    epochs: pd.Series,
    *,
    several: bool,
) -> dict[str, Any]:
    wanted = {"network": network, "layer": layer, "measure": measure.panel}
    here = " && ".join(f"datum.{key} === {json.dumps(value)}" for key, value in wanted.items())
    rows = alt.Chart(alt.NamedData("learning")).transform_filter(here)
    y = alt.Y(
        "score:Q",
        title=measure.label,
        scale=measure.scale,
        axis=alt.Axis(format=measure.format, tickCount=5),
    )
    words = f"{f'{network} ' if several else ''}{layer}: {measure.title}"
    layers = [
        *marks.dotted(measure.mark),
        *marks.courses(told, marks.epochs(epochs), rows, y, marks.over_seeds()),
    ]
    size = {"width": marks.WIDTH, "height": 170}
    return alt.layer(*layers).properties(**size, title=words).to_dict()
