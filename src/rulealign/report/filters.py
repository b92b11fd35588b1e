"""Filters of the first layer: a panel per network whose first layer can be looked at."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import altair as alt
import pandas as pd
from PIL import Image

from rulealign.report.rdms import SIDE, pictures
from rulealign.report.shown import ShownRdms
from rulealign.report.vega import Panel


def panels(shown: ShownRdms) -> list[Panel]:
    """Specify pictures of filters, a panel per network, one picture per rule that is a line.

    Args:
        shown: as `read_shown` gives it.

    Returns:
        Panels of `shown.filters`; none where no first layer is a convolution over three channels.
    """
    return [
        Panel(f"filters-{network}", _panel(shown, str(network), rows), {"network": str(network)})
        for network, rows in shown.filters.groupby("network", sort=False)
    ]


def caption(shown: ShownRdms) -> str:
    """Caption the figure, in plain text."""
    return (
        f"Filters of the first layer at epoch {shown.epochs[-1]}, or of a rule's only state: one"
        " network each, of the first seed. Each is scaled by its largest weight; mid-grey is 0."
        " Rules of one network begin with the same weights."
    )


def _panel(shown: ShownRdms, network: str, own: pd.DataFrame) -> dict[str, Any]:
    at = f"datum.network === {json.dumps(network)}"
    at += " && (datum.still || datum.checkpoint === checkpoint)"
    rows = alt.Chart(alt.NamedData("filters")).transform_filter(at)
    told = [alt.Tooltip("shown:N", title="filters of"), alt.Tooltip("count:Q", title="filters")]
    told.append(alt.Tooltip("kept:Q", title="r with the first checkpoint's"))
    several = len(shown.filters["network"].unique()) > 1
    title = f"{f'{network} ' if several else ''}{own['layer'].iloc[0]}"
    size = {"lines": int(own["row"].max()) + 1, "height": _height(own["url"].iloc[0])}
    return pictures(shown, rows, title, told, **size)


def _height(url: str) -> int:
    width, height = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).size
    return round(SIDE * height / width)
