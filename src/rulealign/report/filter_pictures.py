"""Pictures of a first layer's filters, of every checkpoint: as files of arrays have them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd
from PIL import Image

from rulealign.store import open_h5, read_ids

if TYPE_CHECKING:
    from rulealign.plan.settings.report import FigureSettings

COLUMNS = 3
"""Pictures side by side in a panel."""

ACROSS = 8
"""Filters side by side in a picture."""

_COLUMNS = ["network", "layer", "shown", "checkpoint", "still", "column", "row"]
_COLUMNS += ["url", "count", "kept"]


def read_filters(files: Sequence[Path], epochs: Sequence[int], told: FigureSettings) -> Any:
    """Read the filters of one network per arm, and draw them.

    Args:
        files: what `learning.filters.write_filters` wrote; one without filters is left out, as its
            network's first layer is no convolution over three channels.
        epochs: of the checkpoints that are shown, in order.
        told: rules, in the study's order.

    Returns:
        The table of `ShownRdms.filters`.

    Raises:
        StoreError: a file cannot be read.
    """
    found: list[dict[str, Any]] = []
    for path in files:
        with open_h5(path) as file:
            if "filters" in file:
                found += _of_network(file, epochs)
    rows = pd.DataFrame(found, columns=_COLUMNS)
    order = {rule: at for at, rule in enumerate(told.rules)}
    rows = rows.sort_values("shown", key=lambda rules: rules.map(order), kind="stable")
    at = rows.groupby("network")["shown"].transform(lambda rules: pd.factorize(rules)[0])
    return rows.assign(column=at % COLUMNS, row=at // COLUMNS).reset_index(drop=True)


def _of_network(file: h5py.File, epochs: Sequence[int]) -> list[dict[str, Any]]:
    weights, own = file["filters"][()], [int(epoch) for epoch in read_ids(file, "epoch")]
    about = {"network": str(file.attrs["network"]), "layer": str(file.attrs["layer"])}
    about |= {"shown": str(file.attrs["rule"]), "still": len(own) == 1, "count": weights.shape[1]}
    kept = np.corrcoef(weights.reshape(len(weights), -1))[0] if len(own) > 1 else [1.0]
    return [
        {**about, "checkpoint": epochs.index(epoch), "url": url(picture(one)), "kept": like}
        for epoch, one, like in zip(own, weights, np.round(kept, 3).tolist(), strict=True)
    ]


def picture(filters: np.ndarray) -> np.ndarray:
    """Lay filters side by side, each scaled by its largest weight, and 0 in the middle of grey.

    Args:
        filters: float, shape (filters, height, width, 3).

    Returns:
        uint8, shape (rows, columns, 3), with a white line between filters.
    """
    count, height, width, _ = filters.shape
    largest = np.abs(filters).max(axis=(1, 2, 3), keepdims=True)
    shades = np.rint(127.5 * (1 + filters / np.where(largest > 0, largest, 1)))
    rows = -(-count // ACROSS)
    sheet = np.full((rows * (height + 1) - 1, ACROSS * (width + 1) - 1, 3), 255, dtype=np.uint8)
    for at, one in enumerate(shades.astype(np.uint8)):
        down, across = at // ACROSS * (height + 1), at % ACROSS * (width + 1)
        sheet[down : down + height, across : across + width] = one
    return sheet


def url(pixels: np.ndarray) -> str:
    """Write a picture as an address that holds it, as PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
