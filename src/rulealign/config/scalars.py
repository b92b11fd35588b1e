"""Finds values of a study file that YAML reads as something else than they look like."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

_TAG = "tag:yaml.org,2002:"
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_WORDS = {"true", "false"}


def misread_value(root: yaml.Node) -> tuple[int, str] | None:
    """Find the first value or key that YAML 1.1 reads otherwise than a reader does.

    These are numbers in base 8 (`010` is 8) and base 60 (`1:30` is 90), dates, and the words yes,
    no, on and off, which are true and false. Hexadecimal and binary numbers, and underscores
    between digits, are read as they look. What is in quotes is text.

    Args:
        root: a composed document, without a section that contains itself.

    Returns:
        Its line, from 0, and what is wrong with it, with the remedy; None where there is none.
    """
    for name, node in _plain_scalars(root, ""):
        if why := _misreading(node):
            shown = f"{name}: {node.value}" if name else node.value
            return node.start_mark.line, f"`{shown[:80]}` {why}"
    return None


def _plain_scalars(node: yaml.Node, name: str) -> Iterator[tuple[str, yaml.ScalarNode]]:
    # those without quotes, each with the keys that lead to it
    if isinstance(node, yaml.ScalarNode) and not node.style:
        yield name, node
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _plain_scalars(child, name)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _plain_scalars(key, name)
            below = f"{name}.{key.value}" if name else str(key.value)
            yield from _plain_scalars(value, below)


def _misreading(node: yaml.ScalarNode) -> str:
    kind, text = node.tag.removeprefix(_TAG), node.value
    if kind in ("int", "float") and ":" in text:
        return "would be read as a number in base 60; write it in full, or put text in quotes"
    if kind == "int" and _OCTAL.fullmatch(text):
        return f"would be read as {_read(node)}, in base 8; remove the zero in front"
    if kind == "bool" and text.lower() not in _WORDS:
        return f"would be read as {str(_read(node)).lower()}; write that, or put text in quotes"
    if kind == "timestamp":
        return "would be read as a date; put it in quotes"
    return ""


def _read(node: yaml.ScalarNode) -> object:
    return yaml.SafeLoader("").construct_object(node)
