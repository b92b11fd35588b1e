"""The effect of a claim in one universe, with its interval, verdict and tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from rulealign.claim_grid import Score, Universe
from rulealign.claims.choices import Choices, judge_choice
from rulealign.claims.evidence import (
    StimulusEvidence,
    by_corrected_variance,
    by_percentiles,
    over_seeds,
)
from rulealign.claims.scores import UniverseScores
from rulealign.claims.verdicts import MISSING, Verdict, judge
from rulealign.errors import DataError, GuardError
from rulealign.rsa.corrected import corrected_crossed_interval
from rulealign.rsa.seeds import paired_d, unpaired_d
from rulealign.rsa.subjects import (
    SubjectInterval,
    crossed_interval,
    subject_counts,
    subject_interval,
    subject_seed,
)

_REMEDY = "delete it and rerun the command."

Scores = Mapping[tuple[str, str], UniverseScores]
"""(rule, area) -> scores."""


def evaluate_universe(
    claim: Mapping[str, Any],
    universe: Universe,
    scores: Scores,
    choices: Choices,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Evaluate one claim in one universe.

    The effect is the weighted sum of the terms' scores, each averaged over the seeds that all terms
    have in common; so are its draws, term by term on the same resamples.

    Args:
        claim: with `direction` and `smallest_effect`.
        universe: from `claim_grid.universes`.
        scores: of every rule and area that the universe takes.
        choices: among the layers, of the same.
        settings: `study_seed`, `bootstrap_draws`, `interval` and `facts`.

    Returns:
        Columns of `statistics/claims.csv` from `effect` on; empty where nothing can be computed,
        with the reason.

    Raises:
        DataError: a row that the claim needs is not there.
    """
    if universe.reason:
        return _row(Verdict(MISSING, universe.reason))
    places = _places(universe, scores, settings["facts"]["vectors"])
    lacking = _lacking(places, scores)
    if lacking:
        return _row(Verdict(MISSING, lacking))
    refused, chosen = judge_choice(claim, universe, choices)
    if refused:
        return _row(Verdict(MISSING, refused))
    by_score = {
        score: scores[score.rule, score.roi].rows["score"].to_numpy()[at]
        for score, at in places.items()
    }
    by_seed = _sum(universe, by_score)
    effect = float(by_seed.mean())
    try:
        low, high, extra, note = _interval(claim, universe, scores, places, settings)
    except DataError as error:
        return _row(Verdict(MISSING, str(error).rstrip(".")))
    verdict = judge(low, high, claim["direction"], claim["smallest_effect"])
    found = {"effect": effect, "low": low, "high": high, **extra}
    tested, notes = _over_seeds(by_seed, claim["direction"], claim["smallest_effect"])
    apart = unpaired_d(*(_side(universe, by_score, sign) for sign in (1, -1)))
    tested["cohens_d_unpaired"] = apart.value
    notes += [f"no cohens_d_unpaired: {apart.reason}" if apart.reason else ""]
    return _row(verdict, **found, **tested, note="; ".join(filter(None, [chosen, note, *notes])))


COLUMNS = (
    "effect",
    "low",
    "high",
    "verdict",
    "reason",
    "n_seeds",
    "seeds_same_sign",
    "p_seeds",
    "p_seeds_floor",
    "cohens_d_paired",
    "cohens_d_unpaired",
    "p_stimuli",
    "note",
)
"""Columns of `statistics/claims.csv` after those that name claim and universe."""


def _row(verdict: Verdict, **found: Any) -> dict[str, Any]:
    said = {"verdict": verdict.word, "reason": verdict.reason or None}
    row = dict.fromkeys(COLUMNS) | found | said
    return row | {"note": row["note"] or None}


def _places(universe: Universe, scores: Scores, vectors: list[str]) -> dict[Score, list[int]]:
    found = {}
    for score in universe.weights:
        if (score.rule, score.roi) not in scores:
            raise DataError(
                f"there are no scores of the rule '{score.rule}' with {score.roi}, which a claim"
                " needs; a claim is evaluated whole or not at all."
            )
        own = scores[score.rule, score.roi]
        found[score] = own.places(score, universe.seeds, universe.choices, vectors)
    return found


def _lacking(places: Mapping[Score, list[int]], scores: Scores) -> str:
    # the first reason of a score that is missing
    for score, at in places.items():
        rows = scores[score.rule, score.roi].rows.iloc[at]
        without = rows[rows["score"].isna()]
        if len(without):
            return str(without["reason"].iloc[0])
    return ""


def _sum(universe: Universe, values: Mapping[Score, np.ndarray]) -> np.ndarray:
    return sum(weight * values[score] for score, weight in universe.weights.items())


def _summed(
    universe: Universe,
    scores: Scores,
    places: Mapping[Score, list[int]],
    of: Callable[[UniverseScores, list[int]], np.ndarray],
) -> np.ndarray:
    # the sum of what `of` gives of the scores at their places
    own = {score: scores[score.rule, score.roi] for score in places}
    return np.asarray(_sum(universe, {score: of(own[score], at) for score, at in places.items()}))


