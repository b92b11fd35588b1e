"""How one rule's networks encode one ROI: scores of every layer, with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign.encoding.features import FEATURE_KEYS, find_features, read_features
from rulealign.encoding.fits import RIDGE, Counts, Fit, effect, fit_features
from rulealign.encoding.parts import parts
from rulealign.encoding.roi_gram import RoiGram, read_roi_gram
from rulealign.encoding.similarity import debiased_cka, procrustes_distance
from rulealign.encoding.voxelwise import R2, R2_CEILING, R_CEILING, R
from rulealign.errors import DataError
from rulealign.plan.settings.encoding import EncodingSettings
from rulealign.provenance import fingerprint
from rulealign.reasons import MissingValue
from rulealign.rsa.bootstrap.pooled_seeds import ONLY, OWN
from rulealign.rsa.bootstrap.primary import Effect, goal_words, primary_interval, seed_variance
from rulealign.store import require_same_ids, write_csv, write_h5

CKA, PROCRUSTES = "cka", "procrustes"
"""Measures: debiased linear CKA, Procrustes distance."""

NO_INTERVAL = "Procrustes distance is biased by the number of stimuli, so resamples say nothing"
NO_CEILING = "a subject has no voxel with a noise ceiling of encoding.voxels.least_ceiling or more"

ENCODING_KEYS = [*(key for key in FEATURE_KEYS if key != "seed"), "roi", "measure"]
"""Columns that tell the rows of `statistics/encoding.csv` apart, in sorting order."""


def encode(
    activations: Sequence[Path],
    gram: Path,
    settings: EncodingSettings,
    table: Path,
    errors: Path,
    signals: Sequence[Path] = (),
) -> None:
    """Score how all networks of one rule encode one ROI.

    Args:
        activations: the rule's files of `activations/`, for all seeds, epochs, stimulus sets and
            sizes; none where activations are not asked for.
        gram: the ROI's file of Gram matrices, or of voxels, and folds.
        settings: of penalties, resamples and intervals.
        table: the CSV to make: a row per layer, descriptor and measure, averaged over subjects and
            seeds: `ENCODING_KEYS`, numbers of seeds, subjects and stimuli, `score`, the primary
            interval, `generalises_to`, the lowest and highest seed, `reason` (why a value is
            missing), `settings_hash`.
        errors: the HDF5 file to make: squared errors of held-out stimuli, float64 `errors` (rows,
            subjects, stimuli) and `baseline` (subjects, stimuli), `chosen` penalties (rows, folds,
            subjects; none of voxels), `cka` and `procrustes` (rows, subjects), `voxels/<subject>`
            (rows, 2: R^2 and r, voxels); `ids/row` holds `FEATURE_KEYS`, joined by `/`.
        signals: the rule's files of `signals/`, likewise.

    Raises:
        DataError: stimulus ids differ; names both files and the first difference.
        GuardError: files of features are of different rules or settings.
        StoreError: a file cannot be read, or the disk is full.
    """
    found, brain = find_features(activations, signals), read_roi_gram(gram)
    require_same_ids(found.ids, brain.ids, str(found.index["path"][0]), str(gram))
    counts = Counts.of(settings, len(brain.ids))
    rows, every, names = [], [], []
    for key, of_layer in found.index.groupby(_LAYER, sort=True):
        named = dict(zip(_LAYER, key, strict=True))
        print(f"{'_'.join(map(str, key))} and {brain.roi}", flush=True)
        by_features, made, reasons = dict(list(of_layer.groupby("features", sort=True))), {}, {}
        for features, own in by_features.items():
            made[features], reasons[features] = _networks(own, brain, counts)
            every += made[features]
            listed = own[list(FEATURE_KEYS)].itertuples(index=False)
            names += ["/".join(map(str, name)) for name in listed] if made[features] else []
        fits = {features: [one.fit for one in each] for features, each in made.items()}
        for features, own in by_features.items():
            for row in _rows(made[features], reasons[features], brain, counts):
                rows.append({**named, "features": features, "n_seeds": len(own), **row})
        for features, measure, part in parts(by_features, fits, brain, counts):
            about = {**named, "features": features, "n_seeds": of_layer["seed"].nunique()}
            rows.append({**about, "measure": measure, **_told(part, counts.settings)})
    shape = {"n_subjects": len(brain.subjects), "n_stimuli": len(brain.ids), "roi": brain.roi}
    scored = pd.DataFrame(rows).assign(**shape, settings_hash=fingerprint(settings.plain()))
    write_csv(table, scored.reindex(columns=[*ENCODING_KEYS, *_COLUMNS]))
    _write_errors(errors, names, every, brain, settings)


_LAYER = [key for key in FEATURE_KEYS if key not in ("seed", "features")]
_COLUMNS = ["n_seeds", "n_subjects", "n_stimuli", "n_voxels", "score", "low", "high"]
_COLUMNS += ["standard_error", "generalises_to", "seed_low", "seed_high", "reason", "settings_hash"]


@dataclass(frozen=True)
class _Network:
    """One network's features and an ROI."""

    fit: Fit
    kernel: np.ndarray
    cka: np.ndarray
    procrustes: np.ndarray


