"""A copy of the checkout with a finished study of a minute, to change and to plan anew."""

import contextlib
import copy
import os
import re
import shutil
from collections import Counter
from pathlib import Path

import yaml

from complete_studies import complete
from helpers.snakemake_calls import Call
from no_claims import without_claims

COPIED = (
    "Snakefile",
    "workflow_config.yaml",
    "rules",
    "scripts",
    "src",
    "profiles",
    "docs",
    "envs",
)

EXPLAINED = {"RULEALIGN_EXPLAIN": "1"}  # a plan lists every job, too


SEEN_BY_JOBS = """
import atexit, json, os, re, sys

@atexit.register
def note():
    script = re.search(r"scripts/\\w+\\.(\\w+)\\.py$", sys.argv[0])
    if script:
        found = [name for name in sys.modules if name.split(".")[0] == "rulealign"]
        with open(os.path.join(os.environ["SEEN"], f"{script[1]}-{os.getpid()}.json"), "w") as file:
            json.dump([script[1], sorted(found)], file)
"""


def small_simulated_study(project):
    """Give the settings of a study with simulated responses: 2 subjects, 2 ROIs, 2 rules, 1 seed;
    one claim, about fa in V1."""
    study = complete(project / "workflow_config.yaml")
    study["study"] = "changed"
    study["training_set"] |= {"pool_images": 300, "train_images": 256, "held_out_images": 100}
    study["training"] |= {"seeds": [1], "fewer_seeds": {}, "checkpoints": [0, 2]}
    study["training"] |= {"schedule_epochs": 4}
    study["networks"]["cnn3"] |= {"channels": [4, 6, 8], "hidden_units": 16}
    study["rules"] = {name: {**study["rules"][name], "baseline": None} for name in ("bp", "fa")}
    study["rules"]["fa"]["schedule"] = "constant"
    brain = study["brain"]
    brain |= {"subjects": 2, "concepts": 12, "repeated_images": 12, "image_size": 32}
    brain |= {"sessions": 2, "runs": 2, "voxels_per_roi": 30}
    brain["rois"] = {"V1": ["V1"], "LOC": ["lLOC", "rLOC"]}
    study["evaluation"] |= {"sizes": [32], "layers": ["conv1", "fc1"], "batch_size": 64}
    study["evaluation"] |= {"descriptors": ["global-average"], "centring": ["centred"]}
    study["controls"] = ["mean-luminance"]
    study["layer_map"] = [{"layer": "conv1", "roi": "V1"}, {"layer": "fc1", "roi": "LOC"}]
    study["statistics"] |= {"bootstrap_draws": 100, "null_draws": 40}
    study["report"] |= {"stimuli": "shown", "descriptor": "global-average"}
    claim = study["claims"]["fa_drop"] | {"plus": [{"rule": "fa", "epoch": 2}]}
    return without_claims(study) | {"claims": {"fa_drop": claim}}


def messages(plan):
    """Give the messages of the jobs of a plan that lists each of them (`EXPLAINED`)."""
    return sorted(re.findall(r"^- \w+: (.*)$", plan, re.MULTILINE))


def counts(plan):
    """Give how often each rule would run."""
    return Counter(re.findall(r"^- (\w+): ", plan, re.MULTILINE))


class Checkout:
    """A copy of the project's files in which a study is run."""

    def __init__(self, folder, study):
        self.folder, self.study = Path(folder), study

    def write_study(self):
        """Write the study as it stands to its file."""
        (self.folder / "study.yaml").write_text(yaml.safe_dump(self.study, sort_keys=False))

    def snakemake(self, *arguments, PYTHONPATH="", **environment):
        """Call Snakemake as a user of this checkout does, and give what it prints."""
        self.write_study()
        path = os.pathsep.join(filter(None, [str(self.folder / "src"), str(PYTHONPATH)]))
        environment = EXPLAINED | {name: str(value) for name, value in environment.items()}
        words = ["--configfile", "study.yaml", *arguments]
        done = Call(words, self.folder, {**os.environ, "PYTHONPATH": path} | environment).ended()
        assert done.returncode == 0, done.output
        return done.output

    def planned(self, *arguments):
        """Give the messages of the jobs that would run."""
        plan = self.snakemake("--dry-run", *arguments)
        return messages(plan)

    def results(self):
        """Map every result but logs to its bytes."""
        root = self.folder / "results" / self.study["study"]
        files = [path for path in sorted(root.rglob("*")) if path.is_file()]
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in files
            if path.relative_to(root).parts[0] != "logs"
        }

    def copy(self, folder):
        """Copy the checkout with its results and what Snakemake noted of them, times kept."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Checkout(folder, copy.deepcopy(self.study))

    def edited(self, file, *edits):
        """Replace words of a file for a while."""
        text = (self.folder / file).read_text()
        for old, new in edits:
            assert text.count(old) == 1, (file, old, text.count(old))
            text = text.replace(old, new)
        return self.rewritten(file, text)

    @contextlib.contextmanager
    def rewritten(self, file, text):
        """Give a file another text for a while; put back, times too, at the end."""
        path = self.folder / file
        before, times = path.read_bytes(), path.stat()
        path.write_text(text)
        try:
            yield
        finally:
            path.write_bytes(before)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    @contextlib.contextmanager
    def restudied(self, change):
        """Change the study for a while."""
        before = copy.deepcopy(self.study)
        change(self.study)
        try:
            yield
        finally:
            self.study = before


def make_checkout(project, folder):
    """Copy the project's own files to a new folder."""
    folder.mkdir()
    for name in COPIED:
        source = project / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy2(source, folder / name)
    return Checkout(folder, small_simulated_study(project))
