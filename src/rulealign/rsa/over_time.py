"""How one arm's layers agree with RDMs over time: scores, peaks, and the order of the peaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign.arm import Arm
from rulealign.plan.settings.scores import OverTimeSettings
from rulealign.provenance import fingerprint
from rulealign.rsa.bootstrap.primary import SUBJECTS
from rulealign.rsa.bootstrap.spearman import percentile_interval
from rulealign.rsa.bootstrap.subjects import MIN_SUBJECTS
from rulealign.rsa.courses import LAYER_KEYS, Courses
from rulealign.rsa.layer_order import LEAST_PLACES, layer_orders, rank_correlations
from rulealign.rsa.layer_table import NO_SPACE
from rulealign.rsa.model_rdms import read_model_rdms
from rulealign.rsa.pairs import read_pairs
from rulealign.rsa.timed_rdms import read_timed_rdms
from rulealign.rsa.unfit import naming
from rulealign.store import require_same_ids, write_csv

SCORE, PEAK, ORDER = "score", "peak", "rank_correlation"
"""What a row holds: a score at a time, the time of a layer's highest score, or the rank correlation
of depth with that time over the layers of a network."""

COLUMNS = (
    *LAYER_KEYS,
    *("roi", "statistic", "time", "value", "low", "high", "p", "unit", "generalises_to"),
    *("n_seeds", "n_subjects", "n_stimuli", "reason", "settings_hash"),
)
"""Columns of `alignment/*_times.csv`."""

_UNITS = {SCORE: "rho", PEAK: "ms", ORDER: "rho"}
_NETWORK = [key for key in LAYER_KEYS if key not in ("layer", "descriptor")]


def write_over_time(
    rdm_files: Sequence[Path],
    brain_files: Sequence[Path],
    arm: Arm,
    roi: str,
    settings: OverTimeSettings,
    table: Path,
    pairs_file: Path | None = None,
) -> None:
    """Score all layers of one arm against one ROI at each time.

    Scores are Spearman's rho, averaged over seeds and subjects. From 3 subjects on, intervals are
    over subjects: t intervals, and percentiles of resampled subjects for the peak; else they are
    percentiles of resampled stimuli. They hold for the given seeds.

    Args:
        rdm_files: the arm's files of `rdms/`, of one epoch, for all seeds, stimulus sets and sizes.
        brain_files: the ROI's `sub-<s>_roi-<r>_rdm.h5`, one per subject.
        arm: the network and the rule.
        roi: its label.
        settings: of pairs, resamples, intervals, and depths of layers.
        table: the CSV to make, with `COLUMNS`. Per layer a row of `SCORE` and time, and one of
            `PEAK`; per network, for each descriptor of its layers, one of `ORDER`: the mean over
            subjects of the rank correlation of a layer's depth with the time of its peak in this
            subject; its p is two-sided, of layers permuted alike for all subjects.
        pairs_file: `brain/pairs.h5`; needed where some pairs are left out.

    Raises:
        DataError: stimulus ids or times differ, or an RDM is constant or not finite.
        GuardError: a file is of another arm, ROI, distance or setting than the others.
        StoreError: a file cannot be read, or the disk is full.
    """
    models, brain = read_model_rdms(rdm_files, arm), read_timed_rdms(brain_files, roi)
    require_same_ids(models.ids, brain.brain.ids, str(rdm_files[0]), str(brain_files[0]))
    mask = read_pairs(pairs_file, models.ids, settings.pairs)
    with naming(model=models.names, brain=brain.names):
        courses = Courses.of(models, brain, settings, mask)
    counts = {"n_subjects": len(brain.rdms), "n_stimuli": len(models.ids), "roi": roi}
    rows = over_time_rows(courses)
    rows = rows.assign(**counts, unit=rows["statistic"].map(_UNITS))
    rows = rows.assign(settings_hash=fingerprint(settings.plain()))
    write_csv(table, rows.reindex(columns=list(COLUMNS)))


def over_time_rows(courses: Courses) -> pd.DataFrame:
    """Tabulate scores, peaks and their order.

    Args:
        courses: of the layers of one arm.

    Returns:
        Rows as in `write_over_time`, without what they all share.
    """
    return pd.DataFrame([*_layer_rows(courses), *_order_rows(courses)])


def _layer_rows(courses: Courses) -> Iterator[dict[str, Any]]:
    coverage, over = courses.settings.interval, courses.generalises_to
    for place, known in enumerate(courses.index.to_dict("records")):
        scores, drawn = courses.scores[place], courses.drawn[:, place]
        low, high = (
            courses.t_interval(scores)
            if courses.over_subjects
            else percentile_interval(drawn, coverage)
        )
        mean, known = scores.mean(axis=0), known | {"generalises_to": over}
        for time, *value in zip(courses.times, mean, low, high, strict=True):
            yield known | {"statistic": SCORE, "time": time} | _valued(*value)
        ends = percentile_interval(courses.peaks(drawn), coverage)
        yield known | {"statistic": PEAK} | _valued(courses.peaks(mean), *ends)


def _valued(value: float, low: float, high: float) -> dict[str, float]:
    return {"value": float(value), "low": float(low), "high": float(high)}


def _order_rows(courses: Courses) -> Iterator[dict[str, Any]]:
    for key, network in courses.index.groupby(_NETWORK, sort=True):
        for among in sorted(set(network["descriptor"]) - {NO_SPACE}) or [NO_SPACE]:
            own = network[network["descriptor"].isin([among, NO_SPACE])]
            known = dict(zip(_NETWORK, key, strict=True)) | {"descriptor": among}
            known |= {"statistic": ORDER, "n_seeds": own["n_seeds"].iloc[0]}
            yield known | _order(courses, own)


def _order(courses: Courses, layers: pd.DataFrame) -> dict[str, Any]:
    known = courses.settings.depths[layers["network"].iloc[0]]
    depths = np.array([known[layer] for layer in layers["layer"]])
    if (n := len(set(depths))) < LEAST_PLACES:
        return {"reason": f"{n} layers; a rank correlation needs {LEAST_PLACES} or more"}
    peaks = courses.peaks(courses.scores[layers.index])
    by_subject = rank_correlations(depths, peaks)
    value = by_subject.mean()
    null = [
        rank_correlations(depths[list(order)], peaks).mean()
        for order in layer_orders(len(depths), courses.settings.study_seed)
    ]
    # rounding must not tell equal orders apart
    found = {"value": value, "p": float(np.mean(np.abs(null) >= abs(value) - 1e-12))}
    if not courses.over_subjects:
        few = f"no interval over {len(by_subject)} subjects; it needs {MIN_SUBJECTS} or more"
        return found | {"reason": few}
    low, high = np.clip(courses.t_interval(by_subject), -1, 1)  # beyond, there is no correlation
    return found | {"low": low, "high": high, "generalises_to": SUBJECTS}
