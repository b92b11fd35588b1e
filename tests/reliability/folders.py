"""Working folders for measuring: finished studies of seconds, their jobs, and copies of them."""

from __future__ import annotations

import ast
import pickle
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml

from changed_study import small_simulated_study
from reliability import in_place
from things_forms import generated_truth, write_tables, write_volumes
from workflow.conftest import small_settings, write_inputs
from workflow.test_things import PASSWORD, things_settings, write_images

SECRETS = (("THINGS_IMAGES_PASSWORD", PASSWORD), ("RULEALIGN_DATA_MIRRORS", ""))


@dataclass(frozen=True)
class Job:
    """A job of a finished study: its script as Snakemake wrote it, and the files it names."""

    script: Path
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Finished:
    """A working folder in which a study has run to its end, and the jobs of it that read results.

    Attributes:
        folder: the working folder.
        jobs: its jobs.
    """

    folder: Path
    jobs: tuple[Job, ...]

    def consumers(self) -> dict[str, list[Job]]:
        """Map every result to the jobs that read it."""
        made = {name for job in self.jobs for name in job.outputs}
        # what the jobs cost is read from logs: its inputs only say when
        reading = [job for job in self.jobs if not job.script.name.startswith("cost-")]
        return {name: [job for job in reading if name in job.inputs] for name in sorted(made)}


def given_rdms(project: Path, folder: Path) -> dict:
    """Write the inputs of the study on given RDMs; give its settings."""
    folder.mkdir(parents=True)
    write_inputs(folder)
    return small_settings(project)


def simulated(project: Path, folder: Path) -> dict:
    """Make the folder of the study on simulated responses, which has a list of pairs, too."""
    folder.mkdir(parents=True)
    study = small_simulated_study(project)
    study["brain"] |= {"stimulus_set": "first-exemplar", "pairs": "cross_run"}
    return study


def things(project: Path, folder: Path) -> dict:
    """Write a generated data set in the forms of THINGS-fMRI; give the settings of its study."""
    folder.mkdir(parents=True)
    truth = generated_truth(subjects=2, concepts=14, repeated=4, sessions=2, runs=3)
    (folder / "tables").mkdir()
    write_tables(folder / "tables", truth)
    write_volumes(folder / "volumes", truth)
    write_images(folder / "images.zip", truth)
    study = things_settings(small_settings(project))
    study["brain"]["rois"] = {"V1": ["V1"]}
    study["layer_map"] = [{"layer": "conv1", "roi": "V1"}]
    study["things"] |= {"root": "./tables"}
    return study


def write_study(folder: Path, study: dict) -> None:
    """Write the settings of a study to `study.yaml` of a folder."""
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))


def finished(project: Path, folder: Path, make) -> Finished:
    """Run a study to its end, or find it finished from before; give it with its jobs."""
    kept = folder.with_name(f"{folder.name}-jobs")
    if not (kept / "whole").exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(kept, ignore_errors=True)
        write_study(folder, make(project, folder))
        kept.mkdir()
        answer = in_place.snakemake(project, folder, kept=kept, environment=SECRETS)
        if answer.status != 0:
            raise RuntimeError(answer.said)
        (kept / "whole").touch()
    return Finished(folder, tuple(_job(path) for path in sorted(kept.glob("*.py"))))


def _job(script: Path) -> Job:
    # Snakemake wrote it a moment ago: the one pickle that is read here
    pickled = re.search(r"pickle\.loads\((b.*?)\);", script.read_text())
    told = pickle.loads(ast.literal_eval(pickled[1]))
    return Job(script, tuple(map(str, told.input)), tuple(map(str, told.output)))
