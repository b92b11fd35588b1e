"""Why a job would run: which setting, module or file is another one now, and what is missing."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rulealign.rerun.differences import change, differences
from rulealign.rerun.noted import read_note

SHOWN = 3
"""How many files of a reason are named, and how many reasons of a stage."""

LINE = 100
"""Longest line of the table, characters."""

NEW = "not made yet"

_NOTED = re.compile(r"(\w+):([0-9a-f]{16})")
_CODE = re.compile(r"'([0-9a-f]{16})'")


@dataclass(frozen=True)
class Job:
    """A job that would run, what Snakemake found of its files, and what it recorded before.

    Args:
        message: what the job does, in words.
        rule_name: the name of its rule.
        stage: the stage that the rule belongs to.
        outputs: its output files.
        inputs: its input files.
        params: name -> as Snakemake records it: `Noted`, or as Python writes it.
        missing: output files that are not there.
        unfinished: output files that a killed job left.
        updated: input files that are newer than the outputs, and other ones.
        made_before: input file that another job makes or changes first -> that job's rule.
        forced: asked for by hand.
        recorded_params: as Snakemake recorded them when the job last ran; None: it never ran.
        recorded_inputs: the input files then.
    """

    message: str
    rule_name: str
    stage: str
    outputs: Sequence[str]
    inputs: Sequence[str] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    missing: Sequence[str] = ()
    unfinished: Sequence[str] = ()
    updated: Sequence[str] = ()
    made_before: Mapping[str, str] = field(default_factory=dict)
    forced: bool = False
    recorded_params: Sequence[str] | None = None
    recorded_inputs: Sequence[str] = ()


def why(job: Job, notes: Path) -> list[str]:
    """Say why one job would run.

    Args:
        job: the job.
        notes: the folder with what fingerprints stand for (`rerun.noted.keep_note`).

    Returns:
        One line per setting, module and file that is another one now; empty where the job only
        follows from others (`Job.made_before`).
    """
    if job.missing and len(job.missing) == len(job.outputs):
        return [NEW]
    files = {
        "its output is missing": job.missing,
        "was left unfinished": job.unfinished,
        "input changed": job.updated,
    }
    lines = ["asked for with --force"] if job.forced else []
    lines += [f"{words}: {first_ones(sorted(found))}" for words, found in files.items() if found]
    if job.recorded_params is not None:
        lines += _params(set(job.recorded_params), job.params, notes)
        lines += _set_of_files(job.recorded_inputs, job.inputs)
    return list(dict.fromkeys(lines))


def listing(jobs: Iterable[Job], notes: Path) -> str:
    """List jobs with all their reasons.

    Args:
        jobs: what would run, in order.
        notes: as in `why`.

    Returns:
        For each job "- rule: message", and its reasons below, indented.
    """
    lines = []
    for job in jobs:
        lines.append(f"- {job.rule_name}: {job.message}")
        reasons = why(job, notes)
        if job.made_before and reasons != [NEW]:
            reasons.append(f"follows from: {first_ones(sorted(job.made_before))}")
        lines += [f"    {reason}" for reason in reasons]
    return "\n".join(lines)


def table(jobs: Sequence[Job], notes: Path) -> str:
    """Sum jobs up: stage, jobs, why.

    Args:
        jobs: what would run, in order; stages come in the order of their first job.
        notes: as in `why`.

    Returns:
        One line per stage and reason, and the total.
    """
    reasons: dict[str, Counter[str]] = {}
    before: dict[str, set[str]] = {}
    for job in jobs:
        reason = "; ".join(why(job, notes))
        reasons.setdefault(job.stage, Counter())[reason] += 1
        before.setdefault(job.stage, set()).update([] if reason else job.made_before.values())
    rows = [("stage", "jobs", "why")]
    for stage, found in reasons.items():
        after = f"follows from {', '.join(sorted(before[stage]))}"
        rows += [(stage, str(count), reason or after) for reason, count in _some(found)]
    rows.append(("total", str(len(jobs)), ""))
    wide = max(len(stage) for stage, _, _ in rows)
    lines = [f"{stage:{wide}}  {count:>5}  {reason}".rstrip() for stage, count, reason in rows]
    return "\n".join(line if len(line) <= LINE else f"{line[: LINE - 3]}..." for line in lines)


def _some(reasons: Counter[str]) -> list[tuple[str, int]]:
    ordered = reasons.most_common()
    if len(ordered) <= SHOWN + 1:
        return ordered
    others = sum(count for _, count in ordered[SHOWN:])
    return [*ordered[:SHOWN], (f"{len(ordered) - SHOWN} other reasons, see `make explain`", others)]


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


def _params(recorded: set[str], params: Mapping[str, str], notes: Path) -> Iterator[str]:
    before, plain_before = _by_name(recorded.difference(params.values()))
    now, plain_now = _by_name(set(params.values()) - recorded)
    for name in {**before, **now}:
        if name not in now:
            yield f"settings of {name}: no longer used"
        elif name in before:
            yield from _changed(name, *(_values(notes, one[name]) for one in (before, now)))
        elif name == "code":
            yield "code: none was recorded; the result comes from an older version"
        else:
            yield f"settings of {name}: new"
    if plain_before or plain_now:
        names = [name for name, text in params.items() if text in plain_now]
        sides = (", ".join(sorted(texts)) or "nothing" for texts in (plain_before, plain_now))
        yield f"setting {', '.join(names)}: {change(*sides)}".replace("setting :", "setting:")


def _by_name(recorded: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    named, plain = {}, []
    for text in recorded:
        if found := _NOTED.fullmatch(text):
            named[found[1]] = found[2]
        elif found := _CODE.fullmatch(text):
            named["code"] = found[1]
        else:
            plain.append(text)
    return named, plain


def _values(notes: Path, key: str) -> Any:
    value = read_note(notes, key)
    if not isinstance(value, dict):
        return value
    # settings that name others by their fingerprint, such as `checkpoint_settings_hash`
    return {
        name.removesuffix("_settings_hash"): (_is_hash(one) and read_note(notes, one)) or one
        for name, one in value.items()
    }


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{16}", value) is not None


def _changed(name: str, before: Any, now: Any) -> Iterator[str]:
    if name == "folder":
        yield "files of a folder: added, removed or written anew; which is not recorded"
    elif before is None or now is None:
        what = "code" if name == "code" else f"settings of {name}"
        yield f"{what}: changed; what it was is no longer known"
    elif name in ("code", "modules"):
        yield f"code of {', '.join(_modules(before, now))}"
    elif name == "files":
        yield from _files(dict(before), dict(now))
    else:
        yield from (f"setting {line}" for line in differences(before, now))


def _modules(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        name if name in before and name in now else f"{name} ({'new' if name in now else 'gone'})"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]


def _files(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    yield from _set_of_files(before, now)
    changed = [one for one in now if one in before and before[one] != now[one]]
    if changed:
        yield f"input changed: {first_ones(changed)}"


def _set_of_files(before: Iterable[str], now: Iterable[str]) -> Iterator[str]:
    old, new = set(before), set(now)
    if added := sorted(new - old):
        yield f"new input: {first_ones(added)}"
    if gone := sorted(old - new):
        yield f"input no longer used: {first_ones(gone)}"


def first_ones(files: Sequence[str]) -> str:
    """Name the first files, and say how many more there are.

    Args:
        files: paths in order.
    """
    more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
    return ", ".join(files[:SHOWN]) + more