def _networks(own: pd.DataFrame, brain: RoiGram, counts: Counts) -> tuple[list[_Network], str]:
    # one per seed; none, and why, where the features of one of them are constant
    made = []
    for path, name in zip(own["path"], own["name"], strict=True):
        try:
            made.append(_network(read_features(path, name), brain, counts))
        except MissingValue as missing:
            print(f"{path}: {name}: {missing}", flush=True)
            return [], missing.reason
        except DataError as error:
            raise DataError(f"{path}: {name}: {error}") from error
    return made, ""


def _network(features: np.ndarray, brain: RoiGram, counts: Counts) -> _Network:
    fit = fit_features([features], brain, counts)
    # neither measure depends on the mean, but gradients that are nearly alike drown in it
    centred = features - features.mean(axis=0)
    kernel = (centred @ centred.T)[np.newaxis]
    cka = debiased_cka(kernel, brain.grams)[0]
    return _Network(fit, kernel[0], cka, procrustes_distance(kernel, brain.grams)[0])


def _rows(
    made: Sequence[_Network], reason: str, brain: RoiGram, counts: Counts
) -> Iterator[dict[str, Any]]:
    settings, fits = counts.settings, [one.fit for one in made]
    for measure, n_voxels in _measures(brain, settings).items():
        about = {"measure": measure, "n_voxels": n_voxels}
        if not made:
            yield about | {"reason": reason}
        elif measure not in fits[0].scores:
            yield about | {"reason": NO_CEILING}
        else:
            yield about | _told(effect(fits, measure), settings)
    cka = _told(_cka_effect(made, brain, counts) if made else reason, settings)
    yield {"measure": CKA, **cka}
    distance = _means(np.stack([one.procrustes for one in made])) if made else {}
    yield {"measure": PROCRUSTES, **distance, "reason": NO_INTERVAL if made else reason}


def _measures(brain: RoiGram, settings: EncodingSettings) -> dict[str, int | None]:
    # of a fit, with the number of voxels that each is over, all subjects together
    if not brain.voxels:
        return {RIDGE: None}
    ceilings = np.concatenate([one.ceilings for one in brain.voxels])
    found = dict.fromkeys((R2, R), len(ceilings))
    if np.isfinite(ceilings).any():
        found |= dict.fromkeys((R2_CEILING, R_CEILING), (ceilings >= settings.least_ceiling).sum())
    return found


def _means(scores: np.ndarray) -> dict[str, float]:
    by_seed = scores.mean(axis=1)
    return {"score": by_seed.mean(), "seed_low": by_seed.min(), "seed_high": by_seed.max()}


def _told(found: Effect | str, settings: EncodingSettings) -> dict[str, Any]:
    if isinstance(found, str):
        return {"reason": found}
    of_seed, goal = seed_variance(found.scores.mean(axis=1)), settings.generalise_to
    try:
        interval = primary_interval(found, goal, settings.interval, of_seed)
    except MissingValue as missing:
        return _means(found.scores) | {"reason": missing.reason}
    ends = {name: getattr(interval, name) for name in ("low", "high", "standard_error")}
    over = f"{goal_words(goal)}, {ONLY if of_seed is None else OWN}"
    return _means(found.scores) | ends | {"generalises_to": over, "reason": ""}


def _cka_effect(made: Sequence[_Network], brain: RoiGram, counts: Counts) -> Effect:
    kernels = np.stack([one.kernel for one in made])
    samples = [debiased_cka(kernels, brain.grams, c) for c in (counts.drawn, counts.left_out)]
    return Effect(np.stack([one.cka for one in made]), *samples)


def _write_errors(
    path: Path,
    rows: Sequence[str],
    made: Sequence[_Network],
    brain: RoiGram,
    settings: EncodingSettings,
) -> None:
    if not made:
        raise DataError(f"no network's features vary over the stimuli of {brain.roi}.")
    arrays = {
        "errors": np.stack([one.fit.held.errors for one in made]),
        "baseline": made[0].fit.held.baseline,
        "chosen": np.stack([one.fit.held.chosen for one in made]),
        "cka": np.stack([one.cka for one in made]),
        "procrustes": np.stack([one.procrustes for one in made]),
    }
    for place, subject in enumerate(brain.subjects if brain.voxels else ()):
        arrays[f"voxels/{subject}"] = np.stack([one.fit.by_voxel[place] for one in made])
    ids = {"row": rows, "stimulus": brain.ids, "subject": brain.subjects}
    attributes = {"roi": brain.roi}
    write_h5(path, arrays, ids=ids, settings=settings.plain(), attributes=attributes)
