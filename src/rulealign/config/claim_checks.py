"""Checks that a study has what its claims and universes are over."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rulealign.claims.measures import MEASURES, measure_class
from rulealign.config.claims import Claim
from rulealign.config.universes import NO_CONTROL, OWN
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
    yield _check_measures(study)
    yield _check_features(study)


def _check_trained_size(study: Study) -> Iterator[Mistake]:
    sizes, trained = study.universes.size, study.training_set.image_size
    if trained not in sizes:
        yield Mistake(
            "universes.size",
            f"{shown(sizes)} lacks the training size {trained}; an effect of the evaluation size"
            " could not be told from one of the rules. Add it",
        )


def _check_pairs(study: Study) -> Iterator[Mistake]:
    asked, given = study.universes.pairs, study.brain.pairs
    if "present" in (given, *asked) and asked != [given]:
        why = f"{shown(asked)} and brain.pairs '{given}' do not go together; use ['{given}']"
        yield Mistake("universes.pairs", why)
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


def _check_measures(study: Study) -> Iterator[Mistake]:
    known = [one for one in study.universes.measure if one in MEASURES]
    for name in (one for one in known if not measure_class(one).of_rdms):
        if study.encoding is None:
            why = "needs the section `encoding`, whose folds and Gram matrices it takes"
            yield Mistake("universes.measure", f"{shown(name)} {why}; add `encoding: {{}}`")
        elif study.encoding.voxels:
            yield Mistake(
                "universes.measure",
                f"{shown(name)} takes all voxels of an ROI together, by the Gram matrix of its"
                " RDMs, and `encoding.voxels` fits each voxel by itself, which no universe does;"
                " set encoding.voxels to null, or leave the measure out",
            )


def _check_features(study: Study) -> Iterator[Mistake]:
    asked = study.encoding.features if study.encoding else []
    known = [measure_class(one) for one in study.universes.measure if one in MEASURES]
    # activations are there for RSA, whatever is asked of encoding
    free = ["activations"] if not asked or all(one.of_rdms for one in known) else []
    for name in ("activations", "gradient", "teaching"):
        if name in study.universes.features and name not in [*asked, *free]:
            where = "encoding.features lists" if asked else "there is no section `encoding`:"
            yield Mistake(
                "universes.features",
                f"{shown(name)} is not computed: {where} {', '.join(asked) or 'add it'}; name it in"
                " encoding.features, or leave it out here",
            )


def _check_subjects(study: Study) -> Iterator[Mistake]:
    value = study.statistics.generalise_to
    if value == "stimuli":
        return
    claimed = {roi for claim in study.claims.values() for roi in claim.roi}
    there = {roi: study.brain.subjects_of(roi) for roi in study.brain.rois if roi in claimed}
    if few := [roi for roi, subjects in there.items() if len(subjects) < FEWEST_SUBJECTS]:
        told = f"needs {FEWEST_SUBJECTS} subjects, and {few[0]} has {len(there[few[0]])}"
        yield Mistake("statistics.generalise_to", f"'{value}' {told} (brain.subjects); use stimuli")
    for label, claim in study.claims.items():
        if len({tuple(there[roi]) for roi in claim.roi if roi in there}) > 1:
            why = f"different subjects, or in another order, and generalise_to '{value}' pairs them"
            told = f"{shown(claim.roi)} have {why}; use stimuli, or claim about one of them"
            yield Mistake(f"claims.{label}.roi", told)


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
    return kind is not None and study.trains(label)


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
        yield (check_read(f"{key}.layer", layer, study) for layer in claim.layer)
        yield _check_rois(f"{key}.roi", claim, study)
        yield _check_terms(key, claim, study)
        yield _check_evidence(key, claim)


def _check_rois(key: str, claim: Claim, study: Study) -> Iterator[Mistake]:
    for roi in claim.roi:
        yield from require(key, roi, study.brain.rois, "brain.rois lists")


def check_read(key: str, layer: str, study: Study) -> Checks:
    """Check that a layer is one that is read of every network, or a level.

    Args:
        key: where it is written.
        layer: its name, or that of a level, whose layers are checked in `levels`.
        study: the study.

    Yields:
        For each network, the mistake where it lacks the layer.
    """
    if layer in study.levels:
        return
    for network in study.networks:
        lists = "and levels list" if study.levels else "lists"
        where = f"of '{network}', evaluation.layers {lists}"
        yield require(key, layer, [*study.layers(network), *study.levels], where)


def _check_terms(key: str, claim: Claim, study: Study) -> Checks:
    for side in ("plus", "minus"):
        for place, term in enumerate(claim.terms(side)):
            at, (rule, epoch, layer, roi, network, _) = f"{key}.{side}.{place}", term
            yield require(f"{at}.rule", rule, study.rules, "rules lists")
            yield _check_epoch(f"{at}.epoch", epoch, rule, study)
            if network is not None:
                yield require(f"{at}.network", network, study.networks, "networks lists")
            for label in study.networks if layer not in claim.layer else ():
                yield _check_foreign_layer(at, layer, claim, label, study)
            yield require(f"{at}.roi", roi, claim.roi, "the claim names")


def _check_epoch(key: str, epoch: int, rule: str, study: Study) -> Iterator[Mistake]:
    if rule in study.rules and hasattr(study.rules[rule], "kind"):
        kept = study.training.checkpoints if _trains(study, rule) else [0]
        yield from require(key, epoch, kept, f"'{rule}' has the checkpoints")


def _check_foreign_layer(
    key: str, name: str, claim: Claim, network: str, study: Study
) -> Iterator[Mistake]:
    # a claim's own layers are checked where it names them
    depths = {one.name: one.depth for one in study.networks[network].layers()}
    layer, *named = (study.layer_at(network, one) for one in (name, *claim.layer))
    yield from require(f"{key}.layer", layer, depths, f"the network '{network}' has the layers")
    if layer in depths:
        yield from _foreign_evidence(key, layer, named, depths)


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
    if depth in own:
        why = "which is one of them under another name"
    elif depth > max(own):
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
