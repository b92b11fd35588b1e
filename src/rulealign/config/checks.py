"""Claims over what a study lacks are refused before any job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rulealign.config.brain import SHOWN_OFTEN
from rulealign.config.claims import NO_CONTROL, OWN, Claim, Universes

FEWEST_PEOPLE = 3
"""Of a resample of people; `rsa.subjects` holds to it, too."""

FEWEST_DRAWS = 100
"""Of a variance over resamples."""


def check_universes(study: Any, trains: Mapping[str, bool]) -> None:
    """Refuse values of the grid that the study lacks.

    Args:
        study: the typed study, complete but for these checks.
        trains: rule -> whether it changes weights.

    Raises:
        ValueError: names the key, the value and what is allowed.
    """
    grid, measured = study.universes, study.evaluation
    for axis, allowed, where in (
        ("stimuli", list(study.stimuli), "stimuli lists"),
        ("size", measured.sizes, "evaluation.sizes lists"),
        ("descriptor", measured.descriptors, "evaluation.descriptors lists"),
        ("centring", measured.centring, "evaluation.centring lists"),
    ):
        for value in getattr(grid, axis):
            _require(value, allowed, f"universes.{axis}", where)
    trained = study.training_set.image_size
    if trained not in grid.size:
        raise ValueError(
            f"universes.size: {list(grid.size)} lacks the training size {trained}; an effect of the"
            " evaluation size could not be told from one of the rules. Add it"
        )
    _check_pairs(study)
    _check_controls(grid, study.controls)
    _check_resamples(study)
    untrained = [OWN, *(rule for rule, learns in trains.items() if not learns)]
    for value in grid.baseline:
        _require(value, untrained, "universes.baseline", "it must not train; there are")
    _check_initialisations(study.rules, grid, trains)


def _check_pairs(study: Any) -> None:
    if "cross_run" not in study.universes.pairs:
        return
    often = getattr(study.brain, "stimulus_set", "") in SHOWN_OFTEN
    if study.brain.kind == "rdm-archive" or often:
        why = "has no runs" if study.brain.kind == "rdm-archive" else "has stimuli in several runs"
        raise ValueError(
            f"universes.pairs: 'cross_run' needs stimuli that were each shown in one run, and the"
            f" brain data '{study.brain.kind}' {why}; use ['all']"
        )


def _check_controls(grid: Universes, controls: Sequence[str]) -> None:
    for value in grid.control:
        names = value.split("+")
        for name in names if value != NO_CONTROL else []:
            key = f"universes.control: '{value}'"
            _require(name, controls, key, f"write '{NO_CONTROL}', or some of `controls`, which has")
        if len(set(names)) < len(names):
            raise ValueError(f"universes.control: '{value}' names a control twice")
    sets = [frozenset(value.split("+")) for value in grid.control]
    for value, names in zip(grid.control, sets, strict=True):
        if sets.count(names) > 1:
            raise ValueError(f"universes.control: '{value}' is listed twice, in different order")


def _check_resamples(study: Any) -> None:
    by_variance = [value for value in study.universes.resample if value != "stimuli"]
    draws = study.statistics.bootstrap_draws
    for value in by_variance:
        if value != "stimuli_corrected" and study.brain.subjects < FEWEST_PEOPLE:
            raise ValueError(
                f"universes.resample: '{value}' needs {FEWEST_PEOPLE} people, and there are"
                f" {study.brain.subjects} (brain.subjects); use ['stimuli']"
            )
        if draws < FEWEST_DRAWS:
            raise ValueError(
                f"universes.resample: '{value}' needs statistics.bootstrap_draws of"
                f" {FEWEST_DRAWS} or more, and it is {draws}; use ['stimuli']"
            )


def _check_initialisations(
    rules: Mapping[str, Any], grid: Universes, trains: Mapping[str, bool]
) -> None:
    for name, replaced in grid.initialisation.items():
        for rule, other in replaced.items():
            key = f"universes.initialisation.{name}"
            for label in (rule, other):
                _require(label, trains, key, "rules lists")
            one, two = (rules[label].model_dump(exclude={"init"}) for label in (rule, other))
            differ = sorted(key for key in one.keys() | two.keys() if one.get(key) != two.get(key))
            if differ:
                raise ValueError(
                    f"{key}: '{other}' cannot stand for '{rule}': they differ in {differ[0]}"
                    f" ({one.get(differ[0])!r} and {two.get(differ[0])!r}), and may differ in"
                    " `init` only; else the claim would be about another rule"
                )


def check_claims(
    study: Any, layers: Sequence[str], checkpoints: Mapping[str, Sequence[int]]
) -> None:
    """Refuse claims over what the study lacks, or with evidence from another layer (guard 16).

    Args:
        study: the typed study.
        layers: of the network, in order.
        checkpoints: rule -> the epochs after which it is kept.

    Raises:
        ValueError: names the key, the value and what is allowed.
    """
    for label, claim in study.claims.items():
        key = f"claims.{label}"
        for layer in claim.layer:
            _require(layer, study.evaluation.layers, f"{key}.layer", "evaluation.layers lists")
        for roi in claim.roi:
            _require(roi, list(study.brain.rois), f"{key}.roi", "brain.rois lists")
        for place, (rule, epoch, layer, roi) in _terms(claim):
            at = f"{key}.{place}"
            _require(rule, checkpoints, f"{at}.rule", "rules lists")
            _require(epoch, checkpoints[rule], f"{at}.epoch", f"'{rule}' has the checkpoints")
            _require(layer, layers, f"{at}.layer", "the network has the layers")
            _require_own_layer(at, layer, claim.layer, layers)
            _require(roi, claim.roi, f"{at}.roi", "the claim names")
        _require_evidence(key, claim)


def _require_evidence(key: str, claim: Claim) -> None:
    # else a claim could name conv1 beside fc1, and rest on fc1 alone; terms that stand on both
    # sides cancel, and are no evidence
    plus, minus = (Counter(claim.terms(side)) for side in ("plus", "minus"))
    left = [*(plus - minus), *(minus - plus)]
    for what, named, at in (("layer", claim.layer, 2), ("roi", claim.roi, 3)):
        without = [one for one in named if one not in {term[at] for term in left}]
        if without:
            raise ValueError(
                f"{key}.{what}: names {without[0]}, but no term is of it, or all that are stand on"
                " both sides and cancel; remove it, or add its evidence to plus and minus"
            )


def _terms(claim: Claim) -> Iterator[tuple[str, tuple[str, int, str, str]]]:
    for side in ("plus", "minus"):
        for place, term in enumerate(claim.terms(side)):
            yield f"{side}.{place}", term


def _require_own_layer(key: str, layer: str, named: Sequence[str], order: Sequence[str]) -> None:
    if layer in named:
        return
    place, places = order.index(layer), [order.index(one) for one in named]
    if place > max(places):
        why = "downstream of it: what happens there does not show what happens in the named layer"
    elif place < min(places):
        why = "upstream of it: what happens there need not reach the named layer"
    else:
        why = "which lies between them and is none of them"
    raise ValueError(
        f"{key}: the claim names {', '.join(named)}, but its evidence is of {layer}, {why}; take"
        f" evidence of {' or '.join(named)}, or name {layer} in `layer`"
    )


def _require(value: Any, allowed: Any, key: str, phrase: str) -> None:
    if value not in allowed:
        raise ValueError(f"{key}: there is no '{value}'; {phrase} {list(allowed)}")
