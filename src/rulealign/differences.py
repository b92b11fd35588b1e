"""Where two settings differ, in words: by key, and cut to a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Any

WIDTH = 60
"""Longest value that is written out, characters."""

CONTEXT = 20
"""Characters shown before the first difference of longer values."""


def differences(old: Any, new: Any, key: str = "") -> Iterator[str]:
    """List where two settings differ, by key.

    Items of a list are named by their `label`, or by their place, counted from 1; a short list of
    plain values is written out as a whole.

    Args:
        old: plain values: nested dicts, lists, texts, numbers.
        new: the same.
        key: where in the settings they stand.

    Yields:
        Such as "rule.learning_rate: 0.001 -> 0.002"; what differs differs in print too.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(name for name in new if name not in old)]:
            place = f"{key}.{name}" if key else str(name)
            if name not in old:
                yield f"{place}: new, {shortened(text_of(new[name]))}"
            elif name not in new:
                yield f"{place}: gone, was {shortened(text_of(old[name]))}"
            else:
                yield from differences(old[name], new[name], place)
    elif isinstance(old, list) and isinstance(new, list) and not (_brief(old) and _brief(new)):
        yield from _item_differences(old, new, key)
    elif old != new or type(old) is not type(new):
        yield f"{key or 'a value'}: {change(old, new)}"


def _item_differences(old: list[Any], new: list[Any], key: str) -> Iterator[str]:
    before, after = _by_label(old), _by_label(new)
    if before is None or after is None:
        yield from differences(*_by_place(old, new), key)
        return
    yield from differences(before, after, key)
    orders = [[name for name in one if name in before and name in after] for one in (before, after)]
    if orders[0] != orders[1]:
        yield f"{key or 'a list'}: order {change(*orders)}"


def _by_label(items: list[Any]) -> dict[str, Any] | None:
    labels = [item.get("label") if isinstance(item, dict) else None for item in items]
    usable = all(isinstance(label, str) for label in labels) and len(set(labels)) == len(labels)
    return dict(zip(labels, items, strict=True)) if usable else None


def _by_place(old: list[Any], new: list[Any]) -> list[dict[str, Any]]:
    # without what both begin and end with: an item put between must not change all that follow
    shorter = min(len(old), len(new))
    begin = _alike(old, new)
    end = min(_alike(old[::-1], new[::-1]), shorter - begin)
    return [
        {f"item {place + 1}": items[place] for place in range(begin, len(items) - end)}
        for items in (old, new)
    ]


def _alike(old: Sequence[Any], new: Sequence[Any]) -> int:
    both = zip(old, new, strict=False)
    return sum(1 for _ in takewhile(lambda pair: not any(differences(*pair)), both))


def is_plain(values: Iterable[Any]) -> bool:
    """Tell whether there are plain values only, no dicts or lists.

    Args:
        values: plain settings.
    """
    return not any(isinstance(one, (dict, list)) for one in values)


def _brief(values: list[Any]) -> bool:
    return is_plain(values) and len(text_of(values)) <= WIDTH


def change(old: Any, new: Any) -> str:
    """Write an old value and a new one, cut around their first difference where they are long.

    Args:
        old: a plain value.
        new: another one.

    Returns:
        "old -> new"; the two sides always differ in print.
    """
    before, after = text_of(old), text_of(new)
    if before == after:  # such as the number 1 and the text 1
        before, after = repr(old), repr(new)
    start = 0
    if max(len(before), len(after)) > WIDTH:
        start = max(0, _alike(before, after) - CONTEXT)
    return f"{shortened(before, start)} -> {shortened(after, start)}"


def text_of(value: Any) -> str:
    """Write a plain value: a text as it is, all else as JSON.

    Args:
        value: of a setting.
    """
    if isinstance(value, str) and value:
        return value
    return json.dumps(value, default=str, ensure_ascii=False)


def shortened(text: str, start: int = 0) -> str:
    """Cut a text to `WIDTH` characters, with dots where something is left out.

    Args:
        text: any.
        start: the first character to show.
    """
    end = start + WIDTH
    return ("..." if start else "") + text[start:end] + ("..." if text[end:] else "")
