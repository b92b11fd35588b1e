"""What a source file says to Python: its syntax tree, without comments, docstrings and layout."""

from __future__ import annotations

import ast
import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_UNUSED = frozenset(("ctx", "kind", "type_comment"))
"""Fields that change nothing, or that some versions of Python have and others do not."""


def parse(source: bytes) -> ast.Module:
    """Read source into its syntax tree.

    Args:
        source: the bytes of a Python file.

    Returns:
        The tree.

    Raises:
        SyntaxError: the source is no Python.
    """
    with _without_collector():
        return ast.parse(source)


def tree_hash(node: ast.AST, *, without: frozenset[str] = frozenset()) -> str:
    """Hash a syntax tree: 16 hexadecimal digits, the same from Python 3.11 to 3.13.

    Comments, layout, docstrings and other statements that are a text and nothing else do not
    count; names, annotations and the order of statements do. Not for deciding whether two programs
    do the same: a renamed variable is another tree.

    Args:
        node: the tree.
        without: names of the module whose assignments are left out.

    Returns:
        16 hexadecimal digits of the SHA-256 of the tree, written out by this module (what
        `ast.dump` writes differs between versions of Python).
    """
    words: list[str] = []
    _write(node, words, without)
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def imports(tree: ast.Module) -> Iterator[str]:
    """List what a module imports, wherever it does so: functions too, type checks excepted.

    Args:
        tree: the module's tree, without relative imports.

    Yields:
        Dotted names: of `from a import b` both `a` and `a.b`, as b may be a module.
    """
    for node in _nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def text_mapping(tree: ast.Module, name: str) -> dict[str, str]:
    """Find a mapping of texts to texts that a module assigns to a name.

    Args:
        tree: the module's tree.
        name: such as "REGISTRY".

    Returns:
        The mapping; empty where the module has none of that name.
    """
    for node in tree.body:
        if _assigned(node) == name and isinstance(node.value, ast.Dict):  # type: ignore[attr-defined]
            return ast.literal_eval(node.value)  # type: ignore[attr-defined]
    return {}


def _assigned(node: ast.AST) -> str | None:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else None


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    never = isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
    for child in node.orelse if never else ast.iter_child_nodes(node):  # type: ignore[attr-defined]
        if isinstance(child, ast.stmt):
            yield child
            yield from _nodes(child)
        elif isinstance(child, (ast.ExceptHandler, ast.match_case)):
            yield from _nodes(child)


def _write(node: ast.AST, words: list[str], without: frozenset[str] = frozenset()) -> None:
    words.append(node.__class__.__name__)
    for field in node._fields:
        value = getattr(node, field, None)
        # what is empty is not written: newer versions of Python know fields that older ones lack
        if field in _UNUSED or value is None or value == []:
            continue
        if isinstance(node, ast.JoinedStr):
            # some versions of 3.12 end a nested format with an empty text
            value = [part for part in value if getattr(part, "value", None) != ""]
        words.append(field)
        _write_value(value, words, without)
    words.append(")")


def _write_value(value: Any, words: list[str], without: frozenset[str]) -> None:
    if isinstance(value, ast.AST):
        _write(value, words)
    elif isinstance(value, list):
        words.append("[")
        for item in value:
            if not (_is_text(item) or (without and _assigned(item) in without)):
                _write_value(item, words, frozenset())
        words.append("]")
    else:
        words.append(repr(value))


def _is_text(node: Any) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


@contextmanager
def _without_collector() -> Iterator[None]:
    """Put off garbage collection, which takes twice as long as reading the tree itself."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
