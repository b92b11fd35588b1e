"""Checks that a study has what its claims and universes are over."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from rulealign.config.claims import NO_CONTROL, OWN, Claim
from rulealign.learning.network import Layer
from rulealign.learning.rules import rule_class
from rulealign.mistakes import Checks, Mistake, require
from rulealign.wrong_values import no_such, shown

if TYPE_CHECKING:
    from rulealign.config.study import Study

FEWEST_SUBJECTS = 3
"""Of an interval over them; `rsa.bootstrap.subjects` holds to it, too."""

FEWEST_DRAWS = 100
"""Of a variance over resamples."""


def check_universes(study: Study) -> Checks:
    """Check that the study has what the universes vary.

    Args:
        study: the study; a section that is not understood is missing in it.

    Returns:
        The mistakes that each check finds.
    """
    yield _check_trained_size(study)
    yield _check_pairs(study)
    yield _check_controls(study)
    yield _check_baselines(study)
    yield _check_initialisations(study)


def _check_trained_size(study: Study) -> Iterator[Mistake]:
    sizes, trained = study.universes.size, study.training_set.image_size
    if trained not in sizes:
        yield Mistake(
            "universes.size",
            f"{shown(sizes)} lacks the training size {trained}; an effect of the evaluation size"
            " could not be told from one of the rules. Add it",
        )


def _check_pairs(study: Study) -> Iterator[Mistake]:
    if "cross_run" not in study.universes.pairs:
        return
    if why := study.brain.no_cross_run:
        yield Mistake(
            "universes.pairs",
            "'cross_run' needs stimuli that were each shown in one run, and the brain data"
            f" '{study.brain.kind}' {why}; use ['all']",
        )


def _check_controls(study: Study) -> Iterator[Mistake]:
    key, values, known = "universes.control", study.universes.control, study.controls
    where = f"write '{NO_CONTROL}', or some of `controls`, which has"
    joined = [value.split("+") for value in values]
    for place, (value, names) in enumerate(zip(values, joined, strict=True)):
        for name in names if value != NO_CONTROL else []:
            if name not in known:
                yield Mistake(key, f"{shown(value)}: {no_such(name, known, where)}")
        if len(set(names)) < len(names):
            yield Mistake(key, f"{shown(value)} names a control twice; remove one")
        if set(names) in [set(earlier) for earlier in joined[:place]]:
            yield Mistake(key, f"{shown(value)} is listed twice, in different order; remove one")


def _check_subjects(study: Study) -> Iterator[Mistake]:
    value, there = study.statistics.generalise_to, study.brain.subjects
    if study.claims and value != "stimuli" and there < FEWEST_SUBJECTS:
        yield Mistake(
            "statistics.generalise_to",
            f"'{value}' needs {FEWEST_SUBJECTS} subjects, and there are {there} (brain.subjects);"
            " use stimuli",
        )


def _check_draws(study: Study) -> Iterator[Mistake]:
    draws = study.statistics.bootstrap_draws
    if study.claims and draws < FEWEST_DRAWS:
        yield Mistake(
            "statistics.bootstrap_draws",
            f"is {draws}, and the intervals of claims need {FEWEST_DRAWS} or more; raise it",
        )


def _check_families(study: Study) -> Iterator[Mistake]:
    # below this number of draws no p, adjusted over the family, could be small enough
    sizes = Counter(claim.family for claim in study.claims.values())
    levels = {claim.family for claim in study.claims.values() if not claim.minus}
    for family, size in sizes.items():
        fewest = math.ceil(size / (1 - study.statistics.interval) - 1e-9) - 1
        for key in ("bootstrap_draws", *(["null_draws"] if family in levels else [])):
            draws = getattr(study.statistics, key)
            if draws < fewest:
                yield Mistake(
                    f"statistics.{key}",
                    f"is {draws}: with the {size} claims of the family '{family}' no adjusted p"
                    f" could be as small as {1 - study.statistics.interval:.3g}; raise it to"
                    f" {fewest}, or declare smaller families",
                )


def _check_baselines(study: Study) -> Iterator[Mistake]:
    for value in study.universes.baseline:
        yield from require("universes.baseline", value, [OWN, *study.rules], "there are")


def _trains(study: Study, label: str) -> bool:
    kind = getattr(study.rules[label], "kind", None)
    return kind is not None and rule_class(kind).trains


def _check_initialisations(study: Study) -> Checks:
    for name, replaced in list(study.universes.initialisation.items())[1:]:  # the first is {}
        for rule, other in replaced.items():
            yield _check_initialisation(study, f"universes.initialisation.{name}", rule, other)


def _check_initialisation(study: Study, key: str, rule: str, other: str) -> Iterator[Mistake]:
    unknown = [label for label in (rule, other) if label not in study.rules]
    for label in unknown:
        yield from require(key, label, study.rules, "rules lists")
    if unknown:
        return
    one, two = (
        study.rules[label].model_dump(exclude={"init", "baseline"}) for label in (rule, other)
    )
    differ = sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
    if differ:
        values = " and ".join(shown(settings.get(differ[0])) for settings in (one, two))
        yield Mistake(
            key,
            f"'{other}' cannot stand for '{rule}': they differ in {differ[0]} ({values}), and may"
            " differ in `init` only; else the claim would be about another rule",
        )


def check_claims(study: Study) -> Checks:
    """Check that claims are over what the study has, with evidence from their layers (guard 16).

    Their intervals need subjects and draws enough.

    Args:
        study: the study; a section that is not understood is missing in it.

    Returns:
        The mistakes that each check finds.
    """
    yield _check_subjects(study)
    yield _check_draws(study)
    yield _check_families(study)
    for label, claim in study.claims.items():
        key = f"claims.{label}"
        yield _check_named(key, "layer", claim, study, "evaluation.layers")
        yield _check_named(key, "roi", claim, study, "brain.rois")
        yield _check_terms(key, claim, study)
        yield _check_evidence(key, claim)


def _check_named(key: str, what: str, claim: Claim, study: Study, source: str) -> Iterator[Mistake]:
    for name in getattr(claim, what):
        yield from require(f"{key}.{what}", name, attrgetter(source)(study), f"{source} lists")


def _check_terms(key: str, claim: Claim, study: Study) -> Checks:
    for side in ("plus", "minus"):
        for place, (rule, epoch, layer, roi) in enumerate(claim.terms(side)):
            at = f"{key}.{side}.{place}"
            yield require(f"{at}.rule", rule, study.rules, "rules lists")
            yield _check_epoch(f"{at}.epoch", epoch, rule, study)
            yield _check_layer(at, layer, claim, study.network.layers())
            yield require(f"{at}.roi", roi, claim.roi, "the claim names")


def _check_epoch(key: str, epoch: int, rule: str, study: Study) -> Iterator[Mistake]:
    if rule in study.rules and hasattr(study.rules[rule], "kind"):
        kept = study.training.checkpoints if _trains(study, rule) else [0]
        yield from require(key, epoch, kept, f"'{rule}' has the checkpoints")


def _check_layer(key: str, layer: str, claim: Claim, layers: Sequence[Layer]) -> Iterator[Mistake]:
    depths = {one.name: one.depth for one in layers}
    yield from require(f"{key}.layer", layer, depths, "the network has the layers")
    if layer in depths and layer not in claim.layer:
        yield from _foreign_evidence(key, layer, claim.layer, depths)


def _check_evidence(key: str, claim: Claim) -> Iterator[Mistake]:
    # else a claim could name two layers, and rest on one alone; terms that stand on both sides
    # cancel, and are no evidence
    plus, minus = (Counter(claim.terms(side)) for side in ("plus", "minus"))
    left = [*(plus - minus), *(minus - plus)]
    for what, named, at in (("layer", claim.layer, 2), ("roi", claim.roi, 3)):
        without = [one for one in named if one not in {term[at] for term in left}]
        if without and left:
            yield Mistake(
                f"{key}.{what}",
                f"names {without[0]}, but no term is of it, or all that are stand on both sides and"
                " cancel; remove it, or add its evidence to plus and minus",
            )


def _foreign_evidence(
    key: str, layer: str, named: Sequence[str], depths: Mapping[str, float]
) -> Iterator[Mistake]:
    depth, own = depths[layer], [depths[one] for one in named if one in depths]
    if not own:  # the claim's own layers are a mistake already
        return
    if depth > max(own):
        why = "downstream of it: what happens there does not show what happens in the named layer"
    elif depth < min(own):
        why = "upstream of it: what happens there need not reach the named layer"
    else:
        why = "which lies between them and is none of them"
    yield Mistake(
        f"{key}.layer",
        f"the claim names {', '.join(named)}, but its evidence is of {layer}, {why}; take evidence"
        f" of {' or '.join(named)}, or name {layer} in `layer`",
    )
