"""Why a job would run again, in words: which setting, module or input is another one now."""

from __future__ import annotations

import ast
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rulealign.differences import change, differences, is_plain, shortened, text_of

SHOWN = 3
"""How many files of a reason are named."""

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
_HASH = re.compile(r"[0-9a-f]{16}")
_OF_CHECKPOINT = "checkpoint_settings_hash: "


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
            own += _params(rest, job["input"], notes)
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


def _reasons(text: str) -> Iterator[tuple[str, str]]:
    found = list(re.finditer("(?:^|; )(" + "|".join(map(re.escape, _HEADS)) + ")", text))
    ends = [one.start() for one in found] + [len(text)]
    for one, end in zip(found, ends[1:], strict=True):
        yield one[1], text[one.end() : end].strip()


def _params(text: str, inputs: Sequence[str], notes: Path) -> list[str]:
    old, new = _before_and_now(text)
    lines = _hashes(old, new, inputs, notes)
    values = ([_read(v) for v in vs if not _is_hash(v)] for vs in (old, new))
    pairs, gone, added = _matched(*values)
    for before, after in pairs:
        lines += _pair(before, after, inputs)
    lines += [f"setting new: {shortened(text_of(one))}" for one in added if isinstance(one, dict)]
    lines += [f"setting gone: {shortened(text_of(one))}" for one in gone if isinstance(one, dict)]
    plain_old, plain_new = ([v for v in vs if not isinstance(v, dict)] for vs in (gone, added))
    if plain_old or plain_new:
        lines.append(f"setting: {_plain_change(plain_old, plain_new)}")
    return lines


def _matched(
    old: Iterable[Any], new: Iterable[Any]
) -> tuple[list[tuple[Any, Any]], list[Any], list[Any]]:
    # Snakemake keeps no names of params: what is alike in kind and keys was the same one
    pairs, gone, added = [], list(old), []
    for after in new:
        alike = [one for one in gone if _kind(one) and _kind(one) == _kind(after)]
        if not alike:
            added.append(after)
            continue
        before = max(alike, key=lambda one: len(_keys(one) & _keys(after)))
        gone.remove(before)
        pairs.append((before, after))
    return pairs, gone, added


def _pair(before: Any, after: Any, inputs: Sequence[str]) -> list[str]:
    kind = _kind(after)
    if kind == "listings":
        return [_folder_changed([])]
    if kind == "files":
        return _files(dict(before), dict(after))
    if kind == "modules":
        return [f"code of {', '.join(_modules(before, after))}"]
    networks = [file for file in inputs if file.endswith(".pt")]
    of_checkpoint = f"settings of its checkpoint {_named(networks)}".rstrip()
    return [
        of_checkpoint if line.startswith(_OF_CHECKPOINT) else f"setting {line}"
        for line in differences(before, after)
    ]


def _files(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    changed = [one for one in after if one in before and before[one] != after[one]]
    return [
        *_inputs(before, after),
        *(
            _folder_changed([one])
            if _is_hash(after[one])
            else f"input changed: {one} ({before[one]} -> {after[one]} bytes)"
            for one in changed[:SHOWN]
        ),
        *([f"input changed: {len(changed) - SHOWN} more"] if len(changed) > SHOWN else []),
    ]


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


def _hashes(old: list[Any], new: list[Any], inputs: Iterable[str], notes: Path) -> list[str]:
    folders = [one for one in inputs if Path(one).is_dir()]
    now, before = ([value for value in values if _is_hash(value)] for values in (new, old))
    # planning notes every code that it asks for: what is not noted is the listing of a folder
    codes = [value for value in now if _noted(notes, value) or not folders]
    listings = [value for value in now if value not in codes]
    if listings and "" in old:
        old.remove("")  # what lists no folder
    elif listings:
        before = _without_listing(before, notes)
    lines = [_code(before, codes[0], notes)] if codes else []
    return lines + ([_folder_changed(folders)] if listings else [])


def _without_listing(before: Sequence[str], notes: Path) -> list[str]:
    # where the note of a code was deleted, the one that is left still stands for it
    known = [value for value in before if _noted(notes, value)]
    return known or list(before[1:])


def _folder_changed(folders: Sequence[str]) -> str:
    where = f"the folder {_named(folders)}" if folders else "a folder"
    return f"files of {where} changed: added, removed or written anew; which is not recorded"


def _code(before: Sequence[str], now: str, notes: Path) -> str:
    if not before:
        return "code: none was recorded; the result comes from an older version"
    was = next(filter(None, (_noted(notes, value) for value in before)), None)
    after = _noted(notes, now)
    if not was or not after:
        return "code: changed; which modules these were is not known any more"
    return f"code of {', '.join(_modules(was, after))}"


def _modules(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return [
        name
        if name in before and name in after
        else f"{name} ({'new' if name in after else 'gone'})"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


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


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def _read(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "modules" if value and all(map(_is_hash, value.values())) else "settings"
    if not isinstance(value, list):
        return ""
    if all(map(_is_file, value)):
        return "files"
    if any(map(_is_hash, value)):
        return "listings"
    return "" if is_plain(value) else "list"


def _is_file(value: Any) -> bool:
    # its name and its size, or the listing of a folder
    if not isinstance(value, list) or [type(one) for one in value[:1]] != [str]:
        return False
    return len(value) == 2 and (type(value[1]) is int or _is_hash(value[1]))


def _keys(value: Any) -> set[str]:
    maps = value if isinstance(value, list) else [value]
    return {key for one in maps if isinstance(one, dict) for key in one}


def _named(files: Sequence[str]) -> str:
    more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
    return ", ".join(files[:SHOWN]) + more


def _plain_change(old: Iterable[Any], new: Iterable[Any]) -> str:
    for write in (text_of, repr):  # repr tells the number 1 from the text 1
        sides = [", ".join(sorted(map(write, values))) or "nothing" for values in (old, new)]
        if sides[0] != sides[1]:
            break
    return change(*sides)
