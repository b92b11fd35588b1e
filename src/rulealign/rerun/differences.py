"""Where two settings differ, in words: by key, and cut to a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile, zip_longest
from typing import Any

from rulealign.provenance import canonical

WIDTH = 60
"""Longest value that is written out, characters."""

CONTEXT = 20
"""Characters shown before the first difference of longer values."""

_NOTHING = object()


def differences(old: Any, new: Any, key: str = "") -> Iterator[str]:
    """List where two settings differ, by key.

    Items of a list are named by their `label`; without labels, those that only one list has are
    compared in turn. A short list of plain values is written out as a whole.

    Args:
        old: plain values: nested dicts, lists, texts, numbers.
        new: the same.
        key: where in the settings they stand.

    Yields:
        Such as "rule.learning_rate: 0.001 -> 0.002"; what differs differs in print too.
    """
    if old is _NOTHING:
        yield f"{key}: new, {shortened(text_of(new))}"
    elif new is _NOTHING:
        yield f"{key}: gone, was {shortened(text_of(old))}"
    elif isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            place = f"{key}.{name}" if key else str(name)
            yield from differences(old.get(name, _NOTHING), new.get(name, _NOTHING), place)
    elif isinstance(old, list) and isinstance(new, list) and not (_brief(old) and _brief(new)):
        yield from _item_differences(old, new, key or "a list")
    elif canonical(old) != canonical(new):
        yield f"{key or 'a value'}: {change(old, new)}"


def _item_differences(old: list[Any], new: list[Any], key: str) -> Iterator[str]:
    before, after = _by_label(old), _by_label(new)
    if before and after:
        yield from differences(before, after, key)
    else:
        gone, added = _without(old, new), _without(new, old)
        for pair in zip_longest(gone, added, fillvalue=_NOTHING):
            yield from differences(*pair, key)
        before, after = (dict.fromkeys(map(canonical, items)) for items in (old, new))
    orders = [[name for name in one if name in before and name in after] for one in (before, after)]
    if orders[0] != orders[1]:
        yield f"{key}: order {change(*orders)}"


def _by_label(items: list[Any]) -> dict[str, Any] | None:
    labels = [item.get("label") if isinstance(item, dict) else None for item in items]
    usable = all(isinstance(label, str) for label in labels) and len(set(labels)) == len(labels)
    return dict(zip(labels, items, strict=True)) if usable else None


def _without(items: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    left, alone = [canonical(one) for one in others], []
    for item in items:
        if (text := canonical(item)) in left:
            left.remove(text)
        else:
            alone.append(item)
    return alone


def _brief(values: list[Any]) -> bool:
    plain = not any(isinstance(one, (dict, list)) for one in values)
    return plain and len(text_of(values)) <= WIDTH


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


def _alike(old: Sequence[Any], new: Sequence[Any]) -> int:
    both = zip(old, new, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))


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
