"""Jobs, bytes and CPU time of the THINGS study, worked out from a finished study's files and logs.

Training costs the same per epoch in both, activations grow with the images, RDMs with the pairs of
images, draws with the model RDMs. The bootstrap of 720 images is timed here; what remains is taken
from docs/performance.md: the null of their noise ceiling, and the checks of responses.
"""

import json
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from rulealign.config.load import load_study
from rulealign.cost import job_table
from rulealign.plan import claims as claim_stages
from rulealign.plan.universes import PLAIN_WAY
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman, resample_counts

PROJECT = Path(__file__).parent.parent
CEILING_S = 190  # CPU seconds per ROI and kind of pairs, 720 images
RESPONSES_S = 15  # CPU seconds per subject and ROI, at most: duplicated trials 11, and two starts
IMAGES, MODELS, DRAWS = 720, 20, 11
VOXELS = {"V1": 1049, "V2": 988, "V3": 988, "V4": 988, "LOC": 2700, "IT": 4145}
"""Of sub-01, the largest; V3 and V4 as V2."""
Row = tuple[str, int, float, float, int]


def pairs(images: int) -> int:
    """Count the pairs of images."""
    return images * (images - 1) // 2


def bootstrap_seconds(subjects: int, draws: int) -> float:
    """Time the bootstrap of one model RDM against the RDMs of some subjects: CPU seconds."""
    rng = np.random.default_rng(0)
    models = rng.normal(0.7, 0.1, (MODELS, pairs(IMAGES))).astype(np.float32)
    brains = rng.random((subjects, pairs(IMAGES)))
    counts = resample_counts(IMAGES, DRAWS, seed=1)
    bootstrap_spearman(models[:1], brains, counts[:1])  # compile, or load
    one, all_of_them = (
        min(_cpu_seconds(models, brains, some) for _ in range(3)) for some in (counts[:1], counts)
    )
    return (one + (draws - 1) * (all_of_them - one) / (DRAWS - 1)) / MODELS


def _cpu_seconds(models: np.ndarray, brains: np.ndarray, counts: np.ndarray) -> float:
    start = time.process_time()
    bootstrap_spearman(models, brains, counts)
    return time.process_time() - start


class Finished:
    """What a finished study on given RDMs tells: cost per job, and bytes per file."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.study = json.loads((results / "provenance.json").read_text())["study"]
        self.jobs = job_table(results)
        self.sets = len(self.study["stimuli"])
        found = self.jobs["job"].str.extract(
            r"rule-(?P<rule>\w+?)_seed-(?P<seed>\d+)(?:_epoch-(?P<epoch>\d+))?(?:_px-(?P<size>\d+))?$"
        )
        self.jobs = self.jobs.join(found)
        self.images = int(pd.read_csv(results / "statistics/ceilings.csv")["n_stimuli"].iloc[0])

    def train(self) -> dict[str, Callable[[int], float]]:
        """Give, per kind of rule, the CPU seconds of a stretch of so many epochs."""
        jobs = self.jobs[self.jobs["stage"].isin(("initial_state", "train"))].copy()
        jobs["kind"] = jobs["rule"].map({k: v["kind"] for k, v in self.study["rules"].items()})
        marks = sorted({0, *self.study["training"]["checkpoints"]})
        before = dict(zip(marks[1:], marks, strict=False))
        jobs["epochs"] = [int(e) - before.get(int(e), int(e)) for e in jobs["epoch"]]
        return {kind: _line(own["epochs"], own["cpu_s"]) for kind, own in jobs.groupby("kind")}

    def activations(self, size: int, images: int) -> float:
        """Estimate the CPU seconds of one network's activations: a start, and a time per image."""
        jobs = self.jobs[self.jobs["stage"] == "activations"]
        start = jobs.loc[jobs["size"] == "32", "cpu_s"].min()
        mean = jobs.loc[jobs["size"] == str(size), "cpu_s"].mean()
        return start + (mean - start) * images / (self.sets * self.images)

    def mean(self, stage: str) -> float:
        """Give the mean CPU seconds of a stage's jobs."""
        return self.jobs.loc[self.jobs["stage"] == stage, "cpu_s"].mean()

    def bytes_of(self, pattern: str) -> float:
        """Give the mean size of some files."""
        return float(np.mean([path.stat().st_size for path in self.results.glob(pattern)]))


def _line(epochs: pd.Series, seconds: pd.Series) -> Callable[[int], float]:
    slope, start = np.polyfit(epochs, seconds, 1) if len(set(epochs)) > 1 else (0, seconds.mean())
    return lambda count: max(0.0, start + slope * count)


def tables(results: Path) -> dict[str, str]:
    """Write the table of the page.

    Args:
        results: the folder of a finished study on the 92 images, with its logs.
    """
    known = Finished(results)
    settings = yaml.safe_load((PROJECT / "studies" / "things.yaml").read_text())
    rows = estimate(known, load_study(settings))
    lines = ["| files of | jobs | CPU hours | GB | 10 x networks: jobs | CPU hours | GB |"]
    lines += ["|---|---|---|---|---|---|---|"]
    totals = np.zeros(6)
    for name, jobs, seconds, size, factor in rows:
        one = np.array([jobs, seconds / 3600, size / 1e9])
        cells = np.concatenate([one, one * factor])
        totals += cells
        lines.append(_row(name, cells))
    return {"estimate": "\n".join([*lines, _row("**all**", totals)])}


