"""Figures as Vega-Lite: one specification is drawn into a file and lives in the page."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import vl_convert
from markupsafe import escape

from rulealign.atomic import whole
from rulealign.report.style import INK, PALE, QUIET, grid

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

CONFIG = {
    "background": "white",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "domainColor": QUIET,
        "grid": False,
        "labelColor": INK,
        "labelFontSize": 11,
        "tickColor": QUIET,
        "titleColor": INK,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    },
    "legend": {"labelColor": INK, "labelFontSize": 11, "symbolSize": 45, "title": None},
    "title": {"anchor": "start", "color": INK, "fontSize": 12.5, "frame": "group", "offset": 18},
    "rule": {"color": PALE},
}
"""How all of them look."""

OF_FILES = {"pointed_at": False}
"""Params that are other ones in a file than in the page."""

_SVG = re.compile(r'<svg[^>]* viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>(.*)</svg>', re.DOTALL)

_HOVERED = re.compile(r' (?:aria-[a-z]+|role|class)="[^"]*"')
_TAG = re.compile("<[^>]+>")
_DIGITS = re.compile(r"(\d\.\d\d)\d+")
_PATH = re.compile(r'<path d="([^"]*)"([^>]*)/>')
_PICTURE = re.compile(r'<image (xlink:href="data:[^"]+")( transform="[^"]*")([^>]*)/>')
_PATHS = re.compile(f"(?:{_PATH.pattern}){{2,}}")


class Panel(NamedTuple):
    """One panel of a figure, complete in itself.

    Attributes:
        name: letters, digits, `-` and `_`; `--` stands for an arrow.
        drawing: the Vega-Lite specification, whose data are named and whose params have values.
        of: column -> value of the rows that it can show, in whatever setting.
    """

    name: str
    drawing: dict[str, Any]
    of: dict[str, str]


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows of a table as Vega reads them: a missing number is null."""
    return json.loads(table.to_json(orient="records", double_precision=6))


def with_values(drawing: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Give a specification other first values of its params.

    Args:
        drawing: as in `Panel`.
        values: param -> value; those that the specification does not have are left out.

    Returns:
        The specification.
    """
    params = [
        one | {"value": values[one["name"]]} if one["name"] in values else one
        for one in drawing.get("params", [])
    ]
    return {**drawing, "params": params}


def save(
    panels: Sequence[Panel],
    data: Mapping[str, pd.DataFrame],
    output: Path,
    title: str,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Draw a figure as SVG, its panels in equal rectangles: the same bytes from the same numbers.

    Args:
        panels: of the figure.
        data: name -> table, of the data that the panels name.
        output: the .svg file.
        title: what it shows, for those who cannot see it.
        values: as in `with_values`.

    Raises:
        StoreError: the disk is full.
    """
    named = {name: records(table) for name, table in data.items()}
    values = {**(values or {}), **OF_FILES}
    drawn = [_drawn(with_values(panel.drawing, values), named) for panel in panels]
    width, height = (max((one[side] for one in drawn), default=0) for side in (0, 1))
    rows, columns = grid(len(panels))
    body = "".join(
        f'<g id="panel--{panel.name}" transform="translate({place % columns * width:g},'
        f'{place // columns * height:g})">{_with_ids_of(place, inner)}</g>'
        for place, (panel, (_, _, inner)) in enumerate(zip(panels, drawn, strict=True))
    )
    body = _each_picture_once(body)
    size = f"{width * columns:g} {height * rows:g}"
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        f' viewBox="0 0 {size}" width="{width * columns:g}" height="{height * rows:g}">'
        f'<title>{escape(title)}</title><rect width="100%" height="100%" fill="white"/>'
    )
    with whole(Path(output)) as temporary:
        temporary.write_text(f"{head}{body}</svg>\n", encoding="utf-8")


def _drawn(drawing: dict[str, Any], named: Mapping[str, Any]) -> tuple[float, float, str]:
    data = {**drawing.get("datasets", {}), **named}
    text = vl_convert.vegalite_to_svg({**drawing, "datasets": data, "config": CONFIG})
    width, height, inner = _SVG.search(text).groups()
    return float(width), float(height), _shorter(inner)


def _shorter(inner: str) -> str:
    # a file has its title, and nobody hovers over it; equal looks of one mark share a path
    inner = _HOVERED.sub("", inner)
    inner = _TAG.sub(lambda tag: _DIGITS.sub(r"\1", tag[0]), inner)
    return _PATHS.sub(_joined, inner)


def _joined(paths: re.Match) -> str:
    looks: dict[str, list[str]] = {}
    for outline, look in _PATH.findall(paths[0]):
        looks.setdefault(look, []).append(outline)
    return "".join(f'<path d="{"".join(outlines)}"{look}/>' for look, outlines in looks.items())


def _each_picture_once(body: str) -> str:
    # a stimulus stands in every map: what is drawn more than once is defined once
    times = Counter((source, look) for source, _, look in _PICTURE.findall(body))
    names = {one: f"picture{at}" for at, one in enumerate(times) if times[one] > 1}
    defined = "".join(f'<image id="{names[one]}" {one[0]}{one[1]}/>' for one in names)

    def used(found: re.Match) -> str:
        name = names.get((found[1], found[3]))
        return f'<use xlink:href="#{name}"{found[2]}/>' if name else found[0]

    return f"<defs>{defined}</defs>{_PICTURE.sub(used, body)}" if names else body


def _with_ids_of(place: int, inner: str) -> str:
    # ids of clip paths and gradients are counted anew in every panel
    inner = re.sub(r'\bid="', f'id="p{place}-', inner)
    return re.sub(r"url\(#", f"url(#p{place}-", inner)