def _side(universe: Universe, values: Mapping[Score, np.ndarray], sign: int) -> np.ndarray:
    # what is added (1) or subtracted (-1), seed by seed
    own = {score: sign * weight for score, weight in universe.weights.items()}
    return sum(max(weight, 0) * values[score] for score, weight in own.items())


def _interval(
    claim: Mapping[str, Any],
    universe: Universe,
    scores: Scores,
    places: Mapping[Score, list[int]],
    settings: Mapping[str, Any],
) -> tuple[float, float, dict[str, Any], str]:
    if universe.choices["resample"] in ("stimuli", "stimuli_corrected"):
        found = _over_stimuli(claim, universe, scores, places, settings["interval"])
        return found.low, found.high, {"p_stimuli": found.p}, ""
    found = _over_people(universe, scores, places, settings)
    without = "no p_stimuli where people are resampled"
    note = "; ".join(filter(None, [found.note, without]))
    return float(found.low[0]), float(found.high[0]), {}, note


def _over_people(
    universe: Universe,
    scores: Scores,
    places: Mapping[Score, list[int]],
    settings: Mapping[str, Any],
) -> SubjectInterval:
    kind, coverage = universe.choices["resample"], settings["interval"]
    summed = partial(_summed, universe, scores, places)
    # shapes (1, subjects), (draws, 1, subjects) and (stimuli, 1, subjects): one effect
    rho = summed(_scores_of_people)[np.newaxis]
    if kind == "both_corrected":
        drawn, left_out = summed(_draws_of_people), summed(_people_left_out)
        return corrected_crossed_interval(
            rho, drawn[:, np.newaxis], left_out[:, np.newaxis], coverage
        )
    n_subjects = rho.shape[1]
    seed = subject_seed(settings["study_seed"], n_subjects)
    counts = subject_counts(n_subjects, settings["bootstrap_draws"], seed)
    if kind == "subjects":
        return subject_interval(rho, counts, coverage)
    n_stimuli = len(next(iter(scores.values())).stimuli)
    drawn = summed(_draws_of_people)[:, np.newaxis]
    return crossed_interval(rho, drawn, counts, n_stimuli, coverage)


def _over_stimuli(
    claim: Mapping[str, Any],
    universe: Universe,
    scores: Scores,
    places: Mapping[Score, list[int]],
    coverage: float,
) -> StimulusEvidence:
    summed = partial(_summed, universe, scores, places)
    about = claim["direction"], claim["smallest_effect"], coverage
    if universe.choices["resample"] == "stimuli":
        return by_percentiles(summed(_draws), *about)
    return by_corrected_variance(float(summed(_score)), summed(_draws), summed(_left_out), *about)


def _score(own: UniverseScores, places: list[int]) -> float:
    return float(own.rows["score"].to_numpy()[places].mean())


def _left_out(own: UniverseScores, places: list[int]) -> np.ndarray:
    if own.left_out is None or any(place not in own.without for place in places):
        raise GuardError(f"{own.path}: its draws have no scores without each stimulus; {_REMEDY}")
    return own.left_out[:, [own.without[place] for place in places]].mean(axis=1)


def _draws(own: UniverseScores, places: list[int]) -> np.ndarray:
    return own.draws[:, own.columns[places]].astype(np.float64).mean(axis=1)


def _scores_of_people(own: UniverseScores, places: list[int]) -> np.ndarray:
    # shape (subjects,), averaged over seeds
    return own.subject_scores[_people(own, places)].mean(axis=0)


def _draws_of_people(own: UniverseScores, places: list[int]) -> np.ndarray:
    # shape (draws, subjects), averaged over seeds
    return own.subject_draws[:, _people(own, places)].astype(np.float64).mean(axis=1)


def _people(own: UniverseScores, places: list[int]) -> list[int]:
    if own.subject_scores is None or any(place not in own.people for place in places):
        raise GuardError(f"{own.path}: its draws have no scores of single people; {_REMEDY}")
    return [own.people[place] for place in places]


def _people_left_out(own: UniverseScores, places: list[int]) -> np.ndarray:
    # shape (stimuli, subjects), averaged over seeds
    known = own.people_without
    if own.subject_left_out is None or any(place not in known for place in places):
        what = "scores of people without each stimulus"
        raise GuardError(f"{own.path}: its draws have no {what}; {_REMEDY}")
    return own.subject_left_out[:, [known[place] for place in places]].mean(axis=1)


def _over_seeds(
    by_seed: np.ndarray, direction: str, smallest_effect: float
) -> tuple[dict[str, Any], list[str]]:
    test, size = over_seeds(by_seed, direction, smallest_effect), paired_d(by_seed)
    notes = [f"no p_seeds: {test.reason}" if test.reason else ""]
    notes += [f"no cohens_d_paired: {size.reason}" if size.reason else ""]
    found = {
        "n_seeds": len(by_seed),
        "seeds_same_sign": int((np.sign(by_seed) == np.sign(by_seed.mean())).sum()),
        "p_seeds": test.p,
        "p_seeds_floor": test.floor,
        "cohens_d_paired": size.value,
    }
    return found, notes
