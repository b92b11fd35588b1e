"""Checks that the sections of a study fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import TYPE_CHECKING

from rulealign.config.claim_checks import check_claims, check_universes
from rulealign.config.derived import MATCHED_CONTROL
from rulealign.config.evaluation import LayerRoi
from rulealign.learning.rule import TRAINING, RuleSettings
from rulealign.learning.rules import rule_class
from rulealign.mistakes import Checks, Mistake, require
from rulealign.wrong_values import shown

if TYPE_CHECKING:
    from rulealign.config.study import Study


LISTED = {
    **dict.fromkeys(("report.stimuli", "universes.stimuli"), "stimuli"),
    **dict.fromkeys(("report.size", "universes.size"), "evaluation.sizes"),
    **dict.fromkeys(("report.descriptor", "universes.descriptor"), "evaluation.descriptors"),
    **dict.fromkeys(("report.centring", "universes.centring"), "evaluation.centring"),
    "training.fewer_seeds": "rules",
}
"""Key of one value, or of several -> the key that must list them."""


RESULTS_OF_ROIS = ("layers", "universes")
"""What ends the name of a table of an ROI: rule-bp_roi-V1_layers.csv, beside rule-bp_roi-V1.csv."""


def study_checks(study: Study) -> Checks:
    """List the checks of a study, each of which looks at few sections.

    Args:
        study: the study; a section that is not understood is missing in it.

    Returns:
        The mistakes that each check finds.
    """
    yield _check_layers(study)
    yield _check_descriptors(study)
    yield _check_layer_map(study)
    yield _check_things(study)
    yield _check_brain_has_images(study, "stimuli")
    yield _check_brain_has_images(study, "calibration")
    yield _check_cutouts(study)
    yield _check_sizes(study)
    yield _check_sizes_of_network(study)
    yield _check_images(study)
    yield _check_mirrored(study)
    yield _check_names_of_controls(study)
    yield _check_labels(study)
    yield _check_rois(study)
    yield _check_rules(study)
    yield _check_calibration_labels(study)
    yield _check_calibration_used(study)
    yield (_check_listed(study, key, source) for key, source in LISTED.items())
    yield check_universes(study)
    yield check_claims(study)


def _check_listed(study: Study, key: str, source: str) -> Iterator[Mistake]:
    values, allowed = (attrgetter(path)(study) for path in (key, source))
    for value in values if isinstance(values, list | dict) else [values]:
        yield from require(key, value, allowed, f"{source} lists")


def _check_layers(study: Study) -> Iterator[Mistake]:
    layers = study.network.layer_names()
    for layer in study.evaluation.layers:
        yield from require("evaluation.layers", layer, layers, "the network has the layers")


def _check_descriptors(study: Study) -> Iterator[Mistake]:
    # a grid may be finer than a small map, which then stays as it is; but not than all maps
    size = max(study.evaluation.sizes)
    read = [layer for layer in study.network.layers() if layer.name in study.evaluation.layers]
    maps = [side for layer in read if (side := layer.side(size)) is not None]
    for descriptor in study.evaluation.descriptors if maps else ():
        if descriptor.startswith("grid-") and int(descriptor[5:]) > max(maps):
            yield Mistake(
                "evaluation.descriptors",
                f"'{descriptor}' is finer than every map that is read, and averages nothing; the"
                f" largest, at {size} px, has {max(maps)} positions per side. Use"
                f" grid-{max(maps)} or less",
            )


def _check_layer_map(study: Study) -> Checks:
    for place, pair in enumerate(study.layer_map):
        yield _check_paired(study, f"layer_map.{place}.layer", pair, "evaluation.layers")
        yield _check_paired(study, f"layer_map.{place}.roi", pair, "brain.rois")


def _check_paired(study: Study, key: str, pair: LayerRoi, source: str) -> Iterator[Mistake]:
    value = getattr(pair, key.rpartition(".")[2])
    yield from require(key, value, attrgetter(source)(study), f"{source} lists")


def _check_things(study: Study) -> Iterator[Mistake]:
    needed, kind = study.brain.told_by_things, study.brain.kind
    if needed and study.things is None:
        yield Mistake("things", f"missing; brain.kind '{kind}' needs it, see docs/data.md")
    if not needed and study.things is not None:
        why = f"brain.kind '{kind}' takes nothing from there; remove the section"
        yield Mistake("things", why)


def _check_brain_has_images(study: Study, section: str) -> Iterator[Mistake]:
    if study.brain.own_images:
        return
    for label, images in getattr(study, section).items():
        if getattr(images, "of_brain", False):
            yield Mistake(
                f"{section}.{label}.kind",
                f"'{images.kind}' needs brain data that come with images, and brain.kind"
                f" '{study.brain.kind}' has none; use 'folder' or 'mat'",
            )


def _check_cutouts(study: Study) -> Iterator[Mistake]:
    origins = {
        label: one.cut_from for label, one in study.stimuli.items() if hasattr(one, "cut_from")
    }
    whole = [label for label, origin in origins.items() if origin is None]
    for label, origin in origins.items():
        if origin is not None:
            key, why = f"stimuli.{label}.cutout_of", "sets that are not cut out themselves are"
            yield from require(key, origin, whole, why)


def _check_sizes(study: Study) -> Iterator[Mistake]:
    sizes, trained = study.evaluation.sizes, study.training_set.image_size
    if trained not in sizes:
        yield Mistake(
            "evaluation.sizes",
            f"{shown(sizes)} lacks the training size {trained}; the size drives effects, so add it",
        )


def _check_sizes_of_network(study: Study) -> Iterator[Mistake]:
    smallest = study.network.smallest_image_side
    for key in ("training_set.image_size", "evaluation.sizes"):
        sizes = attrgetter(key)(study)
        for size in sizes if isinstance(sizes, list) else [sizes]:
            if size < smallest:
                why = f"{size} px leave a map of '{study.network.kind}' empty; it needs {smallest}"
                yield Mistake(key, f"{why} or more")


def _check_images(study: Study) -> Iterator[Mistake]:
    batch, images = study.training.batch_size, study.training_set.train_images
    if batch > images:
        yield Mistake(
            "training.batch_size",
            f"{batch} is more than training_set.train_images {images}, so no batch is ever"
            " full; lower it",
        )


def _check_mirrored(study: Study) -> Iterator[Mistake]:
    size, training = study.training_set.image_size, study.training
    whole = {"crop_padding": training.crop_padding, "padding_mode": training.padding_mode}
    rules = {f"rules.{label}": rule.calibration.padding for label, rule in study.rules.items()}
    for key, own in {"training": whole, **rules}.items():
        border = whole | own
        if own and border["padding_mode"] == "reflect" and border["crop_padding"] >= size:
            yield Mistake(
                f"{key}.crop_padding",
                f"{border['crop_padding']} pixels cannot be mirrored from images of {size}; use"
                f" {size - 1} or less",
            )


def _check_names_of_controls(study: Study) -> Iterator[Mistake]:
    for label in {"control", *study.controls} & set(study.rules):
        yield Mistake(f"rules.{label}", "is the name of controls; choose another label")


def _check_labels(study: Study) -> Iterator[Mistake]:
    # file names hold labels, and macOS takes rule-bp and rule-BP for one file
    for section in ("rules", "stimuli", "calibration", "brain.rois"):
        seen: dict[str, str] = {}
        for label in attrgetter(section)(study):
            if other := seen.get(label.casefold()):
                why = f"differs from '{other}' only in capitals; choose another label"
                yield Mistake(f"{section}.{label}", why)
            seen[label.casefold()] = label


def _check_rois(study: Study) -> Iterator[Mistake]:
    rois = {label.casefold(): label for label in study.brain.rois}
    for label in study.brain.rois:
        roi, _, ending = label.rpartition("_")
        if ending.casefold() in RESULTS_OF_ROIS and (other := rois.get(roi.casefold())):
            why = f"is also the name of results of '{other}'; choose another label"
            yield Mistake(f"brain.rois.{label}", why)


def _check_rules(study: Study) -> Checks:
    for label, rule in study.rules.items():
        yield _check_taught(study, label, rule)
        yield _check_image_side(study, label, rule)
        yield _check_per_block(study, label, rule)
        yield _check_calibration(study, f"rules.{label}", rule)
        yield _check_baseline(study, label, rule)


def _check_taught(study: Study, label: str, settings: RuleSettings) -> Iterator[Mistake]:
    if why := rule_class(settings.kind).cannot_teach(study.network):
        yield Mistake(
            f"rules.{label}", f"'{settings.kind}' {why}; remove it, or choose another network"
        )


def _check_image_side(study: Study, label: str, settings: RuleSettings) -> Iterator[Mistake]:
    kind, size = settings.kind, study.training_set.image_size
    rule, network = rule_class(kind), study.network
    multiple, smallest = rule.image_side_multiple(network), rule.smallest_image_side(network)
    if size % multiple or size < smallest:
        wanted = f"a multiple of {multiple}" if size % multiple else f"at least {smallest}"
        yield Mistake(
            f"rules.{label}",
            f"'{kind}' needs training_set.image_size to be {wanted} px, and it is {size};"
            " change it or remove the rule",
        )


def _check_per_block(study: Study, label: str, settings: RuleSettings) -> Iterator[Mistake]:
    network, blocks = study.network.kind, len(study.network.blocks())
    for key in settings.per_block:
        values = getattr(settings, key)
        if blocks and len(values) != blocks:
            yield Mistake(
                f"rules.{label}.{key}",
                f"must be a list of {blocks}, one value for each conv block of '{network}', not"
                f" {shown(values)}",
            )


def _check_baseline(study: Study, label: str, settings: RuleSettings) -> Iterator[Mistake]:
    key, baseline = f"rules.{label}.baseline", settings.baseline
    if baseline is None:
        if rule_class(settings.kind).trains and "baseline" not in settings.model_fields_set:
            why = f"there is no `{MATCHED_CONTROL}` with init {settings.init} to compare it with"
            yield Mistake(key, f"{why}; add it, name another rule, or write null for none")
        return
    yield from require(key, baseline, [one for one in study.rules if one != label], "there are")
    if not rule_class(settings.kind).trains:
        yield Mistake(key, f"'{label}' does not train, and has no baseline; remove the key")
    elif baseline in study.rules and study.rules[baseline].init != settings.init:
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
