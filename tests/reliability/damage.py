"""Flipped bits and cut files: every kind of result is damaged, and a job that reads it is run."""

from __future__ import annotations

import random
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reliability import in_place
from reliability.folders import Finished, Job
from reliability.outcomes import Tally, judged


@dataclass(frozen=True)
class Damage:
    """One file, how it is damaged, its content then, and a job that reads it."""

    name: str
    what: str
    content: bytes
    reader: Job


def kind_of(name: str) -> str:
    """Give the kind of a result: its folder, and its name without what differs between files."""
    path = Path(name)
    parts = [part for part in path.stem.split("_") if "-" not in part and not part.isdigit()]
    folder = path.parent.name if len(path.parts) > 3 else "."
    return f"{folder}/{'_'.join(parts) or '*'}{path.suffix}"


def files_by_kind(study: Finished) -> dict[str, list[str]]:
    """Map each kind of result to its files that a job reads."""
    kinds: dict[str, list[str]] = {}
    for name, readers in study.consumers().items():
        if readers and (study.folder / name).is_file():
            kinds.setdefault(kind_of(name), []).append(name)
    return kinds


def flips(study: Finished, count: int, rng: random.Random, checkpoints: bool) -> Iterator[Damage]:
    """Yield files of which one bit is flipped; every kind in turn.

    Args:
        study: a finished study.
        count: how many.
        rng: draws file, bit and reader.
        checkpoints: flip bits of checkpoints only, or of everything else only.
    """
    kinds = {
        kind: names
        for kind, names in files_by_kind(study).items()
        if kind.endswith(".pt") == checkpoints
    }
    for kind in _in_turn(sorted(kinds), count):
        name = rng.choice(kinds[kind])
        content = bytearray((study.folder / name).read_bytes())
        bit = rng.randrange(8 * len(content))
        content[bit // 8] ^= 1 << bit % 8
        yield Damage(name, f"bit {bit}", bytes(content), _reader(study, name, rng))


def cuts(study: Finished, count: int, rng: random.Random) -> Iterator[Damage]:
    """Yield files that are cut short: text at the end of a line every other time."""
    kinds = files_by_kind(study)
    for turn, kind in enumerate(_in_turn(sorted(kinds), count)):
        name = rng.choice(kinds[kind])
        content = (study.folder / name).read_bytes()
        ends = [match.end() for match in re.finditer(b"\n", content)][:-1]
        if ends and kind.endswith((".csv", ".json", ".txt")) and turn // len(kinds) % 2 == 0:
            place, what = rng.choice(ends), "at the end of a line"
        else:
            place, what = rng.randrange(len(content)), "anywhere"
        what = f"cut {what}, after {place} bytes"
        yield Damage(name, what, content[:place], _reader(study, name, rng))


def _in_turn(kinds: Sequence[str], count: int) -> list[str]:
    return [kinds[turn % len(kinds)] for turn in range(count)]


def _reader(study: Finished, name: str, rng: random.Random) -> Job:
    return rng.choice(study.consumers()[name])


def measure(study: Finished, damages: Iterator[Damage]) -> Tally:
    """Run a job on each damaged file, in a copy of the study; tell what came of it."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "study"
        shutil.copytree(study.folder, copy, symlinks=True)
        for damage in damages:
            (copy / damage.name).write_bytes(damage.content)
            answer = in_place.job(damage.reader.script, copy)
            same = all(_same(study.folder / name, copy / name) for name in damage.reader.outputs)
            outcome = judged(answer, [re.escape(Path(damage.name).name)], same)
            tally.add(outcome, f"{damage.name}, {damage.what}", answer.said)
            for name in (damage.name, *damage.reader.outputs):
                _restore(study.folder / name, copy / name)
    return tally


def _same(one: Path, other: Path) -> bool:
    if one.is_dir():  # images, told by the truth beside them
        return True
    return other.is_file() and one.read_bytes() == other.read_bytes()


def _restore(source: Path, target: Path) -> None:
    if source.is_file() and not _same(source, target):
        shutil.copy2(source, target)
