"""Broken study files: every setting misspelt or of another kind, and files that are no study."""

from __future__ import annotations

import copy
import random
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from helpers.unreadable_studies import unreadable_studies
from reliability import folders, in_place
from reliability.outcomes import Tally, judged

FILE = r"study\.yaml"
LIMIT_S = 90
"""A plan that takes longer never answers."""


@dataclass(frozen=True)
class Broken:
    """A study file that no study can be read from: what is wrong, its content, what to name."""

    what: str
    content: bytes
    named: tuple[str, ...]


def broken_studies(study: dict, count: int, rng: random.Random) -> Iterator[Broken]:
    """Yield broken files: those that are no study, then single mistakes in a sound one."""
    unreadable = [Broken(f"file: {w}", c, (FILE, n)) for w, c, n in unreadable_studies()]
    mistakes = [mistake for place in _settings(study) for mistake in _mistakes(study, place)]
    yield from unreadable
    yield from rng.sample(mistakes, max(0, min(len(mistakes), count - len(unreadable))))


def _settings(value: object, place: tuple = ()) -> Iterator[tuple]:
    # where settings stand that are no sections; of a list of sections, the first
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _settings(part, (*place, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from _settings(value[0], (*place, 0))
    elif place:
        yield place


def _mistakes(study: dict, place: tuple) -> Iterator[Broken]:
    value = _at(study, place)
    key = ".".join(map(str, place))
    names = [re.escape(str(part)) for part in place if isinstance(part, str)]
    named = (FILE, ".*".join([names[0], names[-1]] if len(names) > 1 else names))
    changed = copy.deepcopy(study)
    section = _at(changed, place[:-1])
    section[f"{place[-1]}x"] = section.pop(place[-1])
    misspelt = (FILE, f"{names[-1]}x")
    yield Broken(f"{key}: misspelt", _written(changed), misspelt)
    yield Broken(f"{key}: a section", _with(study, place, {"a": {"b": 1}}), named)
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield Broken(f"{key}: text", _with(study, place, "many"), named)
        yield Broken(f"{key}: not a number", _with(study, place, float("nan")), named)
    elif isinstance(value, list):
        yield Broken(f"{key}: one text for a list", _with(study, place, "a; b"), named)


def _at(study: dict, place: tuple) -> object:
    for part in place:
        study = study[part]
    return study


def _with(study: dict, place: tuple, value: object) -> bytes:
    changed = copy.deepcopy(study)
    _at(changed, place[:-1])[place[-1]] = value
    return _written(changed)


def _written(study: dict) -> bytes:
    return yaml.safe_dump(study, sort_keys=False).encode()


def measure(project: Path, count: int, rng: random.Random) -> Tally:
    """Plan broken study files with the real Snakemake; tell what came of it."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "study"
        study = folders.given_rdms(project, folder)
        for broken in broken_studies(study, count, rng):
            (folder / "study.yaml").write_bytes(broken.content)
            plan = ("--dry-run", "--quiet", "rules")
            answer = in_place.snakemake(project, folder, *plan, limit_s=LIMIT_S)
            tally.add(judged(answer, broken.named), broken.what, answer.said)
            shutil.rmtree(folder / "results", ignore_errors=True)
    return tally
