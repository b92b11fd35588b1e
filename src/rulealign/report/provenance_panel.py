"""What results rest on: inputs with their checksums, and code with its fingerprints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from rulealign.report.formatting import missing
from rulealign.report.tabulate import Table

_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def panel(record: Mapping[str, Any]) -> dict[str, Table]:
    """Tabulate the inputs and the code of a study.

    Args:
        record: `provenance.json`.

    Returns:
        `table-inputs`: a row per dataset, file or folder from outside; `table-code`: a row per
        script and module of the library. Neither depends on the computer or the time of a run.
    """
    return {"table-inputs": _inputs(record["inputs"]), "table-code": _code(record["code"])}


def size(count: int) -> str:
    """Write a number of bytes.

    Args:
        count: bytes.

    Returns:
        Text such as "3.6 MB", in powers of ten.
    """
    for unit, name in _UNITS:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"


def _inputs(rows: Sequence[Mapping[str, Any]]) -> Table:
    caption = (
        "What was read from outside. A dataset's checksums are those of the registry or of"
        " the first download, and no other bytes are used. Of several files: the SHA-256 of the"
        " lines “checksum  name”, by name."
    )
    return Table(caption, ["source", "files", "size", "checksum"], [_input(row) for row in rows])


def _input(row: Mapping[str, Any]) -> list[str | Markup]:
    known = row["bytes"] is not None
    checksum = _fixed(row["checksum"]) if row["checksum"] else missing(row["note"])
    held = size(row["bytes"]) if known else missing("not known")
    return [row["source"], str(row["files"]), held, checksum]


def _code(modules: Mapping[str, str]) -> Table:
    caption = (
        "Fingerprints of the code, without comments and docstrings: equal where the code does the"
        " same thing in the same words."
    )
    rows: list[list[str | Markup]] = [[name, _fixed(code)] for name, code in modules.items()]
    return Table(caption, ["script or module", "fingerprint"], rows)


def _fixed(text: str) -> Markup:
    return Markup("<code>{}</code>").format(text)
