"""What the report shows of RDMs, read back as the tables that figures draw."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image, ImageColor

from rulealign.report.filter_pictures import COLUMNS, read_filters
from rulealign.report.style import SHADES
from rulealign.rsa.embedding import full
from rulealign.rsa.shown import HIGHEST
from rulealign.store import open_h5, read_ids

if TYPE_CHECKING:
    from rulealign.plan.settings.report import FigureSettings

BRAIN = "brain"
"""Whose RDM or map it is, where it is no rule's."""

GAP = "#E9DFC6"
"""The colour of pairs that an RDM lacks."""


class ShownRdms(NamedTuple):
    """RDMs and maps of the stimuli, as tables.

    Attributes:
        rdms: a row per pair of layer and ROI, checkpoint, and brain or rule (`shown`): `codes`, in
            base64, with the place of its picture in the panel, `column` and `row`; `still` where
            one state stands for every checkpoint.
        places: a row per stimulus of each of them, `x` and `y`.
        pictures: `stimulus` and `url`, a small picture; no row where none may be shown.
        filters: a row per network, checkpoint and rule (`shown`): `url`, a picture of its first
            layer's filters, `layer`, `count`, and `kept`, Pearson's r of their weights with those
            of the first checkpoint; the other columns are as in `rdms`.
        epochs: of the checkpoints, in order.
        n_stimuli: how many stimuli there are in all.
    """

    rdms: pd.DataFrame
    places: pd.DataFrame
    pictures: pd.DataFrame
    filters: pd.DataFrame
    epochs: list[int]
    n_stimuli: int

    @property
    def stimuli(self) -> list[str]:
        """List the stimuli that are shown, in the order of RDMs."""
        return list(dict.fromkeys(self.places["stimulus"]))

    @property
    def rules(self) -> list[str]:
        """List the rules that are shown, in the study's order."""
        return [one for one in dict.fromkeys(self.rdms["shown"]) if one != BRAIN]

    @property
    def first_rule(self) -> str:
        """Give the rule whose map is shown first: the first that trains, or the first of all."""
        trained = self.rdms.loc[~self.rdms["still"], "shown"]
        return str(trained.iloc[0]) if len(trained) else self.rules[0]

    def last(self) -> ShownRdms:
        """Give what is shown of the last checkpoint."""
        at = len(self.epochs) - 1
        rdms, places, filters = (
            rows[rows["still"] | (rows["checkpoint"] == at)].assign(checkpoint=0)
            for rows in (self.rdms, self.places, self.filters)
        )
        epochs = self.epochs[-1:]
        return self._replace(rdms=rdms, places=places, filters=filters, epochs=epochs)


def read_shown(path: Path, filters: Sequence[Path], told: FigureSettings) -> ShownRdms:
    """Read what `rsa.shown.write_shown_rdms` wrote.

    Args:
        path: the HDF5 file.
        filters: what `learning.filters.write_filters` wrote, of one network per arm that is shown.
        told: rules, and pairs of layer and ROI.

    Returns:
        The tables, pair by pair, brain first and then the rules that are lines, in their order.

    Raises:
        StoreError: the file cannot be read.
    """
    with open_h5(path) as file:
        stimuli, names = read_ids(file, "stimulus"), read_ids(file, "rdm")
        codes, places, counts = (file[name][()] for name in ("codes", "places", "counts"))
        pictures = file["pictures"][()] if "pictures" in file else []
        total = int(file.attrs["n_stimuli"])
    index = _index(names, told)
    epochs = sorted({int(epoch) for epoch in index["epoch"].dropna()})
    index["checkpoint"] = index["epoch"].map({epoch: at for at, epoch in enumerate(epochs)})
    index["still"] = (
        index.groupby(["network", "layer", "roi", "shown"])["place"].transform("size").eq(1)
    )
    rdms = index.assign(
        codes=[base64.b64encode(codes[at].tobytes()).decode() for at in index["place"]],
        count=counts[index["place"]],
    ).drop(columns="place")
    each = index[["network", "layer", "roi", "shown", "checkpoint", "still"]]
    maps = [
        pd.DataFrame({"stimulus": stimuli, "x": places[at, :, 0], "y": places[at, :, 1]}).assign(
            **row._asdict()
        )
        for at, row in zip(index["place"], each.itertuples(index=False), strict=True)
    ]
    urls = [_jpeg(one) for one in pictures]
    shown = pd.DataFrame({"stimulus": stimuli[: len(urls)], "url": urls})
    places = pd.concat(maps).round({"x": 3, "y": 3})
    return ShownRdms(rdms, places, shown, read_filters(filters, epochs, told), epochs, total)


def _index(names: Sequence[str], told: FigureSettings) -> pd.DataFrame:
    models = [(*name.split("/"), at) for at, name in enumerate(names) if "/" in name]
    known = pd.DataFrame(models, columns=["network", "layer", "shown", "epoch", "place"])
    known["epoch"] = known["epoch"].astype(int)
    rows = []
    for pair in told.layer_map:
        of_pair = known[(known["network"] == pair.network) & (known["layer"] == pair.layer)]
        brain = {**pair._asdict(), "shown": BRAIN, "place": names.index(pair.roi)}
        rules = [rule for rule in told.rules if rule in set(of_pair["shown"])]
        both = pd.concat([pd.DataFrame([brain]), of_pair.assign(roi=pair.roi)], ignore_index=True)
        at = both["shown"].map({one: at for at, one in enumerate([BRAIN, *rules])})
        both = both.assign(column=at % COLUMNS, row=at // COLUMNS, at=at)
        rows.append(both.sort_values(["at", "epoch"]).drop(columns="at"))
    return pd.concat(rows, ignore_index=True)


def with_urls(rdms: pd.DataFrame, count: int) -> pd.DataFrame:
    """Draw the pictures of RDMs, as the page's script does from the same codes.

    Args:
        rdms: as in `ShownRdms`.
        count: of the stimuli that are shown.

    Returns:
        With `url` in place of `codes`.
    """
    urls = [_png(np.frombuffer(base64.b64decode(one), np.uint8), count) for one in rdms["codes"]]
    return rdms.assign(url=urls).drop(columns="codes")


def palette() -> list[tuple[int, int, int]]:
    """Give the colour of every code: from similar to dissimilar, and that of missing pairs."""
    low, high = (np.array(ImageColor.getrgb(one)) for one in SHADES)
    shares = np.arange(HIGHEST + 1)[:, np.newaxis] / HIGHEST
    shades = np.rint(low + shares * (high - low)).astype(int)
    return [*map(tuple, shades.tolist()), ImageColor.getrgb(GAP)]


def _png(codes: np.ndarray, count: int) -> str:
    image = Image.fromarray(full(codes, count), mode="P")
    image.putpalette([value for colour in palette() for value in colour])
    return _url(image, "PNG")


def _jpeg(pixels: np.ndarray) -> str:
    return _url(Image.fromarray(pixels), "JPEG", quality=75)


def _url(image: Image.Image, form: str, **settings: int) -> str:
    file = io.BytesIO()
    image.save(file, form, **settings)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