def _row(name: str, cells: np.ndarray) -> str:
    jobs, hours, size, more_jobs, more_hours, more_size = cells
    return (
        f"| {name} | {jobs:,.0f} | {hours:,.1f} | {size:,.1f} "
        f"| {more_jobs:,.0f} | {more_hours:,.1f} | {more_size:,.1f} |"
    )


def estimate(known: Finished, study: Any) -> list[Row]:
    """Work out, by kind of file: jobs, CPU seconds, bytes, and the factor of ten times as many."""
    return [*_of_networks(known, study), *_of_rdms(known, study), *_of_brains(study)]


def _of_networks(known: Finished, study: Any) -> list[Row]:
    networks, starts = _networks(study), sum(len(study.seeds(r)) for r in study.rules)
    read = networks * len(study.evaluation.sizes)
    cost = networks * sum(known.activations(size, IMAGES) for size in study.evaluation.sizes)
    held = networks * known.bytes_of("checkpoints/*.pt")
    features = read * known.bytes_of("activations/*.h5") / known.images * IMAGES
    return [
        ("training, checkpoints", networks, _training(known, study), held, 10),
        ("diagnostics", starts, starts * known.mean("diagnostics"), 0, 10),
        ("activations", read, cost, features, 10),
    ]


def _of_rdms(known: Finished, study: Any) -> list[Row]:
    files = _networks(study) * len(study.evaluation.sizes)
    per_pair = known.bytes_of("rdms/net-*.h5") / pairs(known.images)
    rdms, rois = files * _rdms_of_a_network(study), len(study.brain.rois)
    seconds = bootstrap_seconds(study.brain.subjects, study.statistics.bootstrap_draws)
    held, jobs = _draws(known, study, rdms * rois), len(study.rules) * rois
    of_claims = _universes(study)
    rows_of_claims = sum(rows for rows, _ in of_claims)
    return [
        ("model RDMs (by the same jobs)", 0, 0, files * per_pair * pairs(IMAGES), 10),
        ("alignments and draws", jobs, rdms * rois * seconds, held, 10),
        # the same claims, over more seeds
        (
            "claims in all universes",
            len(of_claims),
            seconds * sum(bootstraps for _, bootstraps in of_claims),
            rows_of_claims * study.statistics.bootstrap_draws * 4.0,
            2,
        ),
    ]


def _universes(study: Any) -> list[tuple[int, float]]:
    """Count, per job of claims, its rows and how many bootstraps of one RDM it is worth."""
    found = []
    for need in claim_stages.needs(study)[PLAIN_WAY].values():
        networks = len(need.seeds) * len(need.epochs) * len(need.stimuli) * len(need.sizes)
        views = networks * len(need.descriptors) * len(need.centring)
        rows = views * len(need.layers) * len(need.analyses)
        # besides resamples, samples without each stimulus
        found.append((rows, rows * (1 + IMAGES / study.statistics.bootstrap_draws)))
    return found


def _of_brains(study: Any) -> list[Row]:
    rois, subjects = len(study.brain.rois), study.brain.subjects
    size = subjects * sum(VOXELS.values()) * 9840 * 4.0
    jobs = subjects * (3 * rois + 1)
    return [
        ("noise ceilings", rois, 2 * rois * CEILING_S, 0, 1),
        ("responses, checks, brain RDMs", jobs, subjects * rois * RESPONSES_S, size, 1),
    ]


def _networks(study: Any) -> int:
    return sum(len(study.seeds(r)) * len(study.epochs(r)) for r in study.rules)


def _training(known: Finished, study: Any) -> float:
    lines, total = known.train(), 0.0
    for rule, settings in study.rules.items():
        marks = study.epochs(rule)
        stretches = [(0, 0), *pairwise(marks)]
        line = lines.get(settings.kind)
        if line is None:
            raise SystemExit(f"{known.results}: no rule of the kind {settings.kind} was trained")
        total += len(study.seeds(rule)) * sum(line(b - a) for a, b in stretches)
    return total


def _rdms_of_a_network(study: Any) -> int:
    spatial = len(set(study.evaluation.layers) - set(study.network.vectors()))
    others = len(study.evaluation.layers) - spatial
    return (spatial * len(study.evaluation.descriptors) + others) * len(study.evaluation.centring)


def _draws(known: Finished, study: Any, rows: int) -> float:
    draws_files = sorted(known.results.glob("alignment/net-*_rule-*_draws.h5"))
    own = [path for path in draws_files if "_universes" not in path.name]
    csv_files = [path.with_name(path.name.replace("_draws.h5", ".csv")) for path in own]
    size = sum(path.stat().st_size for path in (*own, *csv_files))
    lines = sum(len(pd.read_csv(path)) for path in csv_files)
    draws = study.statistics.bootstrap_draws / known.study["statistics"]["bootstrap_draws"]
    return size / lines * 2 * rows * draws  # two conventions per model RDM and ROI
