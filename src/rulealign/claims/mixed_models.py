"""Claims as mixed models: crossed random effects of seeds and subjects, for the same stimuli.

Every subject is held against the networks of every seed, so that a claim's effects make a complete
table, seeds x subjects: effect = mean + seed + subject + rest. For a complete table restricted
maximum likelihood is a matter of mean squares, exact also where a variance is 0; programs that
search for the maximum often do not converge there, and with few seeds or subjects it is common.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from rulealign.errors import DataError
from rulealign.plan.settings.claims import MixedModelsSettings
from rulealign.plan.universes import PLAIN_WAY, VECTOR, Score, Universe, Vectors, universes
from rulealign.reasons import MissingValue
from rulealign.store import read_csv, write_csv

_PLAIN = PLAIN_WAY._asdict() | {
    "convention": "per_subject",
    "comparison": "spearman",
    "control": "none",
}


class MixedEffect(NamedTuple):
    """A mean over seeds and subjects, with its interval and the random effects beside it.

    Attributes:
        effect: the mean, in units of the score.
        low: lower end of its interval.
        high: upper end.
        p: two-sided, of a mean of 0.
        degrees_of_freedom: of the t distribution that ends and p are taken from.
        sd_seeds: standard deviation of the random effect of seeds.
        sd_subjects: that of subjects.
        sd_rest: that of what neither explains.
    """

    effect: float
    low: float
    high: float
    p: float
    degrees_of_freedom: float
    sd_seeds: float
    sd_subjects: float
    sd_rest: float


COLUMNS = ("claim", *MixedEffect._fields, "n_seeds", "n_subjects", "reason")
"""Columns of `statistics/mixed_models.csv`."""


def mixed_effect(effects: np.ndarray, coverage: float) -> MixedEffect:
    """Fit effect = mean + seed + subject + rest by restricted maximum likelihood.

    It generalises to other seeds and other subjects, and to no other stimuli: not in place of the
    primary interval. With two or three subjects their variance is hardly an estimate.

    Args:
        effects: shape (n_seeds, n_subjects), in units of the score; none missing.
        coverage: such as .95.

    Returns:
        The fit; degrees of freedom by Satterthwaite 1946.

    Raises:
        MissingValue: there are fewer than 2 seeds or subjects, or the effects are not finite or all
            the same.

    Source: Searle, Casella & McCulloch, Variance Components (1992), chapter 4; where a variance
    would be below 0, its mean square is pooled with that of the rest (Thompson 1962, Annals of
    Mathematical Statistics 33:273).
    """
    n_seeds, n_subjects = _require_table(effects)
    squares, freedoms = _mean_squares(effects)
    pooled = _pooled(squares, freedoms)
    of_seeds, of_subjects, rest = (pooled[name] for name in ("seeds", "subjects", "rest"))
    number = n_seeds * n_subjects
    variance = (of_seeds + of_subjects - rest) / number
    freedom = _satterthwaite(squares, freedoms, rest)
    mean, spread = float(effects.mean()), float(np.sqrt(variance))
    reach = float(stdtrit(freedom, (1 + coverage) / 2)) * spread
    return MixedEffect(
        *(mean, mean - reach, mean + reach),
        p=float(2 * stdtr(freedom, -abs(mean) / spread)),
        degrees_of_freedom=freedom,
        sd_seeds=float(np.sqrt((of_seeds - rest) / n_subjects)),
        sd_subjects=float(np.sqrt((of_subjects - rest) / n_seeds)),
        sd_rest=float(np.sqrt(rest)),
    )


def _require_table(effects: np.ndarray) -> tuple[int, int]:
    n_seeds, n_subjects = effects.shape
    if min(n_seeds, n_subjects) < 2:
        raise MissingValue(
            f"a mixed model needs two seeds and two subjects, not {n_seeds} and {n_subjects}"
        )
    if not np.isfinite(effects).all():
        raise MissingValue("an effect is not finite; leave no seed and no subject out silently")
    if np.ptp(effects) <= 1e-12 * np.abs(effects).max():
        raise MissingValue("the effect is the same with every seed and subject")
    return n_seeds, n_subjects


def _mean_squares(effects: np.ndarray) -> tuple[dict[str, float], dict[str, int]]:
    (n_seeds, n_subjects), mean = effects.shape, effects.mean()
    by_seed, by_subject = effects.mean(axis=1), effects.mean(axis=0)
    rest = effects - by_seed[:, np.newaxis] - by_subject + mean
    freedoms = {"seeds": n_seeds - 1, "subjects": n_subjects - 1}
    freedoms["rest"] = freedoms["seeds"] * freedoms["subjects"]
    sums = {
        "seeds": n_subjects * ((by_seed - mean) ** 2).sum(),
        "subjects": n_seeds * ((by_subject - mean) ** 2).sum(),
        "rest": (rest**2).sum(),
    }
    return {name: float(sums[name]) / freedoms[name] for name in sums}, freedoms


def _pooled(squares: Mapping[str, float], freedoms: Mapping[str, int]) -> dict[str, float]:
    # the smallest mean square that lies below that of the rest is pooled with it, one by one
    rest, freedom, pooled = squares["rest"], freedoms["rest"], dict(squares)
    for name in sorted(("seeds", "subjects"), key=squares.__getitem__):
        if squares[name] < rest:
            rest = (rest * freedom + squares[name] * freedoms[name]) / (freedom + freedoms[name])
            freedom += freedoms[name]
            pooled[name] = 0.0
    return {name: max(value, rest) for name, value in pooled.items()} | {"rest": rest}


def _satterthwaite(squares: Mapping[str, float], freedoms: Mapping[str, int], rest: float) -> float:
    # of seeds + subjects - rest; what was pooled with the rest has cancelled
    kept = [name for name in ("seeds", "subjects") if squares[name] > rest]
    if not kept:
        return float(sum(freedoms.values()))
    value = sum(squares[name] for name in kept) - rest * (len(kept) - 1)
    parts = sum(squares[name] ** 2 / freedoms[name] for name in kept)
    return value**2 / (parts + (len(kept) - 1) * rest**2 / freedoms["rest"])


def mixed_models_table(scores: Path, settings: MixedModelsSettings, output: Path) -> None:
    """Fit a mixed model to every claim in its primary universe: `statistics/mixed_models.csv`.

    Args:
        scores: `statistics/alignment_subjects.csv`.
        settings: of the mixed models.
        output: the CSV to make: `COLUMNS`, a row per claim in their order; where there is no fit,
            `reason` says why.

    Raises:
        DataError: the scores lack a network that a claim needs, or have it twice.
        StoreError: a file cannot be read, or the disk is full.
    """
    rows, found = read_csv(Path(scores)), []
    for claim in settings.claims:
        universe = universes(claim, settings.grid, settings.facts)[0]
        found.append({"claim": claim.label, **_row(universe, rows, settings)})
    table = pd.DataFrame(found, columns=list(COLUMNS))
    write_csv(output, table.astype({"n_seeds": "Int64", "n_subjects": "Int64"}))


def _row(universe: Universe, rows: pd.DataFrame, settings: MixedModelsSettings) -> dict[str, Any]:
    odd = [axis for axis, value in _PLAIN.items() if universe.choices.get(axis, value) != value]
    if universe.reason or odd:
        other = f"of plain per_subject Spearman scores only, not with this {(odd or [''])[0]}"
        return {"reason": universe.reason or other}
    aligned, pairs = sorted(set(rows["pairs"])), universe.choices["pairs"]
    if pairs not in aligned:
        return {"reason": f"of scores over {', '.join(aligned)} pairs only, not over {pairs}"}
    vectors = settings.facts.vectors
    scores = {one: _scores(one, universe, rows, vectors) for one in universe.weights}
    if len({tuple(one.columns) for one in scores.values()}) > 1:
        return {"reason": "the claim's ROIs are of different subjects"}
    effects = sum(weight * scores[one].to_numpy() for one, weight in universe.weights.items())
    counts = dict(zip(("n_seeds", "n_subjects"), effects.shape, strict=True))
    try:
        return counts | mixed_effect(effects, settings.interval)._asdict()
    except MissingValue as missing:
        return counts | {"reason": missing.reason}


def _scores(score: Score, universe: Universe, rows: pd.DataFrame, vectors: Vectors) -> pd.DataFrame:
    # seeds x subjects
    choices = universe.choices
    wanted = {"stimuli": choices["stimuli"], "size": choices["size"], **score._asdict()}
    wanted |= {"centring": choices["centring"], "pairs": choices["pairs"]}
    wanted["descriptor"] = VECTOR if score.is_vector(vectors) else choices["descriptor"]
    own = rows[rows["seed"].isin(universe.seeds)]
    for column, value in wanted.items():
        own = own[own[column] == value]
    subjects = rows.loc[rows["roi"] == score.roi, "subject"].nunique()  # not all may have the ROI
    if len(own) != len(universe.seeds) * subjects or own.duplicated(["seed", "subject"]).any():
        raise DataError(
            f"the scores of subjects have {len(own)} rows of {'_'.join(map(str, wanted.values()))},"
            f" not one for each of {len(universe.seeds)} seeds and {subjects} subjects; rerun the"
            " command."
        )
    return own.pivot(index="seed", columns="subject", values="score")
