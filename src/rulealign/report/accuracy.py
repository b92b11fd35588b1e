"""Held-out accuracy over training."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import pandas as pd

from rulealign.plan.settings.report import FigureSettings
from rulealign.report import drawn, marks
from rulealign.report.vega import Panel


def data(training: pd.DataFrame, told: FigureSettings) -> dict[str, pd.DataFrame]:
    """Give the data that the panels draw: means over seeds, and the lowest and highest seed.

    Args:
        training: the table `statistics/training.csv`.
        told: rules, and which of them are lines.

    Returns:
        `accuracy`: a row per network, rule and epoch that was measured.

    Raises:
        DataError: a seed appears twice.
    """
    rows = drawn.over_seeds(training, ["network", "rule", "epoch"], "held_out_accuracy")
    return {"accuracy": drawn.placed(rows, told.lines, training["epoch"])}


def panels(told: FigureSettings, training: pd.DataFrame, chance: float) -> list[Panel]:
    """Specify held-out accuracy over training: a panel per network.

    Args:
        told: rules, and which of them are lines.
        training: the table `statistics/training.csv`.
        chance: the accuracy of guessing, which is dotted.

    Returns:
        Panels of what `data` gives.
    """
    networks = list(dict.fromkeys(training["network"]))
    several = len(networks) > 1
    return [
        Panel(
            f"accuracy-{network}" if several else "accuracy",
            _panel(training, told, chance, network, several=several),
            {"network": network},
        )
        for network in networks
    ]


def _panel(
    training: pd.DataFrame, told: FigureSettings, chance: float, network: str, *, several: bool
) -> dict[str, Any]:
    here = f"datum.network === {json.dumps(network)}"
    rows = alt.Chart(alt.NamedData("accuracy")).transform_filter(here)
    axis = alt.Axis(format="~%", tickCount=6)
    y = alt.Y(
        "score:Q",
        title="images classified correctly",
        scale=alt.Scale(domainMin=0),
        axis=axis,
    )
    layers = marks.courses(told, marks.epochs(training["epoch"]), rows, y, marks.over_seeds())
    words = f"held-out accuracy{f' of {network}' if several else ''}"
    size = {"width": marks.WIDTH, "height": 200}
    chart = alt.layer(*marks.dotted(chance), *layers)
    return chart.properties(**size, title=words).to_dict()
