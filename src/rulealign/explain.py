"""Why a job would run again, in words: which setting, module or input is another one now."""

from __future__ import annotations

import ast
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

SHOWN = 3
"""How many files of a reason are named."""

WIDTH = 60
"""Longest value that is written out, characters."""

_HEADS = {
    "Missing output files: ": "not there yet",
    "Incomplete output files: ": "was left unfinished",
    "Updated input files: ": "input changed",
    "Input files updated by another job: ": "follows from",
    "Set of input files has changed since last execution": "inputs",
    "Params have changed since last execution: ": "params",
    "Code has changed since last execution": "its script is newer",
    "Software environment definition has changed since last execution": "other environment",
    "Forced execution": "asked for with --force",
}
_CODE = re.compile(r"[0-9a-f]{16}")


def why(job: Mapping[str, Any], recorded: Mapping[str, Any], notes: Path) -> list[str]:
    """Say why one job would run.

    Args:
        job: `reason` as Snakemake words it, `input`: the files that the job would read.
        recorded: what Snakemake noted of the job's last run; {} where it never ran.
        notes: the folder with what each fingerprint of code stands for (`Sources.remember`).

    Returns:
        One line per setting, module and file; the reasons of the job itself come first, then
        what it follows from.
    """
    own: list[str] = []
    after: list[str] = []
    for head, rest in _reasons(job["reason"]):
        if _HEADS[head] == "params":
            own += _params(rest, notes)
        elif _HEADS[head] == "inputs":
            own += _inputs(recorded.get("input") or [], job["input"])
        elif _HEADS[head] == "follows from":
            after.append(f"follows from: {_named(sorted(rest.split(', ')))}")
        else:
            files = sorted(rest.split(", "))
            own.append(_HEADS[head] + (f": {_named(files)}" if rest else ""))
    return list(dict.fromkeys(own + after)) or [job["reason"]]


def record_path(metadata: Path, output: str) -> Path:
    """Name the file in which Snakemake notes how an output was made.

    Args:
        metadata: `.snakemake/metadata`.
        output: the output, as the rule names it.

    Returns:
        The path: the name in base 64, cut into folders where it is too long for a file's name.
    """
    name = urlsafe_b64encode(output.encode()).decode()
    parts = [name[start : start + 254] for start in range(0, len(name), 254)]
    return metadata.joinpath(*[f"@{part}" for part in parts[:-1]], parts[-1])


def differences(old: Any, new: Any, key: str = "") -> Iterator[str]:
    """List where two settings differ, by key.

    Args:
        old: plain values: nested dicts, lists, texts, numbers.
        new: the same.
        key: where in the settings they stand.

    Yields:
        Such as "rule.learning_rate: 0.001 -> 0.002".
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(name for name in new if name not in old)]:
            place = f"{key}.{name}" if key else str(name)
            if name not in old:
                yield f"{place}: new, {_short(new[name])}"
            elif name not in new:
                yield f"{place}: gone, was {_short(old[name])}"
            else:
                yield from differences(old[name], new[name], place)
    elif old != new or type(old) is not type(new):
        yield f"{key or 'a value'}: {_short(old)} -> {_short(new)}"


def _reasons(text: str) -> Iterator[tuple[str, str]]:
    found = list(re.finditer("(?:^|; )(" + "|".join(map(re.escape, _HEADS)) + ")", text))
    ends = [one.start() for one in found] + [len(text)]
    for one, end in zip(found, ends[1:], strict=True):
        yield one[1], text[one.end() : end].strip()


def _params(text: str, notes: Path) -> list[str]:
    old, new = _before_and_now(text)
    lines = _code(old, new, notes)
    old_maps, new_maps = ([json.loads(v) for v in vs if _is_mapping(v)] for vs in (old, new))
    for after in new_maps:
        before = max(old_maps, key=lambda one: len(one.keys() & after.keys()), default=None)
        if before is None:
            lines.append(f"setting new: {_short(after)}")
            continue
        old_maps.remove(before)
        lines += [f"setting {line}" for line in differences(before, after)]
    lines += [f"setting gone: {_short(one)}" for one in old_maps]
    plain_old, plain_new = ([v for v in vs if not _is_special(v)] for vs in (old, new))
    if plain_old or plain_new:
        lines.append(f"setting: {_listed(plain_old)} -> {_listed(plain_new)}")
    return lines


def _before_and_now(text: str) -> tuple[list[Any], list[Any]]:
    text = text.partition("before: ")[2]
    for cut in re.finditer(" now: ", text):
        sides = [_literals(text[: cut.start()]), _literals(text[cut.end() :])]
        if None not in sides:
            return sides[0] or [], sides[1] or []
    return [text], []


def _literals(text: str) -> list[Any] | None:
    if text.strip() == "<nothing exclusive>":
        return []
    try:
        # what Snakemake joins are the values as Python writes them
        return ast.literal_eval(f"[{text.strip()}]")
    except (SyntaxError, ValueError):
        return None


def _code(old: Sequence[Any], new: Sequence[Any], notes: Path) -> list[str]:
    now = next((value for value in new if _is_code(value)), None)
    was = next((value for value in old if _is_code(value)), None)
    if now is None:
        return []
    if was is None:
        return ["code: none was recorded; the result comes from an older version"]
    before, after = (_noted(notes, value) for value in (was, now))
    if not before or not after:
        return [f"code: {was} -> {now} (which modules these were is not known any more)"]
    changed = [
        name
        if name in before and name in after
        else f"{name} ({'new' if name in after else 'gone'})"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
    return [f"code of {', '.join(changed)}"]


def _noted(notes: Path, code: str) -> dict[str, str]:
    note = notes / f"{code}.json"
    return json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}


def _inputs(old: Iterable[str], new: Iterable[str]) -> list[str]:
    before, after = set(old), set(new)
    added, gone = sorted(after - before), sorted(before - after)
    return [
        *([f"new input: {_named(added)}"] if added else []),
        *([f"input no longer used: {_named(gone)}"] if gone else []),
    ]


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def _is_mapping(value: Any) -> bool:
    if not isinstance(value, str) or not value.startswith("{"):
        return False
    try:
        json.loads(value)
    except json.JSONDecodeError:
        return False
    return True


def _is_special(value: Any) -> bool:
    return _is_code(value) or _is_mapping(value)


def _named(files: Sequence[str]) -> str:
    more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
    return ", ".join(files[:SHOWN]) + more


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(_short(value) for value in values) or "nothing"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."
