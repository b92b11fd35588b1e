"""Many data sets, measured and kept: what is there already is not measured again."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from functools import partial
from io import StringIO
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

import rulealign
from rulealign.atomic import whole
from rulealign.errors import DataError
from rulealign.provenance import fingerprint
from rulealign.store import read_csv, write_csv
from validation.data_sets import ALL, measured
from validation.tables import Truths, named_truths
from validation.truths import truth, truth_of_subjects
from validation.world import Row, Setting, draw_scenes

MANY = 800
"""Stimuli in a batch of the truth of many stimuli."""

_BATCHES, _LARGE_BATCHES, _CROWD = 120, 4, 300
_SAVE_EVERY = 10
_OTHER = "is of another setting of the simulation, or of other code; delete it."


def _mark(setting: Setting) -> str:
    # what is kept belongs to this simulation and to the code that measured it: all of the library,
    # as a page of old numbers would look new
    folders = (Path(rulealign.__file__).parent, Path(__file__).parent)
    files = ((folder, file) for folder in folders for file in folder.rglob("*.py"))
    code = {f"{folder.name}/{file.relative_to(folder)}": file.read_text() for folder, file in files}
    return fingerprint({"setting": asdict(setting), "code": code})


def measured_sets(
    setting: Setting, sets: int, jobs: int, kept: Path, kinds: Sequence[str] = ALL
) -> pd.DataFrame:
    """Measure data sets 0 to `sets - 1`, and keep them in a table as they come.

    Args:
        setting: of the simulation.
        sets: how many.
        jobs: processes; changes no number.
        kept: a CSV file of an earlier run of the same setting, kinds and code, or one to make.
        kinds: of `data_sets.KINDS`; by default all.

    Returns:
        One row per data set, as read back from the file.

    Raises:
        DataError: the file is of another setting or other code.
        StoreError: the file cannot be read, or the disk is full.
    """
    rows = _kept_rows(setting, kept)
    todo = [number for number in range(sets) if number not in {row["set"] for row in rows}]
    begun, about = time.monotonic(), {"setting": _mark(setting)}
    for done, (number, row) in enumerate(_measured(setting, todo, jobs, kinds), start=1):
        rows.append(about | {"set": number} | row)
        if done % _SAVE_EVERY == 0 or done == len(todo):
            write_csv(kept, pd.DataFrame(rows).sort_values("set"))
        spent = time.monotonic() - begun
        left = spent / done * (len(todo) - done)
        print(f"data set {done} of {len(todo)}: {spent:.0f} s, {left:.0f} s left", flush=True)
    table = read_csv(kept)
    return table[table["set"] < sets].reset_index(drop=True)


def _kept_rows(setting: Setting, kept: Path) -> list[dict]:
    if not kept.exists():
        return []
    table = read_csv(kept)
    if (table["setting"] != _mark(setting)).any():
        raise DataError(f"{kept}: {_OTHER}")
    return table.to_dict("records")


def _measured(
    setting: Setting, numbers: list[int], jobs: int, kinds: Sequence[str]
) -> Iterator[tuple[int, Row]]:
    one = partial(_measured_alone, setting, kinds)
    if jobs == 1:
        yield from zip(numbers, map(one, numbers), strict=True)
        return
    with get_context("spawn").Pool(jobs) as pool:
        yield from zip(numbers, pool.imap(one, numbers), strict=True)


def _measured_alone(setting: Setting, kinds: Sequence[str], number: int) -> Row:
    # the pipeline's own lines for each file would bury the progress
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()), threadpool_limits(1):
        return measured(setting, number, Path(folder), kinds)


def kept_truths(
    setting: Setting, kept: Path, find: Callable[[Setting], Truths] | None = None
) -> Truths:
    """Find the truths, or read them where they were found before.

    Args:
        setting: of the simulation.
        kept: a JSON file of an earlier run of the same setting, or one to make.
        find: how; by default `find_truths`.

    Returns:
        Kind of truth -> what -> its value; `errors` of the same form holds standard errors.

    Raises:
        DataError: the file is of another setting or other code.
        StoreError: the disk is full.
    """
    mark = _mark(setting)
    if kept.exists():
        found = json.loads(kept.read_text(encoding="utf-8"))
        if found.pop("setting", None) != mark:
            raise DataError(f"{kept}: {_OTHER}")
        return found
    print("the truths: many stimuli and subjects, without the pipeline", flush=True)
    found = (find or find_truths)(setting)
    with whole(kept) as temporary:
        text = json.dumps({"setting": mark} | found, indent=2)
        temporary.write_text(text + "\n", encoding="utf-8")
    return found


def find_truths(
    setting: Setting, batches: int = _BATCHES, large: int = _LARGE_BATCHES, crowd: int = _CROWD
) -> Truths:
    """Find what the intervals have to cover.

    Args:
        setting: of the simulation.
        batches: of as many stimuli as a data set has.
        large: batches of `MANY` stimuli; 0 leaves the truths of many stimuli out.
        crowd: subjects who see the stimuli that all share.

    Returns:
        As `kept_truths`.
    """
    wanted = [
        ("fixed subjects", setting.stimuli, batches),
        ("new subjects", setting.stimuli, batches),
    ]
    wanted += [(f"{name}, many", MANY, large) for name, _, _ in wanted if large]
    found: dict[str, dict[str, float]] = {}
    for name, stimuli, count in wanted:
        found |= _over_stimuli(setting, name, stimuli, count)
    with threadpool_limits(1):
        common = draw_scenes(setting, setting.stimuli, "common")
        values, errors = truth_of_subjects(setting, common, crowd)
    return found | {
        "same stimuli": named_truths(values),
        "same stimuli, error": named_truths(errors),
    }


def find_truth_of_fixed_subjects(setting: Setting) -> Truths:
    """Find what intervals over stimuli have to cover, and nothing else.

    Args:
        setting: of the simulation.

    Returns:
        As `kept_truths`, of the kind `fixed subjects` only.
    """
    return _over_stimuli(setting, "fixed subjects", setting.stimuli, _BATCHES)


def _over_stimuli(setting: Setting, name: str, stimuli: int, batches: int) -> Truths:
    with threadpool_limits(1):
        new = name.startswith("new")
        values, errors = truth(setting, name, stimuli, batches, new_subjects=new)
    return {name: named_truths(values), f"{name}, error": named_truths(errors)}
