"""Measure how the pipeline answers to faults, and write the page about it.

    PYTHONPATH=src:tests:tests/helpers python -m reliability --output docs/reliability.md

Sections can be measured one by one into the same --work; the page shows all that were.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from reliability import (
    bad_data,
    bad_studies,
    damage,
    folders,
    holds,
    in_place,
    interruptions,
    page,
    unsafe,
)
from reliability.data_images import image_cases
from reliability.data_rdms import rdm_cases
from reliability.data_tables import photograph_cases, trial_cases
from reliability.data_volumes import volume_cases
from reliability.outcomes import Tally

PROJECT = Path(__file__).parents[2]
SEED = 2026


def damaged(project: Path, work: Path, share: float) -> Iterator[tuple[str, Tally]]:
    """Measure flips and cuts."""
    study = folders.finished(project, work / "simulated", folders.simulated)
    for label, damages in (
        ("a bit flipped in a checkpoint", damage.flips(study, round(400 * share), _rng(), True)),
        ("a bit flipped in another result", damage.flips(study, round(800 * share), _rng(), False)),
        ("a result cut short", damage.cuts(study, round(200 * share), _rng())),
    ):
        yield label, damage.measure(study, damages)


def stopped(project: Path, work: Path, share: float) -> Iterator[tuple[str, Tally]]:
    """Measure interruptions."""
    study = folders.finished(project, work / "given", folders.given_rdms)
    shutil.rmtree(work / "stopped", ignore_errors=True)
    yield (
        "an interruption, then the same command",
        interruptions.measure(project, work / "stopped", study.folder, _rng()),
    )


def studies(project: Path, work: Path, share: float) -> Iterator[tuple[str, Tally]]:
    """Measure broken study files."""
    yield "a broken study file", bad_studies.measure(project, round(203 * share), _rng())


def given(project: Path, work: Path, share: float) -> Iterator[tuple[str, Tally]]:
    """Measure bad RDMs and images."""
    for label, cases in (("bad RDMs", rdm_cases), ("bad images in a folder", image_cases)):
        yield label, bad_data.measure(project, folders.given_rdms, _some(cases(), share))


def trials(project: Path, work: Path, share: float) -> Iterator[tuple[str, Tally]]:
    """Measure bad tables, volumes and archives of images."""
    for label, cases in (
        ("bad tables of trials or voxels", trial_cases),
        ("a bad archive of images", photograph_cases),
        ("bad volumes", volume_cases),
    ):
        yield label, bad_data.measure(project, folders.things, _some(cases(), share))


def unsafe_files(project: Path, work: Path, share: float) -> Iterator[tuple[str, Tally]]:
    """Measure unsafe files."""
    yield "an unsafe file", unsafe.measure()


def _some(cases: Iterator[bad_data.Case], share: float) -> list[bad_data.Case]:
    return list(cases)[:: max(1, round(1 / share))]


def holding(project: Path, work: Path, share: float) -> Iterator[tuple[str, Tally]]:
    """Measure what must hold."""
    tally, folder = holds.forms_agree(project, work)
    yield "tables and volumes: results with the same bytes", tally
    yield "files without the password of the images", holds.password_is_nowhere(folder)
    study = folders.finished(project, work / "given", folders.given_rdms)
    yield (
        "five changes at once: results with the bytes of a fresh run",
        holds.changes_end_like_a_fresh_run(project, work, study.folder),
    )


SECTIONS: dict[str, Callable[[Path, Path, float], Iterator[tuple[str, Tally]]]] = {
    "interruptions": stopped,
    "damage": damaged,
    "studies": studies,
    "rdms": given,
    "trials": trials,
    "unsafe": unsafe_files,
    "holds": holding,
}


def _rng() -> random.Random:
    return random.Random(SEED)


def _commit(project: Path) -> str:
    command = ["git", "-C", str(project), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def measure(project: Path, work: Path, sections: list[str], share: float) -> dict[str, dict]:
    """Measure sections, and note each row in `measured.json` of the work folder as it comes.

    Args:
        project: the checkout to measure; it must be the one that `rulealign` is imported from.
        work: a folder for finished studies; what is there from before is used again.
        sections: names of `SECTIONS`.
        share: how much of the full number of tries to make, at most 1.

    Returns:
        Row -> `section`, `commit`, `counts` (outcome -> tries) and `notes` of what was not
        answered well, of everything that is noted in the folder.
    """
    note = work / "measured.json"
    measured = json.loads(note.read_text()) if note.exists() else {}
    in_place.load_everything()
    for section in sections:
        for row, tally in SECTIONS[section](project, work, share):
            measured[row] = {"section": section, "commit": _commit(project)}
            measured[row] |= {"counts": dict(tally.counts), "notes": tally.notes}
            note.write_text(json.dumps(measured, indent=1))
            print(row, dict(tally.counts), *tally.notes, sep="\n    ", flush=True)
    return measured


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=PROJECT)
    parser.add_argument("--work", type=Path, help="a folder to keep finished studies in")
    parser.add_argument("--sections", nargs="*", default=list(SECTIONS), choices=SECTIONS)
    parser.add_argument("--share", type=float, default=1.0, help="of the full number of tries")
    parser.add_argument("--output", type=Path, help="the page to write")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        work = (arguments.work or Path(place)).absolute()
        work.mkdir(parents=True, exist_ok=True)
        measured = measure(arguments.project, work, arguments.sections, arguments.share)
    if arguments.output:
        arguments.output.write_text(page.written(measured))


if __name__ == "__main__":
    main()
