"""What holds whatever is done: two forms give one result, changes end like a fresh run."""

from __future__ import annotations

import shutil
from pathlib import Path

from reliability import folders, in_place
from reliability.data_volumes import as_volumes
from reliability.interruptions import differences
from reliability.outcomes import ACCEPTED, HARMLESS, Tally

OF_THE_FORM = ("provenance.json", "report.html", "study.yaml", "manifests")
"""What says where data were read, or which settings made a result: of two forms it differs."""


def forms_agree(project: Path, folder: Path) -> tuple[Tally, Path]:
    """Run a study on tables and on the same data as volumes; compare every result.

    Returns:
        One try for each result, and the working folder of the tables.
    """
    places = [folder / form for form in ("tables", "volumes")]
    for place, change in zip(places, (lambda study: None, as_volumes), strict=True):
        shutil.rmtree(place, ignore_errors=True)
        study = folders.things(project, place)
        change(study)
        _run(project, place, study)
    return _compared(*places, OF_THE_FORM), places[0]


def password_is_nowhere(folder: Path) -> Tally:
    """Search every file of a working folder, but the archive of images, for its password."""
    tally = Tally()
    secret = dict(folders.SECRETS)["THINGS_IMAGES_PASSWORD"].encode()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "images.zip":
            shown = secret in path.read_bytes()
            tally.add(ACCEPTED if shown else HARMLESS, f"{path}: holds the password")
    return tally


def changes_end_like_a_fresh_run(project: Path, folder: Path, finished: Path) -> Tally:
    """Change five settings of a finished study at once and run it; compare with a fresh run.

    Args:
        project: the checkout whose Snakefile is used.
        folder: where the two working folders are made.
        finished: the working folder of the study on given RDMs, run to its end.
    """
    changed, fresh = folder / "changed", folder / "fresh"
    for place in (changed, fresh):
        shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(finished, changed, symlinks=True)
    study = folders.given_rdms(project, fresh)
    five_changes(study)
    for place in (changed, fresh):
        _run(project, place, study)
    return _compared(changed, fresh, ())


def five_changes(study: dict) -> None:
    """Change a rule, the checkpoints, the stimuli, the bootstrap and the title of a study."""
    study["rules"]["fa"]["learning_rate"] = 0.002
    study["training"]["checkpoints"] = [0, 1, 2]
    study["stimuli"]["grey"]["background"] = "another"
    study["statistics"]["bootstrap_draws"] = 110
    study["title"] = "Changed"


def _run(project: Path, folder: Path, study: dict) -> None:
    folders.write_study(folder, study)
    answer = in_place.snakemake(project, folder, environment=folders.SECRETS)
    if answer.status != 0:
        raise RuntimeError(answer.said)


def _compared(one: Path, other: Path, but: tuple[str, ...]) -> Tally:
    tally = Tally()
    different = set(differences(one, other))
    for path in sorted((other / "results").rglob("*")):
        name = str(path.relative_to(other))
        if path.is_file() and not {"logs", *but} & set(path.parts):
            tally.add(ACCEPTED if name in different else HARMLESS, f"{name}: differs")
    return tally
