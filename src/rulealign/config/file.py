"""Reads a study file safely: what is not a plain mapping of values is named with file and line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import yaml

from rulealign.config.scalars import misread_value
from rulealign.errors import ConfigurationError

LARGEST_FILE = 2_000_000
"""Bytes; the largest study of the project has 25,000."""

MOST_VALUES = 50_000
"""Keys and values of a study with its anchors written out; the project's have fewer than 4,000."""

DEEPEST = 50
"""Levels of sections within sections; the studies of the project have 6."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# what Snakemake would run as Python, in any file with the first of them
_TEMPLATE_KEYS = ("__use_yte__", "__definitions__", "__variables__")


def read_study_file(file: Path) -> dict[str, Any]:
    """Read a study file: YAML (or JSON, which is YAML) of plain values.

    Args:
        file: the study file.

    Returns:
        Its values, not yet checked; see `load.load_study`.

    Raises:
        ConfigurationError: the file cannot be read, is no YAML, is no mapping, runs Python, refers
            to itself, is too large with its anchors written out, has a key twice in one section, or
            has a value that YAML reads otherwise than it looks; names the file and the line.
    """
    text = _text(file)
    root = None
    try:
        _require_shallow(file, text)
        root = yaml.compose(text, _LOADER)
        _require_plain_mapping(file, root)
        if misread := misread_value(root):
            line, why = misread
            _refuse(file, why, line)
        return _LOADER("").construct_document(root)
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark or error.context_mark).line
        remedy = _remedy(str(error.problem), text.split("\n")[line : line + 1])
        _refuse(file, f"this is not valid YAML ({error.problem}); {remedy}", line)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position)
        _refuse(file, "this is not a character of text; remove it", line)
    except ValueError:
        node = next(node for node in _scalars(root) if not _is_readable(node))
        why = f"'{node.value[:80]}' is read as a number or date, and is none; put it in quotes"
        _refuse(file, why, node.start_mark.line)


def _text(file: Path) -> str:
    try:
        if not file.exists():
            _refuse(file, "there is no such file; check the path behind --configfile")
        if not file.is_file():
            _refuse(file, "this is a folder or a device; name a study file")
        if file.stat().st_size > LARGEST_FILE:
            _refuse(file, f"the file has more than {LARGEST_FILE:,} bytes; name a study file")
        content = file.read_bytes()
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start)
        _refuse(file, "the file is not UTF-8 text; save it with the encoding UTF-8", line)
    except OSError as error:
        _refuse(file, f"the file cannot be read ({error.strerror}); check its permissions")


def _require_shallow(file: Path, text: str) -> None:
    # before anything is composed: libyaml ends the process at 100,000 levels
    depth = 0
    for event in yaml.parse(text, _LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            why = f"more than {DEEPEST} levels of sections; is a bracket not closed?"
            _refuse(file, why, event.start_mark.line)


def _require_plain_mapping(file: Path, root: yaml.Node | None) -> None:
    if root is None:
        _refuse(file, "the file is empty; copy workflow_config.yaml and change it")
    if not isinstance(root, yaml.MappingNode):
        why = "a study file has keys at its top, such as `study: mine`; this one has none"
        _refuse(file, why, root.start_mark.line)
    for key, _ in root.value:
        if key.value in _TEMPLATE_KEYS:
            _refuse(file, f"`{key.value}` would run Python; remove it", key.start_mark.line)
    _count_values(file, root, {})


def _count_values(file: Path, node: yaml.Node, sizes: dict[int, int]) -> int:
    """Count the values below a node with anchors written out, each node once."""
    if id(node) not in sizes:
        sizes[id(node)] = 0  # not known yet: met again before it is, the node holds itself
        total = 1 + sum(_count_values(file, child, sizes) for child in _children(file, node))
        if total > MOST_VALUES:
            why = f"this stands for more than {MOST_VALUES:,} values; write fewer aliases (*name)"
            _refuse(file, why, node.start_mark.line)
        sizes[id(node)] = total
    if sizes[id(node)] == 0:
        why = "this section contains itself; remove the alias (*name)"
        _refuse(file, why, node.start_mark.line)
    return sizes[id(node)]


def _children(file: Path, node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                why = f"the key '{key.value}' appears twice in one section; rename or remove one"
                _refuse(file, why, key.start_mark.line)
            seen.add(str(key.value))
            yield from (key, value)


def _scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        for part in child if isinstance(child, tuple) else (child,):
            yield from _scalars(part)


def _is_readable(node: yaml.ScalarNode) -> bool:
    try:
        _LOADER("").construct_object(node)
    except ValueError:
        return False
    return True


def _remedy(problem: str, line: list[str]) -> str:
    if "tag" in problem:
        return "a study has plain values; remove the tag (!name)"
    if "another document" in problem:
        return "a file holds one study, without `---` between sections"
    if line and "\t" in line[0]:
        return "the line has a tab; indent with spaces"
    return "check indentation, brackets, quotes and colons, also in the line above"


def _refuse(file: Path, why: str, line: int | None = None) -> NoReturn:
    place = "" if line is None else f", line {line + 1}"
    raise ConfigurationError(f"{file}{place}: {why}.")
