"""SVG files inside a page: stored once, shown panel by panel, so that they fit any screen."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
        panels: per panel the viewBox, and its name in words, with what it shows.
        caption: what it shows.
        title: the same in a few words.
        findings: name of a panel -> what it shows.
    """

    name: str
    drawing: Markup
    panels: list[tuple[str, str]]
    caption: str
    title: str
    findings: Mapping[str, str]


def inline(
    path: Path, name: str, caption: str, title: str, findings: Mapping[str, str] | None = None
) -> Inline:
    """Prepare an SVG file that `vega.save` wrote for a page.

    Args:
        path: the .svg file.
        name: an id that no other figure of the page has.
        caption: plain text.
        title: a few words.
        findings: name of a panel -> what it shows, in words and numbers; by default nothing.

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
    findings = findings or {}
    boxes = _boxes(names, width, height, findings)
    return Inline(name, Markup(body), boxes, caption, title, findings)


def _boxes(
    names: list[str], width: float, height: float, findings: Mapping[str, str]
) -> list[tuple[str, str]]:
    rows, columns = grid(len(names))
    w, h = width / columns, height / max(1, rows)
    return [
        (
            f"{place % columns * w:g} {place // columns * h:g} {w:g} {h:g}",
            in_words(name, findings),
        )
        for place, name in enumerate(names)
    ]


def in_words(name: str, findings: Mapping[str, str]) -> str:
    """Give the name of a panel in words, with what it shows where that is known."""
    words = name.replace("--", " → ")
    return f"{words}: {findings[name]}" if name in findings else words
