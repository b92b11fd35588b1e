"""Checks that the sections of a study fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import TYPE_CHECKING

from rulealign.config.claim_checks import check_claims, check_universes
from rulealign.config.given_checks import check_given, unreadable_tables
from rulealign.config.labels import read_labels
from rulealign.config.network_checks import check_networks, unreadable_networks
from rulealign.config.rule_checks import check_rules
from rulealign.config.universes import OPTIONAL
from rulealign.errors import ConfigurationError
from rulealign.mistakes import Checks, Mistake, require
from rulealign.wrong_values import no_such, shown

if TYPE_CHECKING:
    from rulealign.config.study import Study


LISTED = {
    "universes.network": "networks",
    **dict.fromkeys(("report.stimuli", "universes.stimuli"), "stimuli"),
    **dict.fromkeys(("report.size", "universes.size"), "evaluation.sizes"),
    **dict.fromkeys(("report.descriptor", "universes.descriptor"), "evaluation.descriptors"),
    **dict.fromkeys(("report.centring", "universes.centring"), "evaluation.centring"),
    "training.fewer_seeds": "rules",
    "report.highlight": "rules",
}
"""Key of one value, or of several -> the key that must list them."""


RESULTS_OF_ROIS = ("layers", "times", "universes")
"""What ends the name of a table of an ROI: ..._roi-V1_layers.csv, beside ..._roi-V1.csv."""


def study_checks(study: Study) -> Checks:
    """List the checks of a study, each of which looks at few sections.

    Args:
        study: the study; a section that is not understood is missing in it.

    Returns:
        The mistakes that each check finds.
    """
    unread = [*unreadable_networks(study), *unreadable_tables(study)]
    yield iter(unread)
    if unread:  # every other check asks networks for their layers, and rules for their models
        return
    yield check_networks(study)
    yield _check_things(study)
    yield _check_brain_has_images(study, "stimuli")
    yield _check_brain_has_images(study, "calibration")
    yield _check_cutouts(study)
    yield _check_sizes(study)
    yield _check_images(study)
    yield _check_mirrored(study)
    yield _check_names_of_controls(study)
    yield _check_labels(study)
    yield _check_rois(study)
    yield check_rules(study)
    yield check_given(study)
    yield (_check_listed(study, key, source) for key, source in LISTED.items())
    yield _check_encoding(study)
    yield _check_encoded(study)
    yield _check_given_labels(study)
    yield check_universes(study)
    yield check_claims(study)
    yield _check_reproduced(study)


def _check_listed(study: Study, key: str, source: str) -> Iterator[Mistake]:
    values, allowed = (attrgetter(path)(study) for path in (key, source))
    for value in values if isinstance(values, list | dict) else [values]:
        yield from require(key, value, allowed, f"{source} lists")


def _check_encoding(study: Study) -> Iterator[Mistake]:
    if study.encoding is None:
        return
    brain = study.brain
    if study.encoding.voxels:
        if not brain.single_trials:
            yield Mistake(
                "encoding.voxels",
                f"needs responses of single trials, and brain.kind '{brain.kind}' has RDMs, which"
                " tell nothing of single voxels; use null for all voxels together",
            )
        elif study.encoding.voxels.ceiling and brain.no_repeats:
            why = f"needs images with several responses, and brain.{brain.no_repeats}"
            yield Mistake("encoding.voxels.ceiling", f"{why}; set it to false")
        return
    if not brain.pattern_distance:
        yield Mistake(
            "encoding",
            "needs distances that tell the Gram matrix of patterns, and brain.distance is"
            f" {shown(brain.model_dump()['distance'])}; use 'correlation' or 'euclidean' where"
            " responses are read, bring RDMs of '1 - Pearson' or 'squared Euclidean', or leave out"
            " `encoding`",
        )
    if brain.pairs != "all":
        yield Mistake(
            "encoding", f"needs all pairs of stimuli, and brain.pairs is '{brain.pairs}'; use 'all'"
        )


def _check_encoded(study: Study) -> Iterator[Mistake]:
    if study.encoding is None:
        return
    asked = [one for one in study.encoding.features if one != "activations"]
    for network in study.networks.values() if asked else ():
        if why := network.no_signals():
            yield Mistake("encoding.features", f"{shown(asked)} cannot be computed: {why}")
    if "teaching" in asked and not any(map(study.sends_errors, study.rules)):
        why = "no rule of the study has 'teaching' signals; leave it out, or add a rule such as bp"
        yield Mistake("encoding.features", why)
    if study.encoding.features == ["teaching"]:
        yield from _errors_of_one_size(study)
    yield from _too_few_stimuli(study)
    for roi in study.encoding.hierarchy:
        yield from require("encoding.hierarchy", roi, study.brain.rois, "brain.rois lists")
    if len(study.encoding.hierarchy) == 1:
        yield Mistake("encoding.hierarchy", "needs 2 ROIs or more, from early to late; or []")


def _check_given_labels(study: Study) -> Iterator[Mistake]:
    if study.encoding is None:
        return
    asked, table = "given-label" in study.encoding.losses, study.encoding.labels
    if asked and table is None:
        why = "missing; the loss 'given-label' needs a table of which class each stimulus is of"
        yield Mistake("encoding.labels", f"{why}, or remove the loss")
    elif asked:
        yield from _unknown_classes(study)
    elif table is not None:
        yield Mistake("encoding.labels", "is for the loss 'given-label' alone; add it to losses")


def _unknown_classes(study: Study) -> Iterator[Mistake]:
    try:
        labels = read_labels(study.encoding.labels)
    except ConfigurationError as error:
        yield Mistake("encoding.labels", f"{error}; correct it, or the path")
        return
    classes = study.training_set.classes
    for name, label in labels.items() if classes else ():
        if label not in classes:
            known = no_such(label, classes, "the training set's classes are")
            yield Mistake("encoding.labels", f"stimulus '{name}': {known}")
            return


def _errors_of_one_size(study: Study) -> Iterator[Mistake]:
    for rule in filter(study.sends_errors, study.rules):
        if missing := set(study.evaluation.sizes) - set(study.teaching_sizes(rule)):
            yield Mistake(
                "encoding.features",
                f"at {sorted(missing)[0]} pixels rule '{rule}' has no features: its 'teaching'"
                " signals fit the training size alone; add 'activations'",
            )


def _too_few_stimuli(study: Study) -> Iterator[Mistake]:
    there = study.brain.most_apart
    if there is None:
        return
    if unfilled := study.encoding.unfilled(there, "stimuli of different concepts"):
        key, why = unfilled
        yield Mistake(f"encoding.{key}", why)


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


def _check_reproduced(study: Study) -> Iterator[Mistake]:
    values = OPTIONAL | study.universes.values()
    for place, one in enumerate(study.report.reproduces):
        key = f"report.reproduces.{place}"
        yield from require(f"{key}.claim", one.claim, study.claims, "claims lists")
        known = {axis: value for axis, value in one.universe.items() if axis in values}
        for axis, value in known.items():
            where = f"universes.{axis} lists"
            yield from require(f"{key}.universe.{axis}", value, values[axis], where)


def _check_names_of_controls(study: Study) -> Iterator[Mistake]:
    for label in {"control", *study.controls} & set(study.rules):
        yield Mistake(f"rules.{label}", "is the name of controls; choose another label")


def _check_labels(study: Study) -> Iterator[Mistake]:
    # file names hold labels, and macOS takes rule-bp and rule-BP for one file
    for section in ("networks", "rules", "stimuli", "calibration", "brain.rois"):
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
