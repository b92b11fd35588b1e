"""SVG files inside a page: stored once, shown panel by panel, so that they fit any screen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from rulealign.errors import StoreError
from rulealign.report.style import grid

_PANEL = re.compile(r'id="panel--([^"]+)"')
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
# what a file of its own needs and a page does not: a style for all elements, the description
_FILE_ONLY = re.compile(r"<metadata>.*?</metadata>|<style.*?</style>|<title>.*?</title>", re.DOTALL)


@dataclass(frozen=True)
class Inline:
    """A figure inside a page.

    Attributes:
        name: its id in the page.
        drawing: the content of the SVG file.
        panels: per panel the viewBox, and its name in words.
        caption: what it shows.
        title: the same in a few words.
    """

    name: str
    drawing: Markup
    panels: list[tuple[str, str]]
    caption: str
    title: str


def inline(path: Path, name: str, caption: str, title: str) -> Inline:
    """Prepare an SVG file that `style.save` wrote for a page.

    Args:
        path: the .svg file.
        name: an id that no other figure of the page has.
        caption: plain text.
        title: a few words.

    Returns:
        The figure; every id in it begins with its name, so that figures do not mix.

    Raises:
        StoreError: the file is missing or was not written by this project.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        width, height = map(float, _SIZE.search(text).groups())
        body = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    except (OSError, AttributeError, ValueError) as error:
        raise StoreError(f"{path}: is no figure of this project ({error}).") from error
    names = _PANEL.findall(text)
    body = _FILE_ONLY.sub("", body).replace("xlink:href", "href")
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r"url\(#", f"url(#{name}-", body)
    body = re.sub(r'href="#', f'href="#{name}-', body)
    return Inline(name, Markup(body), _boxes(names, width, height), caption, title)


def _boxes(names: list[str], width: float, height: float) -> list[tuple[str, str]]:
    rows, columns = grid(len(names))
    w, h = width / columns, height / rows
    return [
        (f"{place % columns * w:g} {place // columns * h:g} {w:g} {h:g}", name.replace("--", " → "))
        for place, name in enumerate(names)
    ]
