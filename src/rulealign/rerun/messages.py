"""What a module tells users and no result: texts of errors, warnings and lines of a log.

Rewording them must run nothing again, so their literal text is taken out of a module's syntax tree
before it is hashed: text that is handed to one of these, and to nothing else,

- an error of `rulealign.errors`, or one of Python's own (`PLAIN_ERRORS`), raised or returned;
- `print` (to a job's log or standard error), `warnings.warn`, `logging` or `sys.exit`;
- another class or function of the modules that make no number (`WORDS_ONLY`);

be it by way of a variable of a function, a private constant of the module or what a private
function of the module returns, as long as every use of its name in the module ends in one of them.

What stays: whatever f-strings compute, formats included, as it may have effects or raise another
error; texts that are parameters or attributes, and public constants, which may be used elsewhere;
and the reasons of a `MissingValue`, which stand in tables. Tests hold that no result takes the text
of an error, and that a study whose messages are all empty gives the same bytes.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

WORDS_ONLY = frozenset(
    f"rulealign.{name}"
    for name in ("errors", "job", "mistakes", "progress", "unreadable", "wrong_values")
)
"""Modules that make no number: they word errors, logs and progress. `job` is around a job's one
call; the threads that it allows change no result."""

PLAIN_ERRORS = frozenset(
    ("EOFError", "NotImplementedError", "OSError", "RuntimeError", "TypeError", "ValueError")
)
_LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
_CALLED = frozenset(("sys.exit", "warnings.warn", *(f"logging.{level}" for level in _LEVELS)))
_LOOKED_INTO = frozenset(("exec", "eval", "globals", "locals", "vars"))

_Nodes = Mapping[type[ast.AST], Sequence[Any]]
"""The nodes of a module, by their class."""


def without_messages(tree: ast.Module) -> ast.Module:
    """Take the literal text of messages out of a module's tree.

    Args:
        tree: the module's tree, which is changed.

    Returns:
        The same tree: each such text is empty, and each such f-string is what it computes.
    """
    for told in _told(tree):
        for piece in _pieces(told):
            if isinstance(piece, ast.JoinedStr):
                piece.values = [part for part in piece.values if not _is_text(part)]
            elif _is_text(piece):
                piece.value = ""
    return tree


def _told(tree: ast.Module) -> list[ast.expr]:
    # the expressions whose value is told and no more
    nodes = defaultdict(list)
    for node in ast.walk(tree):
        nodes[type(node)].append(node)
    told, named = _handed_over(nodes), _named(tree, nodes)
    uses = [name for name in nodes[ast.Name] if isinstance(name.ctx, ast.Load)]
    names = named.keys() & {use.id for use in uses}
    # all names that may be of messages, less those used otherwise, until there are none of these
    while True:
        found = told + [value for name in names for value in named[name]]
        handed_on = {id(piece) for value in found for piece in _pieces(value)}
        otherwise = {use.id for use in uses if id(use) not in handed_on}
        if not names & otherwise:
            return found
        names -= otherwise


def _handed_over(nodes: _Nodes) -> list[ast.expr]:
    tellers, found = _tellers(nodes), []
    for call in nodes[ast.Call]:
        files = [word.value for word in call.keywords if word.arg in ("file", None)]
        said = all(_dotted(file) == "sys.stderr" for file in files)
        if said and _dotted(call.func) in tellers:
            found += [*call.args, *(word.value for word in call.keywords)]
    return found


def _tellers(nodes: _Nodes) -> set[str]:
    tellers = {"print", *PLAIN_ERRORS, *_CALLED}
    # a name that the module gives to something else is something else
    taken = {name.id for name in nodes[ast.Name] if not isinstance(name.ctx, ast.Load)}
    taken |= {one.name for one in [*nodes[ast.FunctionDef], *nodes[ast.ClassDef]]}
    taken |= {parameter.arg for parameter in nodes[ast.arg]}
    for node in nodes[ast.ImportFrom]:
        names = tellers if node.module in WORDS_ONLY else taken
        names |= {alias.asname or alias.name for alias in node.names}
    return {name for name in tellers if name.partition(".")[0] not in taken}


def _named(tree: ast.Module, nodes: _Nodes) -> dict[str, list[ast.expr]]:
    # variables and functions that only this module reaches, and what they may be or give
    if any(name.id in _LOOKED_INTO for name in nodes[ast.Name]):
        return {}
    found = defaultdict(list)
    for node in [*nodes[ast.Assign], *nodes[ast.AnnAssign], *nodes[ast.AugAssign]]:
        if (name := _assigned(node)) and node.value is not None:
            found[name].append(node.value)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and _is_private(node.name) and not node.decorator_list:
            returns = [one for one in _outside_functions(node) if isinstance(one, ast.Return)]
            found[node.name] += [one.value for one in returns if one.value is not None]
    shared = _shared(tree, nodes)
    return {name: values for name, values in found.items() if name not in shared}


def _shared(tree: ast.Module, nodes: _Nodes) -> set[str | None]:
    # what other modules may use: all names of classes, and of the module those that are not private
    shared = {_assigned(node) for node in tree.body}
    shared = {name for name in shared if name and not _is_private(name)}
    blocks = [node for node in tree.body if isinstance(node, ast.If | ast.For | ast.Try | ast.With)]
    for node in [*blocks, *nodes[ast.ClassDef]]:
        shared |= {_assigned(below) for below in _outside_functions(node)}
    return shared.union(*(node.names for node in nodes[ast.Global]))


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Walk through what lies below a node, but into no function there."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _outside_functions(child)


def _assigned(node: ast.AST) -> str | None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
    else:
        target = node.target if isinstance(node, ast.AnnAssign | ast.AugAssign) else None
    return target.id if isinstance(target, ast.Name) else None


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _pieces(value: ast.AST) -> Iterator[ast.AST]:
    """Give a text and the parts that it is put together from, which end in it and nowhere else."""
    yield value
    parts: Iterable[ast.AST] = ()
    if isinstance(value, ast.JoinedStr):
        parts = [part.value for part in value.values if isinstance(part, ast.FormattedValue)]
    elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        parts = [value.left, value.right]
    elif isinstance(value, ast.IfExp):
        parts = [value.body, value.orelse]
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        parts = [value.func]  # a function of the module, which words the text
    elif isinstance(value, ast.Call) and getattr(value.func, "attr", "") == "join":
        parts = [value.func.value]
    for part in parts:
        yield from _pieces(part)
