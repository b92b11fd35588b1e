"""The effect of a claim in one universe, with its interval, verdict and tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rulealign.arm import Arm
from rulealign.claims.ceilings import Ceilings, uninformative
from rulealign.claims.scores import UniverseScores
from rulealign.claims.seeds import of_seeds
from rulealign.claims.specification_curve import (
    InErrors,
    Noise,
    no_alignment,
    no_difference,
)
from rulealign.claims.verdicts import MISSING, UNINFORMATIVE, equivalence_p, judge, too_small
from rulealign.errors import DataError
from rulealign.plan.settings.claims import ClaimSettings, ClaimsSettings
from rulealign.plan.universes import Score, Universe, Vectors, combinations
from rulealign.rsa.bootstrap.primary import (
    BOTH,
    STIMULI,
    Effect,
    PrimaryInterval,
    goal_words,
    primary_interval,
    variance_parts,
)
from rulealign.rsa.bootstrap.spearman import percentile_interval
from rulealign.rsa.bootstrap.subjects import (
    RECOMMENDED_SUBJECTS,
    crossed_interval,
    subject_counts,
    subject_seed,
)
from rulealign.rsa.seeds import paired_d, sign_flip_test, unpaired_d

ALTERNATIVES = {"positive": "greater", "negative": "less"}
"""Direction of a claim -> what a sign-flip test of it is against."""

_UNITS = ("measure", "convention", "comparison", "control")
"""Axes whose values change what a score of a given size means."""

Scores = Mapping[tuple[str, str, str], UniverseScores]
"""(network, rule, ROI) -> scores."""

COLUMNS = (
    "effect",
    "standard_error",
    "degrees_of_freedom",
    "low",
    "high",
    "p",
    "verdict",
    "reason",
    "generalises_to",
    "p_equivalence",
    "percentile_low",
    "percentile_high",
    "crossed_low",
    "crossed_high",
    "n_seeds",
    "seeds_same_sign",
    "p_seeds",
    "p_seeds_floor",
    "cohens_d_paired",
    "cohens_d_unpaired",
    "note",
)
"""Columns of `statistics/claims.csv` after those that name claim and universe."""


def evaluate_universe(
    claim: ClaimSettings,
    universe: Universe,
    scores: Scores,
    ceilings: Ceilings,
    settings: ClaimsSettings,
    noise: Noise,
) -> tuple[dict[str, Any], InErrors | None]:
    """Evaluate one claim in one universe.

    The effect is the weighted sum of the terms' scores, each averaged over the seeds that all terms
    have in common; so are its draws, term by term on the same resamples.

    Args:
        claim: the claim.
        universe: from `plan.universes.universes`.
        scores: of every arm and ROI that the universe takes.
        ceilings: of the ROIs. Where one is not clear of chance the claim is `uninformative`: it
            keeps its effect, interval and p, which say nothing about that ROI.
        settings: of all claims.
        noise: that all universes of the study share.

    Returns:
        `COLUMNS`; empty where the effect does not exist, with the reason. And the effect in
        standard errors, beside what it would be if there were none: None where it does not exist.

    Raises:
        DataError: a row that the claim needs is not there, or the effect has no interval; names
            claim and universe.
    """
    by_term, missing = terms_in(universe, scores, settings.facts.vectors)
    if missing:
        return dict.fromkeys(COLUMNS) | {"verdict": MISSING, "reason": missing}, None
    effect = summed(universe, by_term)
    by_seed = effect.scores.mean(axis=1)
    of_seed, over = of_seeds(by_seed, universe, scores, settings.facts)
    goal, coverage = settings.generalise_to, settings.interval
    try:
        found = primary_interval(effect, goal, coverage, of_seed)
    except DataError as error:
        where = ", ".join(f"{axis} {value}" for axis, value in universe.choices.items())
        raise DataError(f"claims.{claim.label} has no interval in {where}: {error}") from None
    row = found._asdict()
    row["effect"] = row.pop("estimate")
    row |= {"verdict": judge(found.low, found.high, claim.direction)}
    row["generalises_to"] = f"{goal_words(goal)}, {over}"
    notes = []
    for more, note in (
        _equivalence(found, claim, universe, settings),
        _other_intervals(effect, settings),
        _tests(by_seed, claim.direction),
        _apart(universe, by_term),
    ):
        row |= more
        notes.append(note)
    rois = sorted({term.roi for term in universe.weights})
    noisy, note = uninformative(rois, universe.choices["pairs"], ceilings)
    if noisy:
        row |= {"verdict": UNINFORMATIVE, "reason": noisy}
    notes.append(note)
    row |= {"note": "; ".join(filter(None, notes)) or None}
    if claim.minus:
        parts = variance_parts(effect, goal, of_seed)
        in_errors = no_difference(effect, found, parts, universe.seeds, noise)
    else:
        shuffled = _shuffled(universe, scores, settings.facts.vectors)
        in_errors = no_alignment(found.estimate, shuffled)
    return dict.fromkeys(COLUMNS) | row, in_errors


def _shuffled(universe: Universe, scores: Scores, vectors: Vectors) -> np.ndarray:
    # shape (shuffles,): the effect with the brain's stimuli permuted, averaged over seeds
    return sum(
        universe.weights[term] * scores[term.scored].shuffled(at).mean(axis=1)
        for term, at in _places(universe, scores, vectors).items()
    )


def terms_in(
    universe: Universe, scores: Scores, vectors: Vectors
) -> tuple[dict[Score, Effect], str]:
    """Give the scores of a universe's terms, with the draws that all universes and claims share.

    Args:
        universe: from `plan.universes.universes`.
        scores: of every arm and ROI that it takes.
        vectors: network -> its layers without positions.

    Returns:
        term -> its scores with each seed; or none, and why one does not exist.

    Raises:
        DataError: a row that it needs is not there.
    """
    places = {} if universe.reason else _places(universe, scores, vectors)
    missing = universe.reason or _lacking(places, scores)
    if missing:
        return {}, missing
    return {term: scores[term.scored].effect(at) for term, at in places.items()}, ""


def summed(universe: Universe, by_term: Mapping[Score, Effect]) -> Effect:
    """Sum the terms of a universe to its effect, seed by seed and draw by draw.

    Args:
        universe: with the weights of the terms.
        by_term: from `terms_in`.

    Returns:
        The effect.
    """
    return Effect.total((weight, by_term[term]) for term, weight in universe.weights.items())


def _places(universe: Universe, scores: Scores, vectors: Vectors) -> dict[Score, list[int]]:
    found = {}
    for score in universe.weights:
        if score.scored not in scores:
            network, rule, roi = score.scored
            raise DataError(
                f"there are no scores of {Arm(network, rule)} with {roi}, which a claim"
                " needs; a claim is evaluated whole or not at all."
            )
        own = scores[score.scored]
        found[score] = own.places(score, universe.seeds, universe.choices, vectors)
    return found


def _lacking(places: Mapping[Score, list[int]], scores: Scores) -> str:
    # the first reason of a score that does not exist
    for score, at in places.items():
        rows = scores[score.scored].rows.iloc[at]
        without = rows[rows["score"].isna()]
        if len(without):
            return str(without["reason"].iloc[0])
    return ""


def _equivalence(
    found: PrimaryInterval,
    claim: ClaimSettings,
    universe: Universe,
    settings: ClaimsSettings,
) -> tuple[dict[str, Any], str]:
    smallest, first = claim.smallest_effect, next(combinations(settings.grid))
    if smallest is None:
        return {}, ""
    other = [axis for axis in _UNITS if universe.choices.get(axis) != first.get(axis)]
    if other:
        return {}, f"no p_equivalence: with this {other[0]}, scores are in other units"
    p = equivalence_p(found, smallest)
    return {"p_equivalence": p, "reason": too_small(p, settings.interval, smallest) or None}, ""


def _other_intervals(effect: Effect, settings: ClaimsSettings) -> tuple[dict[str, Any], str]:
    # as published, beside the primary one; they decide nothing
    goal, coverage = settings.generalise_to, settings.interval
    ends = percentile_interval(effect.drawn.mean(axis=(1, 2)), coverage)
    found = dict(zip(("percentile_low", "percentile_high"), map(float, ends), strict=True))
    if goal == STIMULI:
        return found, ""
    n_subjects = effect.scores.shape[1]
    few = f"{n_subjects} subjects are fewer than the {RECOMMENDED_SUBJECTS} that an interval needs"
    note = few if n_subjects < RECOMMENDED_SUBJECTS else ""
    if goal != BOTH or not np.ptp(effect.drawn):
        return found, note
    seed = subject_seed(settings.study_seed, n_subjects)
    counts = subject_counts(n_subjects, settings.bootstrap_draws, seed)
    rho, drawn = effect.scores.mean(axis=0)[np.newaxis], effect.drawn.mean(axis=1, keepdims=True)
    crossed = crossed_interval(rho, drawn, counts, len(effect.left_out), coverage)
    both = {"crossed_low": float(crossed.low[0]), "crossed_high": float(crossed.high[0])}
    return found | both, note


def _tests(by_seed: np.ndarray, direction: str) -> tuple[dict[str, Any], str]:
    test, size = sign_flip_test(by_seed, ALTERNATIVES[direction]), paired_d(by_seed)
    notes = [f"no p_seeds: {test.reason}" if test.reason else ""]
    notes += [f"no cohens_d_paired: {size.reason}" if size.reason else ""]
    found = {
        "n_seeds": len(by_seed),
        "seeds_same_sign": int((np.sign(by_seed) == np.sign(by_seed.mean())).sum()),
        "p_seeds": test.p,
        "p_seeds_floor": test.floor,
        "cohens_d_paired": size.value,
    }
    return found, "; ".join(filter(None, notes))


def _apart(universe: Universe, by_term: Mapping[Score, Effect]) -> tuple[dict[str, Any], str]:
    # what is added and what is subtracted, seed by seed
    if min(universe.weights.values()) > 0:
        return {}, "no cohens_d_unpaired: a level has one side"
    sides = [
        sum(
            max(sign * weight, 0) * by_term[term].scores.mean(axis=1)
            for term, weight in universe.weights.items()
        )
        for sign in (1, -1)
    ]
    apart = unpaired_d(*sides)
    note = f"no cohens_d_unpaired: {apart.reason}" if apart.reason else ""
    return {"cohens_d_unpaired": apart.value}, note
