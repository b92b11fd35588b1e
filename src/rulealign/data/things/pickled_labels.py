"""Reads the column labels that pandas pickles into HDF5, without running the pickle.

Labels of which some are names and some are numbers are a numpy array of objects, which PyTables
pickles. A pickle is a program, so it is not loaded: its steps are followed on a stack of plain
values; functions and classes that it names are kept as names and never called. Steps that such an
array does not need end the reading.
"""

from __future__ import annotations

import math
import pickletools
from dataclasses import dataclass
from typing import Any

_VALUES = (
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "GLOBAL"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "STRING", "SHORT_BINSTRING", "BINSTRING"),
    *("SHORT_BINBYTES", "BINBYTES", "BINFLOAT", "FLOAT"),
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_PUTS, _GETS = ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), ("GET", "BINGET", "LONG_BINGET")
_ORDERS = {"<": "little", "|": "little", ">": "big"}


@dataclass
class _Made:
    """What a call would make: the function's name, its arguments and what is set afterwards."""

    function: Any
    arguments: Any
    state: Any = None


class _Stack:
    """The values of a pickle so far."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def follow(self, step: str, argument: Any) -> None:
        """Do one step; raises ValueError for one that labels do not need."""
        if step in _VALUES:
            self.values.append(argument)
        elif step in _CONSTANTS:
            self.values.append(_CONSTANTS[step])
        elif step in _TUPLES:
            self.values.append(tuple(self._popped(_TUPLES[step])))
        elif step in _PUTS:
            self._memo[len(self._memo) if argument is None else argument] = self.values[-1]
        elif step in _GETS:
            self.values.append(self._memo[argument])
        elif step not in ("PROTO", "FRAME", "STOP"):
            self._build(step)

    def _build(self, step: str) -> None:
        if step == "MARK":
            self._marks.append(len(self.values))
        elif step == "EMPTY_LIST":
            self.values.append([])
        elif step in ("LIST", "TUPLE"):
            made = self._since_mark()
            self.values.append(made if step == "LIST" else tuple(made))
        elif step in ("APPEND", "APPENDS"):
            more = self._popped(1) if step == "APPEND" else self._since_mark()
            self.values[-1].extend(more)
        else:
            self._call(step)

    def _call(self, step: str) -> None:
        first, second = self._popped(2)
        if step == "STACK_GLOBAL":
            self.values.append(f"{first} {second}")
        elif step == "REDUCE":
            self.values.append(_Made(first, second))
        elif step == "BUILD":
            first.state = second
            self.values.append(first)
        else:
            raise ValueError(step)

    def _popped(self, count: int) -> list[Any]:
        values = self.values[-count:]
        del self.values[-count:]
        if len(values) < count:
            raise ValueError("the stack is empty")
        return values

    def _since_mark(self) -> list[Any]:
        start = self._marks.pop()
        values = self.values[start:]
        del self.values[start:]
        return values


def pickled_labels(pickled: bytes) -> list[int | str] | None:
    """Read labels from the pickle of an array of objects along one axis.

    Args:
        pickled: what PyTables stores, of any protocol.

    Returns:
        The labels: whole numbers (also numpy's), names, and fractions as text; None where it is
        anything else.
    """
    stack = _Stack()
    try:
        for step, argument, _ in pickletools.genops(pickled):
            stack.follow(step.name, argument)
        (array,) = stack.values
        labels = _items(array)
        return [_label(item) for item in labels]
    except (ValueError, IndexError, KeyError, AttributeError, TypeError):
        return None


def _items(array: Any) -> list[Any]:
    match array:
        case _Made(function=str(name), state=(_, tuple(shape), _Made(), _, list(items))) if (
            name.endswith("multiarray _reconstruct")
            and len(items) == math.prod(shape)
            and max(shape) == len(items)  # along one axis
        ):
            return items
    raise ValueError("no array of objects")


def _label(item: Any) -> int | str:
    match item:
        case bool():
            raise ValueError("no label")
        case int() | str():
            return item
        case float():
            return str(item)
        case _Made(
            function=str(name),
            arguments=(_Made(arguments=(str(kind), *_), state=(_, order, *_)), bytes(value)),
        ) if name.endswith("multiarray scalar") and kind[0] in "iu":
            return int.from_bytes(value, _ORDERS[order], signed=kind[0] == "i")
    raise ValueError("no label")
