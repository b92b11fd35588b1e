"""What tables and sidecars say of a study's trials: runs, repetitions and acquisition (guard 8)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign.data.responses.cleaning import cleaning_on_noise
from rulealign.json_files import read_json
from rulealign.rsa.brain_rdms import BrainRdms
from rulealign.rsa.quality.rows import entry

FIELD = "MagneticFieldStrength"
NOT_STATED = "field strength: not stated in the files that were read"
_TESLA = re.compile(r"(\d+(?:\.\d+)?) ?T\b")
_NOMINAL = 0.2  # tesla; scanners sold as 3 T have fields such as 2.89 T


def structure_rows(trials: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Count sessions, runs, trials and repetitions of every subject.

    Args:
        trials: subject -> its trials: stimulus, trial_type, session, run.

    Returns:
        Rows `trials` (expected: what most subjects have; others are named, not flagged), and rows
        `repetitions`: how many images were shown once, twice, ...
    """
    counts = {subject: _counts(table) for subject, table in trials.items()}
    rows = []
    for subject, own in counts.items():
        for item, value in own.items():
            usual, _ = Counter(one[item] for one in counts.values()).most_common()[0]
            words = f"{subject}: {item}: {value}; most subjects have {usual}"
            about = {"subject": subject, "expected": usual, "guard": 8}
            rows.append(entry("trials", item, value, finding=words * (value != usual), **about))
        shown = Counter(trials[subject]["stimulus"].value_counts())
        for times, images in sorted(shown.items()):
            rows.append(entry("repetitions", times, images, subject=subject, guard=8))
    return rows


def _counts(table: pd.DataFrame) -> dict[str, int]:
    runs = table.groupby(["session", "run"]).size()
    by_session = runs.groupby("session").size()
    kinds = table["trial_type"].value_counts()
    return {
        "trials": len(table),
        "sessions": len(by_session),
        "runs": len(runs),
        "fewest runs in a session": int(by_session.min()),
        "most runs in a session": int(by_session.max()),
        "fewest trials in a run": int(runs.min()),
        "most trials in a run": int(runs.max()),
        "train trials": int(kinds.get("train", 0)),
        "test trials": int(kinds.get("test", 0)),
        "images": table["stimulus"].nunique(),
    }


def cleaning_rows(trials: Mapping[str, pd.DataFrame], how: str) -> list[dict[str, Any]]:
    """Say what similarity of one run's patterns z-scoring makes out of nothing (guard 5).

    Args:
        trials: subject -> trials.
        how: as in `patterns.zscore`.

    Returns:
        A row per subject; flagged for z-scoring by run.
    """
    rows = []
    for subject, table in trials.items():
        induced = cleaning_on_noise(table, how, seed=0)
        words = (
            f"{subject}: z-scoring by run makes patterns of a run correlate by {induced:.3f} where"
            " there is only noise"
        )
        by_run = how == "run"
        more = {"guard": 5, "subject": subject, "expected": 0, "flagged": by_run}
        rows.append(entry("cleaning", how, induced, **more, finding=words if by_run else ""))
    return rows


def averaged_rows(brain: BrainRdms, trials: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Hold the repetitions that RDMs claim against the trials that there are.

    Args:
        brain: the subjects' RDMs of one ROI, named as in `trials`.
        trials: subject -> its trials.

    Returns:
        A row `repetitions` per subject, with the mean over stimuli in its table; flagged where the
        two differ by a trial or more (some duplicates may have been left out).
    """
    rows, each = [], dict(zip(brain.subjects, brain.trials_each, strict=False))
    for subject, table in trials.items():
        repetitions = each.get(subject, brain.repetitions)
        expected = _trials_of(table, brain.ids).mean()
        wrong = bool(abs(expected - repetitions) >= 1)
        words = (
            f"{subject}, {brain.roi}: described as the mean of {repetitions:.3g} trials per"
            f" stimulus, but its table has {expected:g}"
        )
        about = {"subject": subject, "roi": brain.roi, "guard": 8, "expected": expected}
        more = {"flagged": wrong, "finding": words if wrong else ""}
        rows.append(entry("repetitions", "averaged per stimulus", repetitions, **about, **more))
    return rows


def _trials_of(table: pd.DataFrame, ids: list[str]) -> pd.Series:
    column = "stimulus" if set(ids) <= set(table["stimulus"]) else "concept"
    if column == "concept":
        table = table[table["trial_type"] == "train"]
    return table[column].value_counts().reindex(ids)


def missing_rows(brain: BrainRdms) -> list[dict[str, Any]]:
    """Count the pairs of stimuli that given RDMs lack.

    Args:
        brain: the subjects' RDMs of one ROI.

    Returns:
        A flagged row `missing_pairs` per subject that lacks some.
    """
    rows = []
    for subject, missing in zip(brain.subjects, brain.missing, strict=True):
        words = (
            f"{subject}, {brain.roi}: {missing} of {brain.rdms.shape[1]} pairs of stimuli are"
            " missing, and are not compared for any subject"
        )
        about = {"subject": subject, "roi": brain.roi, "flagged": True, "finding": words}
        if missing:
            rows.append(entry("missing_pairs", "missing", missing, expected=0, **about))
    return rows


def acquisition_rows(
    stated: Mapping[str, Path], brains: Iterable[BrainRdms]
) -> list[dict[str, Any]]:
    """Give what the data say of their acquisition, and what the study says of it.

    Args:
        stated: subject -> `sub-<s>_acquisition.json`, {} where no sidecar says anything; empty
            where RDMs were given.
        brains: the RDMs of every ROI, which carry the study's description.

    Returns:
        Rows `acquisition`; the description is flagged where it names another field strength than a
        sidecar.
    """
    rows, fields = [], {}
    for subject, path in stated.items():
        said = read_json(path)
        source = said.pop("source", Path(path).name)
        for key, value in sorted(said.items()):
            number = value if isinstance(value, int | float) else float("nan")
            about = {"subject": subject, "guard": 8, "finding": f"{key}: {value} ({source})"}
            rows.append(entry("acquisition", key, number, **about))
        fields[subject] = said.get(FIELD)
        if FIELD not in said:
            about = {"subject": subject, "guard": 8, "finding": NOT_STATED}
            rows.append(entry("acquisition", FIELD, float("nan"), **about))
    described: dict[str, list[str]] = {}
    for brain in brains:
        described.setdefault(brain.acquisition, []).append(brain.roi)
    return rows + [_described(text, rois, fields) for text, rois in described.items()]


def _described(text: str, rois: list[str], fields: Mapping[str, Any]) -> dict[str, Any]:
    claimed = [float(field) for field in _TESLA.findall(text)]
    wrong = [
        f"{subject}'s files say {field:g} T"
        for subject, field in fields.items()
        if claimed and field is not None and min(abs(field - c) for c in claimed) > _NOMINAL
    ]
    about = {"roi": " ".join(rois), "guard": 8, "flagged": bool(wrong)}
    contrary = f", but {'; '.join(wrong)}" if wrong else ""
    finding = f"described as: {text}{contrary}"
    return entry(
        "acquisition", "described", claimed[0] if claimed else np.nan, finding=finding, **about
    )
