"""Results that came without Snakemake's notes: which of them other code made cannot be told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rulealign.errors import ConfigurationError, StoreError
from rulealign.explain import differences, record_path

NAMED = 3
"""How many settings and modules the refusal names."""


def refuse_unnoted_results(
    results: Path, settings: Mapping[str, Any], modules: Mapping[str, str], metadata: Path
) -> None:
    """Refuse results of other code or other settings of which Snakemake has no notes.

    Snakemake runs again what its notes say was made by other params. Without them (a folder that
    was copied here alone, a `.snakemake` that was deleted) it takes every result for current.

    Args:
        results: the folder of the study's results.
        settings: the study's plain settings, as `provenance.json` keeps them.
        modules: all code, as `code_fingerprint.Sources.versions` gives it.
        metadata: `.snakemake/metadata`.

    Raises:
        ConfigurationError: says what differs, and what to do; nothing is touched.
        StoreError: the record cannot be read.
    """
    record = results / "provenance.json"
    if not record.is_file() or record_path(metadata, record.as_posix()).is_file():
        return
    try:
        before = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{record}: cannot be read ({error}). Delete it and type the same command again."
        ) from error
    reasons = _reasons(before, settings, modules)
    if reasons:
        raise ConfigurationError(
            f"{results}: made {' and '.join(reasons)}, and Snakemake's notes of it are not in"
            f" {metadata.parent}, so which of these results are still right cannot be told."
            f" Nothing was touched. Put the folder {metadata.parent} of the place where they were"
            f" computed here, or move {results} away and compute it anew; to go on with all of it"
            f" as it is, delete {record}: then no later change of settings or code runs any of"
            " these files again, until they are deleted."
        )


def _reasons(
    before: Mapping[str, Any], settings: Mapping[str, Any], modules: Mapping[str, str]
) -> list[str]:
    changed = list(differences(before.get("study", {}), dict(settings)))
    other = [f"with other settings ({_some(changed)})"] if changed else []
    code = before.get("code", {})
    names = sorted(modules.keys() | code.keys())
    edited = [name for name in names if code.get(name) != modules.get(name)]
    if not code:
        other.append("by an older version of rulealign")
    elif edited:
        other.append(f"by other code ({_some(edited)})")
    return other


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return "; ".join(names[:NAMED]) + more
