"""Checks that the rules of a study can do what the rest of it asks of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rulealign.arm import Arm
from rulealign.config.derived import MATCHED_CONTROL
from rulealign.learning.rule_settings import TRAINING, RuleSettings
from rulealign.learning.rules import rule_class
from rulealign.mistakes import Checks, Mistake, require
from rulealign.wrong_values import shown

if TYPE_CHECKING:
    from rulealign.config.study import Study


def check_rules(study: Study) -> Checks:
    """Check rules against the networks that they train, their baselines and calibration images.

    Args:
        study: the study.

    Returns:
        The mistakes that each check finds.
    """
    yield _check_arms(study)
    yield _check_each(study)
    yield _check_calibration_labels(study)
    yield _check_calibration_used(study)


def _check_arms(study: Study) -> Checks:
    for arm in study.arms:
        rule = study.rules[arm.rule]
        yield _check_taught(study, arm, rule)
        yield _check_classes(study, arm, rule)
        yield _check_image_side(study, arm, rule)
        yield _check_per_block(study, arm, rule)


def _check_each(study: Study) -> Checks:
    for label, rule in study.rules.items():
        yield _check_listed_networks(study, label, rule)
        yield _check_calibration(study, f"rules.{label}", rule)
        yield _check_baseline(study, label, rule)


def _check_listed_networks(study: Study, label: str, rule: RuleSettings) -> Checks:
    for network in rule.networks or ():
        yield require(f"rules.{label}.networks", network, study.networks, "networks lists")


def _check_taught(study: Study, arm: Arm, settings: RuleSettings) -> Iterator[Mistake]:
    rule, network = rule_class(settings.kind), study.networks[arm.network]
    if rule.has_states and not network.has_weights:
        why = f"needs weights, and of '{arm.network}' only layers are known; list the others in"
        yield Mistake(f"rules.{arm.rule}", f"'{settings.kind}' {why} rules.{arm.rule}.networks")
    elif why := rule.cannot_teach(network):
        yield Mistake(
            f"rules.{arm.rule}", f"'{settings.kind}' {why}; remove it, or choose another network"
        )


def _check_classes(study: Study, arm: Arm, settings: RuleSettings) -> Iterator[Mistake]:
    rule, network = rule_class(settings.kind), study.networks[arm.network]
    classes = study.training_set.class_count()
    if classes is None or rule.cannot_teach(network):
        return
    if why := rule.cannot_tell_apart(settings, network, classes):
        yield Mistake(f"rules.{arm.rule}", f"'{settings.kind}' {why} ('{arm.network}')")


def _check_image_side(study: Study, arm: Arm, settings: RuleSettings) -> Iterator[Mistake]:
    kind, size = settings.kind, study.training_set.image_size
    rule, network = rule_class(kind), study.networks[arm.network]
    multiple, smallest = rule.image_side_multiple(network), rule.smallest_image_side(network)
    if size % multiple or size < smallest:
        wanted = f"a multiple of {multiple}" if size % multiple else f"at least {smallest}"
        yield Mistake(
            f"rules.{arm.rule}",
            f"'{kind}' needs training_set.image_size to be {wanted} px, and it is {size};"
            " change it or remove the rule",
        )


def _check_per_block(study: Study, arm: Arm, settings: RuleSettings) -> Iterator[Mistake]:
    label, network = arm.network, study.networks[arm.network]
    blocks = len(network.blocks())
    for key in settings.per_block:
        if blocks and len(settings.of_blocks(key, label, network)) != blocks:
            yield Mistake(
                f"rules.{arm.rule}.{key}",
                f"must have {blocks} values for '{label}', one for each of its conv blocks, and is"
                f" {shown(getattr(settings, key))}; write one value for all blocks, a list, or"
                f" {{{label}: [...]}}, network by network; or leave '{label}' out of"
                f" rules.{arm.rule}.networks",
            )


def _check_baseline(study: Study, label: str, settings: RuleSettings) -> Iterator[Mistake]:
    key, baseline = f"rules.{label}.baseline", settings.baseline
    if baseline is None:
        rule = rule_class(settings.kind)
        if rule.trains and rule.made_here and "baseline" not in settings.model_fields_set:
            why = f"there is no `{MATCHED_CONTROL}` with init {settings.init} to compare it with"
            yield Mistake(key, f"{why}; add it, name another rule, or write null for none")
        return
    yield from require(key, baseline, [one for one in study.rules if one != label], "there are")
    if not study.trains(label):
        yield Mistake(key, f"'{label}' does not train, and has no baseline; remove the key")
        return
    if baseline not in study.rules:
        return
    untrained = [one for one in study.trained(label) if one not in study.trained(baseline)]
    if untrained:
        yield Mistake(
            key,
            f"'{baseline}' does not train '{untrained[0]}', which '{label}' trains; let it, in"
            f" rules.{baseline}.networks, or name another rule",
        )
    if study.rules[baseline].init != settings.init:
        yield Mistake(
            key,
            f"'{baseline}' starts from other weights (init {study.rules[baseline].init}) than"
            f" '{label}' ({settings.init}); name a rule with the same init",
        )


def _check_calibration(study: Study, key: str, settings: RuleSettings) -> Iterator[Mistake]:
    wanted = settings.calibration
    there = [TRAINING, *study.calibration]
    yield from require(f"{key}.images", wanted.images, there, "there are")
    if wanted.size is not None:
        sizes = study.evaluation.sizes
        yield from require(f"{key}.size", wanted.size, sizes, "evaluation.sizes lists")
    if wanted.images in there:
        count = _images_to_calibrate_on(study, wanted.images)
        if None not in (wanted.count, count) and wanted.count > count:
            yield Mistake(f"{key}.count", f"{wanted.count} images of {count}; write `all`")


def _check_calibration_labels(study: Study) -> Iterator[Mistake]:
    for label in study.calibration:
        if label == TRAINING or label in study.stimuli:
            taken = "the word for training images" if label == TRAINING else "in stimuli, too"
            yield Mistake(f"calibration.{label}", f"the label is {taken}; choose another one")


def _check_calibration_used(study: Study) -> Iterator[Mistake]:
    used = {settings.calibration.images for settings in study.rules.values()}
    for label in study.calibration:
        if label not in used:
            yield Mistake(
                f"calibration.{label}",
                "no rule uses these images; remove them, or name them in a rule's `images`",
            )


def _images_to_calibrate_on(study: Study, images: str) -> int | None:
    """Give the number of images, or None where only their source knows it."""
    if images == TRAINING:
        return study.training_set.train_images
    return getattr(study.calibration[images], "count", None)
