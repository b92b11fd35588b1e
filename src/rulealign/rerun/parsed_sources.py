"""What source files say, remembered by their bytes.

Snakemake reads the workflow anew in every job of a cluster, and parsing the library is a third of
that. What is remembered hangs on nothing but the bytes of a file and of the code that reads it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from rulealign.atomic import whole
from rulealign.errors import StoreError
from rulealign.rerun import messages, syntax

UNUSED = frozenset(("__version__",))
"""Names of modules that no result depends on: a release must not retrain anything."""

REGISTRY = "REGISTRY"
"""The name of a mapping of names to modules that are imported by name."""


class Said(NamedTuple):
    """What one source file says.

    Attributes:
        hash: 16 hexadecimal digits, see `syntax.tree_hash`; of the tree without messages.
        imports: dotted names, sorted.
        entries: those of its registry; {} where it has none.
    """

    hash: str
    imports: list[str]
    entries: dict[str, str]


class ParsedSources:
    """Source files, parsed once as long as their bytes stay the same.

    Args:
        folder: where what they say is noted; None: nowhere.
    """

    def __init__(self, folder: Path | None = None) -> None:
        files = (__file__, messages.__file__, syntax.__file__)
        readers = b"".join(Path(file).read_bytes() for file in files)
        name = f"parsed-{hashlib.sha256(readers).hexdigest()[:16]}.json"
        self._file = None if folder is None else folder / name
        self._known = {} if self._file is None else _read(self._file)
        self._used: dict[str, Said] = {}

    def read(self, path: Path) -> Said:
        """Read one source file.

        Args:
            path: the file.

        Returns:
            What it says.

        Raises:
            OSError: the file cannot be read.
            SyntaxError: it is no Python.
        """
        source = path.read_bytes()
        key = hashlib.sha256(source).hexdigest()
        if key not in self._used:
            self._used[key] = self._known.get(key) or _parse(source)
        return self._used[key]

    def keep(self) -> None:
        """Note what was read, unless all of it is noted; other files are forgotten."""
        if self._file is None or self._used.keys() <= self._known.keys():
            return
        # a full or read-only disk, or another process at the same file, costs time and nothing else
        with suppress(OSError, StoreError), whole(self._file) as temporary:
            temporary.write_text(json.dumps(self._used) + "\n")
            self._known = dict(self._used)


def _parse(source: bytes) -> Said:
    tree = syntax.parse(source)
    entries = syntax.text_mapping(tree, REGISTRY)
    imported = sorted(set(syntax.imports(tree)))
    # without its entries: one more rule in the registry must not retrain the others
    without = UNUSED | {REGISTRY} if entries else UNUSED
    return Said(
        syntax.tree_hash(messages.without_messages(tree), without=without), imported, entries
    )


def _read(file: Path) -> Mapping[str, Said]:
    # what cannot be read is parsed anew
    with suppress(OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {key: Said(*said) for key, said in json.loads(file.read_bytes()).items()}
    return {}
