"""A small complete study on given RDMs, and real Snakemake runs of it."""

import atexit
import copy
import functools
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from changed_study import EXPLAINED, SEEN_BY_JOBS, make_checkout
from complete_studies import complete
from helpers.snakemake_calls import Call
from rulealign.rerun.code_fingerprint import Sources

STIMULI = 12
ODD_TEXT = "=How $r_{s}$ of {word}, {} and <word> change: 100%, \\frac{1}{2}"
"""What a title or a claim may say; Snakemake, LaTeX, HTML and spreadsheets find something in it."""


@pytest.fixture(scope="session")
def small_study(project):
    """Give the settings of a study of seconds: given RDMs, one seed, one epoch."""
    return small_settings(project)


def small_settings(project):
    """Make the settings of a study of seconds: given RDMs, one seed, one epoch."""
    study = complete(project / "workflow_config.yaml")
    study |= {"study": "small", "title": ODD_TEXT, "question": ODD_TEXT}
    study["training_set"] |= {"pool_images": 300, "train_images": 256, "held_out_images": 100}
    study["training"] |= {"seeds": [1], "fewer_seeds": {}, "checkpoints": [0, 1]}
    study["networks"]["cnn3"] |= {"channels": [4, 6, 8], "hidden_units": 16}
    study["rules"] = {name: study["rules"][name] for name in ("untrained_bn", "bp", "fa")}
    study["stimuli"] = {
        "grey": {"kind": "folder", "source": "./images", "background": "noise", "as_shown": True}
    }
    study["brain"] = {
        "kind": "rdm-archive",
        "subjects": 3,
        "ids": "image_{:02d}",
        "acquisition": ODD_TEXT,
        "distance": "1 - Pearson",
        "rois": {"EVC": {"source": "./rdms.npz", "key": "EVC"}},
    }
    study["evaluation"] |= {
        "sizes": [32],
        "descriptors": ["global-average", "grid-2"],
        "centring": ["centred"],
    }
    study["layer_map"] = [{"layer": "conv1", "roi": "EVC"}, {"layer": "fc1", "roi": "EVC"}]
    study["statistics"] |= {"bootstrap_draws": 100, "null_draws": 50}
    study["universes"] |= {
        "stimuli": ["grey"],
        "size": [32],
        "descriptor": ["grid-2", "global-average"],
        "centring": ["centred"],
    }
    claim = study["claims"]["bp_drop"] | {"roi": "EVC", "statement": ODD_TEXT}
    study["claims"] = {"bp_drop": claim}
    study["report"] |= {"stimuli": "grey", "descriptor": "grid-2"}
    return study


def write_inputs(folder, seed=0):
    """Write the images and RDMs that the small study names, in a working folder."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir()
    for number in range(1, STIMULI + 1):
        pixels = rng.integers(0, 255, (40, 44, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"image_{number:02d}.png")
    shared = rng.random((STIMULI, 30))
    own = [np.corrcoef(shared + rng.random(shared.shape)) for _ in range(3)]
    rdms = np.stack([1 - (one + one.T) / 2 for one in own])
    rdms[:, range(STIMULI), range(STIMULI)] = 0
    np.savez(folder / "rdms.npz", EVC=rdms)


@functools.cache
def noted_sources(project):
    """Give a folder of notes on all source files: a first call would read them for a second."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    Sources(project / "scripts", remember=folder).versions()
    return folder


class Run:
    """One working folder in which Snakemake is called for real."""

    def __init__(self, project, folder, study):
        self.project, self.folder, self.study = project, folder, copy.deepcopy(study)
        self.environment = {"RULEALIGN_DATA_MIRRORS": "", **EXPLAINED}

    def begin(self, *arguments, cores=2, study_file=None, **how):
        """Call Snakemake on the study as it stands in `self.study`, or on a study file.

        `how` is as `Call` takes it; the call that has begun is given.
        """
        notes = self.folder / ".snakemake/code"
        if not notes.exists():
            shutil.copytree(noted_sources(self.project), notes)
        study = study_file or self.folder / "study.yaml"
        if not study_file:
            study.write_text(yaml.safe_dump(self.study, sort_keys=False))
        words = ["--snakefile", self.project / "Snakefile", "--directory", self.folder]
        words += ["--cores", cores, "--configfile", study]
        words += ["--workflow-profile", self.project / "profiles" / "default", *arguments]
        return Call(words, Path.cwd(), {**os.environ, **self.environment}, **how)

    def snakemake(self, *arguments, check=False, **how):
        """Call Snakemake as `begin` does, and wait for its end."""
        done = self.begin(*arguments, **how).ended()
        if check:
            assert done.returncode == 0, done.output
        return done

    def results(self):
        """Map every result but logs to its bytes."""
        root = self.folder / "results" / self.study["study"]
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file() and path.relative_to(root).parts[0] != "logs"
        }


@pytest.fixture
def new_run(project, small_study, tmp_path):
    """Give a working folder with inputs and no results."""
    write_inputs(tmp_path)
    return Run(project, tmp_path, small_study)


@pytest.fixture(scope="session")
def finished(project, small_study, tmp_path_factory):
    """Give a working folder in which the small study has run to its end."""
    folder = tmp_path_factory.mktemp("finished")
    write_inputs(folder)
    run = Run(project, folder, small_study)
    run.first = run.snakemake(check=True)
    return run


@pytest.fixture(scope="session")
def done(project, tmp_path_factory):
    """Give a checkout in which the study has run; every job noted the modules that it loaded."""
    folder = tmp_path_factory.mktemp("changed")
    checkout = make_checkout(project, folder / "checkout")
    (folder / "seen").mkdir()
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(SEEN_BY_JOBS)
    checkout.seen = folder / "seen"
    checkout.snakemake("--cores", "2", SEEN=checkout.seen, PYTHONPATH=folder / "site")
    return checkout
