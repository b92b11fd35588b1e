"""Params that Snakemake records as a name and a fingerprint; what they stand for lies in notes."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from rulealign.atomic import whole
from rulealign.errors import StoreError
from rulealign.provenance import canonical, fingerprint


class Noted(str):
    """A param as its job reads it, one line of JSON, which Snakemake records by its fingerprint.

    Snakemake records how Python writes a param, compares that with the last run, and prints both
    sides where they differ: whole configurations. This one is written `name:fingerprint`. Scripts
    and remote jobs get plain text. Give it to a rule by a function: in a plain param Snakemake
    would fill in wildcards, and record the text.

    Args:
        name: what the value is, without colon; each param of a rule has another one.
        value: plain settings, as in `provenance.canonical`.
    """

    fingerprint: str

    def __new__(cls, name: str, value: Any) -> Noted:
        """Write the value as one line of JSON."""
        self = super().__new__(cls, canonical(value))
        self._name, self.fingerprint = name, fingerprint(value)
        return self

    def __repr__(self) -> str:
        return f"{self._name}:{self.fingerprint}"

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str.__str__(self),)


def keep_note(folder: Path, key: str, value: Any) -> None:
    """Note what a fingerprint stands for, unless it is noted already.

    Args:
        folder: the folder of all notes.
        key: the fingerprint.
        value: plain values.

    A full or read-only disk costs an explanation, not a run: nothing is raised.
    """
    if (note := folder / f"{key}.json").exists():
        return
    with suppress(OSError, StoreError), whole(note) as temporary:
        temporary.write_text(canonical(value) + "\n", encoding="utf-8")


def read_note(folder: Path, key: str) -> Any:
    """Read what a fingerprint stands for.

    Args:
        folder: the folder of all notes.
        key: the fingerprint.

    Returns:
        The value; None where there is no note, or none that can be read.
    """
    try:
        return json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
