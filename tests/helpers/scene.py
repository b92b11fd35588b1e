"""What a Vega-Lite specification puts where: read from the scene that it draws, in pixels."""

from typing import NamedTuple

import numpy as np
import vl_convert

from rulealign.report.vega import records, with_values


class Scene(NamedTuple):
    """What is drawn.

    Attributes:
        marks: (type, item) of everything that is no part of an axis, a legend or a title.
        y: pixels -> value of the vertical axis, from where its labels stand.
        ticks: the texts of the horizontal axis.
        texts: all texts.
    """

    marks: list
    y: object
    ticks: list
    texts: list

    def of(self, kind, colour=None):
        """Give the items of one type of mark, and of one colour where it is named."""
        looks = ("stroke", "fill")
        return [
            item
            for name, item in self.marks
            if name == kind and (not colour or colour in [item.get(look) for look in looks])
        ]


def scene(spec, data, **values):
    """Draw a specification, and say what is where."""
    named = {name: records(table) for name, table in data.items()}
    spec = with_values(spec, values)
    spec = {**spec, "datasets": {**spec.get("datasets", {}), **named}}
    found = list(_items(vl_convert.vegalite_to_scenegraph(spec)["scenegraph"], ""))
    labels = [item for role, _, item in found if role == "axis-label"]
    across = [str(item["text"]) for item in labels if item.get("align", "center") == "center"]
    return Scene(
        [(kind, item) for role, kind, item in found if role == "mark"],
        _scale([item for item in labels if item.get("align") == "right"]),
        across,
        [str(item["text"]) for _, kind, item in found if kind == "text"],
    )


def _items(mark, role):
    role = mark.get("role", role)
    role = "mark" if role in ("frame", "scope") else role
    for item in mark["items"]:
        if mark["marktype"] != "group":
            yield role, mark["marktype"], item
        for child in item.get("items", []):
            yield from _items(child, role)


def _scale(labels):
    told = [(item["y"], str(item["text"]).replace("−", "-")) for item in labels]
    known = [(y, float(text)) for y, text in told if _is_number(text)]
    return np.poly1d(np.polyfit(*zip(*known, strict=True), 1)) if len(known) > 1 else None


def _is_number(text):
    return text.removeprefix("-").replace(".", "").isdigit()
