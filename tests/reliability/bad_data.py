"""Bad data: each kind is planted in a sound study, which is then planned and checked for real."""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from reliability import folders, in_place
from reliability.outcomes import ANSWERED, Tally, judged

CHECKS = ("statistics/quality.csv", "statistics/inputs.csv")
"""What checks stimuli and brain data; no network is trained before, and none for these."""


@dataclass(frozen=True)
class Case:
    """A fault in data.

    Attributes:
        what: the fault, in words.
        plant: plants it in a working folder with inputs.
        named: what the message must name, as regular expressions: the file, the place.
        change: changes the settings of the study with it; by default nothing.
        sound: what is planted can be read without a doubt, and must give the same output.
    """

    what: str
    plant: Callable[[Path], object]
    named: tuple[str, ...]
    change: Callable[[dict], object] = field(default=lambda study: None)
    sound: bool = False


def measure(project: Path, make: Callable[[Path, Path], dict], cases: Iterable[Case]) -> Tally:
    """Plant each fault in a folder of its own, and let the real Snakemake plan and check it.

    Args:
        project: the checkout whose Snakefile is used.
        make: writes sound inputs to a folder, and gives the settings of their study.
        cases: the faults.
    """
    tally = Tally()
    with tempfile.TemporaryDirectory() as place:
        sound = Path(place) / "sound"
        study = make(project, sound)
        folders.write_study(sound, study)
        answer = _checked(project, sound, study["study"])
        if answer.status != 0:
            raise RuntimeError(f"the study without a fault is refused: {answer.said}")
        output = _output(sound)
        shutil.rmtree(sound / "results")
        for number, case in enumerate(cases):
            folder = Path(place) / str(number)
            shutil.copytree(sound, folder, symlinks=True)
            _add(tally, case, project, folder, study, output)
            shutil.rmtree(folder)
    return tally


def _add(tally, case, project, folder, study, output) -> None:
    changed = copy.deepcopy(study)
    case.change(changed)
    case.plant(folder)
    folders.write_study(folder, changed)
    answer = _checked(project, folder, study["study"])
    same = answer.status == 0 and _output(folder) == output
    outcome = judged(answer, case.named, same)
    if case.sound and same:
        outcome = ANSWERED
    tally.add(outcome, case.what, answer.said)


def _checked(project: Path, folder: Path, name: str) -> in_place.Answer:
    targets = [f"results/{name}/{check}" for check in CHECKS]
    arguments = ["--quiet", "rules", "progress", "--", *targets]
    return in_place.snakemake(project, folder, *arguments, environment=folders.SECRETS)


def _output(folder: Path) -> dict[str, bytes]:
    # RDMs, stimuli and what was found of their quality: all numbers that data make
    kinds = ("*/brain/*.h5", "*/stimuli/*.h5", "*/statistics/*.csv")
    found = [path for kind in kinds for path in (folder / "results").glob(kind)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(found)}
