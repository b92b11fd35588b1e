"""Results that have replaced those of Snakemake's notes: which are right cannot be told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rulealign.errors import ConfigurationError
from rulealign.json_files import read_json
from rulealign.rerun.differences import differences
from rulealign.rerun.explain import record_path
from rulealign.rerun.noted import Noted
from rulealign.rerun.study_folder import RECORD

NAMED = 3
"""How many settings and modules the refusal names."""

SAME_TIME = 1.0
"""Seconds that the time of a file and the noted one may lie apart, as file systems round them."""


def refuse_unnoted_results(
    results: Path, study: Mapping[str, object], modules: Mapping[str, str], metadata: Path
) -> None:
    """Refuse results of other code or other settings that Snakemake's notes are not about.

    Snakemake runs again what its notes say was made by other params. With the notes of other
    results (a folder copied over one that was computed here) it compares those. Results without
    any notes are held against their manifests, one by one: see `left_results`.

    Args:
        results: the folder of the study's results.
        study: its plain settings, as `provenance.json` keeps them.
        modules: all code, as `rerun.code_fingerprint.Sources.versions` gives it.
        metadata: `.snakemake/metadata`.

    Raises:
        ConfigurationError: says what differs, and what to do; nothing is touched.
        StoreError: the record cannot be read.
    """
    record = results / RECORD
    note = record_path(metadata, record.as_posix())
    if not record.is_file() or not note.is_file() or _is_as_noted(record, note, metadata):
        return
    before = read_json(record)
    reasons = _reasons(before, study, modules)
    if not reasons or _states(note, before):
        return
    raise _refusal(results, " and ".join(reasons), metadata.parent)


def _refusal(results: Path, made: str, kept: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{results}: made {made}, and Snakemake's notes in {kept} are of other results, which these"
        " have replaced, so which of these results are still right cannot be told. Nothing was"
        f" touched. Put the folder {kept} of the place where they were computed here, or move"
        f" {results} away and compute it anew; to go on with all of it as it is, delete"
        f" {results / 'provenance.json'}: then these files count as made in the way that the notes"
        " say."
    )


def _is_as_noted(record: Path, note: Path, metadata: Path) -> bool:
    # a job that was killed before its note was written: Snakemake makes the record anew
    incomplete = metadata.with_name("incomplete")
    if record_path(incomplete, record.as_posix()).exists():
        return True
    # `snakemake --touch` notes the settings of now for the record that is there
    ended = _noted(note).get("endtime")
    return ended is None or abs(record.stat().st_mtime - ended) < SAME_TIME


def _states(note: Path, record: Mapping[str, Any]) -> bool:
    # the params are noted by their fingerprints; older versions recorded no code
    params = _noted(note).get("params")
    names = {"study": "study", "code": "modules"}
    stated = [Noted(name, record[key]) for key, name in names.items() if key in record]
    return params is None or all(repr(param) in params for param in stated)


def _noted(note: Path) -> dict[str, Any]:
    # a note that cannot be read is Snakemake's affair: it says so, and goes on without
    try:
        return json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def _reasons(
    before: Mapping[str, Any], study: Mapping[str, object], modules: Mapping[str, str]
) -> list[str]:
    changed = list(differences(before.get("study", {}), dict(study)))
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
