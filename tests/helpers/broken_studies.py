"""Study files with mistakes that people make: one mistake each, and several at once."""

import copy
from collections.abc import Iterator
from typing import Any

import yaml

REMOVED = object()
UNTRAINED = {"kind": "untrained", "init": "default"}
AS_THEY_ARE = {"kind": "untrained_bn", "init": "default", "augment": False}
GENERATED = {"kind": "synthetic-objects", "count": 100, "image_size": 32}
GENERATED |= {"background": "grey", "as_shown": False}
FROM_NOWHERE = {"kind": "folder", "source": "", "background": "grey", "as_shown": True}
THINGS = {"form": "tables", "root": None, "images": None, "parallel": 4}
MISTAKES: dict[str, tuple[str, Any, str]] = {
    # what is wrong: (key, what is put there, what the message must offer)
    "a name with a slash": ("study", "../mine", "letters"),
    "a name of 300 letters": ("study", "m" * 300, "100"),
    "a name that is a number": ("study", 2026, "quotes"),
    "a title that is a number": ("title", 2026.5, "quotes"),
    "no title": ("title", None, "text"),
    "text for a seed": ("seed", "one", "whole number"),
    "a negative seed": ("seed", -1, "at least 0"),
    "a seed with decimals": ("seed", 1.5, "whole number"),
    "true for a seed": ("seed", True, "number"),
    "gpu for a device": ("device", "gpu", "'cuda'"),
    "a device in capitals": ("device", "CUDA", "did you mean 'cuda'"),
    "one mirror, not in a list": ("data_mirrors", "/data", "list"),
    "no training set": ("training_set", REMOVED, "docs/configuration.md"),
    "a null section": ("networks.cnn3", None, "section"),
    "a list for a section": ("networks.cnn3", ["cnn3"], "section"),
    "an unknown network": ("networks.cnn3.kind", "resnet17", "'resnet18'"),
    "two channels": ("networks.cnn3.channels", [32, 64], "at least 3"),
    "four channels": ("networks.cnn3.channels", [32, 64, 128, 256], "at most 3"),
    "zero channels": ("networks.cnn3.channels.1", 0, "at least 1"),
    "a number for channels": ("networks.cnn3.channels", 32, "list"),
    "dropout in percent": ("networks.cnn3.dropout", 30, "below 1"),
    "dropout with a sign": ("networks.cnn3.dropout", "30%", "without a unit"),
    "an unknown border": ("training.padding_mode", "reflekt", "did you mean 'reflect'"),
    "a misspelt kind of images": ("training_set.kind", "CIFAR-10", "did you mean 'cifar10'"),
    "an unknown kind of images": ("training_set.kind", "imagenet", "'image-folder'"),
    "no kind of images": ("training_set.kind", REMOVED, "'image-folder'"),
    "a list for a kind": ("training_set.kind", ["cifar10"], "'image-folder'"),
    "a size with a unit": ("training_set.image_size", "32px", "write 32 without a unit"),
    "a size with a unit and a space": ("training_set.image_size", "32 px", "write 32 without"),
    "a size out of bounds": ("training_set.image_size", 4, "at least 8"),
    "two sizes": ("training_set.image_size", [32, 32], "whole number"),
    "fewer images than are drawn": ("training_set.pool_images", 10, "train_images"),
    "one seed, not in a list": ("training.seeds", 42, "list"),
    "no seeds": ("training.seeds", [], "at least 1"),
    "a seed twice": ("training.seeds", [42, 42], "remove"),
    "a word among seeds": ("training.seeds.1", "x", "whole number"),
    "fewer seeds of an unknown rule": ("training.fewer_seeds", {"bbp": 1}, "did you mean 'bp'"),
    "fewer seeds as a list": ("training.fewer_seeds", ["pc"], "section"),
    "null for no fewer seeds": ("training.fewer_seeds", None, "{}"),
    "checkpoints out of order": ("training.checkpoints", [0, 10, 1], "in order"),
    "no checkpoint 0": ("training.checkpoints", [1, 10], "put 0 first"),
    "a checkpoint beyond the schedule": ("training.checkpoints", [0, 20], "schedule_epochs"),
    "a batch of one": ("training.batch_size", 1, "at least 2"),
    "a batch larger than all images": ("training.batch_size", 5000, "lower"),
    "maybe": ("training.horizontal_flip", "maybe", "true or false"),
    "two colours": ("training.mean", [0.5, 0.5], "at least 3"),
    "no finite mean": ("training.mean.0", float("nan"), "finite"),
    "colours of 255": ("training.std.2", 0, "above 0"),
    "no rules": ("rules", {}, "at least 1"),
    "rules as a list": ("rules", ["bp", "fa"], "section"),
    "a rule without settings": ("rules.bp", None, "kind"),
    "a rule of a word": ("rules.bp", "bp", "kind"),
    "a misspelt rule": ("rules.bp.kind", "pb", "'bp'"),
    "a rule with a dash": ("rules.fa-2", {"kind": "untrained", "init": "default"}, "fa_2"),
    "a rule whose label is a number": ("rules.2", UNTRAINED, "quotes"),
    "a label of 250 letters": (f"rules.{'b' * 250}", UNTRAINED, "45"),
    "the label of a control": ("rules.control", UNTRAINED, "another label"),
    "two labels that differ by case": ("rules.BP", UNTRAINED, "another label"),
    "a negative learning rate": ("rules.bp.learning_rate", -0.1, "above 0"),
    "a learning rate of a word": ("rules.bp.learning_rate", "fast", "number"),
    "a misspelt optimizer": ("rules.bp.optimizer", "adamw", "did you mean 'adam'"),
    "an unknown schedule": ("rules.fa.schedule", "step", "'constant'"),
    "momentum of adam": ("rules.fa.momentum", 0.9, "sgd"),
    "a missing setting": ("evaluation.sizes", REMOVED, "docs/configuration.md"),
    "another rule's setting": ("rules.bp.inference_steps", 4, "unknown key"),
    "an unknown set to calibrate on": ("rules.bn", AS_THEY_ARE | {"images": "x"}, "'training'"),
    "a size that is not evaluated": ("rules.bn", AS_THEY_ARE | {"size": 64}, "evaluation.sizes"),
    "some images": ("rules.untrained_bn.count", "some", "'all' or a whole number"),
    "more images than there are": ("rules.bn", AS_THEY_ARE | {"count": 9999}, "`all`"),
    "another size than training's": ("rules.untrained_bn.size", 96, "`augment: false`"),
    "stimuli of an unknown kind": ("stimuli.shown.kind", "brains", "did you mean 'brain'"),
    "stimuli without a word on them": ("stimuli.shown.background", REMOVED, "docs/"),
    "yes or no": ("stimuli.shown.as_shown", "perhaps", "true or false"),
    "calibration as null": ("calibration", None, "{}"),
    "calibration that no rule uses": ("calibration.extra", GENERATED, "remove"),
    "calibration with a stimulus set's label": ("calibration.shown", GENERATED, "another"),
    "an unknown kind of brain data": ("brain.kind", "eeg", "'rdm-archive'"),
    "a misspelt kind of brain data": ("brain.kind", "simulate", "did you mean 'simulated'"),
    "no subjects": ("brain.subjects", 0, "at least 1"),
    "a list of subjects": ("brain.subjects", ["01", "02"], "whole number"),
    "an unknown stimulus set": ("brain.stimulus_set", "test_repeats", "mean 'test-repeats'"),
    "an unknown distance": ("brain.distance", "pearson", "'correlation'"),
    "crossnobis without folds": ("brain.distance", {"crossnobis": {}}, "docs/"),
    "crossnobis over trials": ("brain.distance", {"crossnobis": {"folds": "trial"}}, "'session'"),
    "pairs within a run": ("brain.pairs", "within", "'cross_run'"),
    "no ROIs": ("brain.rois", {}, "at least 1"),
    "an unknown column": ("brain.rois.V1", ["V9"], "'V2'"),
    "an ROI of a number": ("brain.rois.V1", 1, "list"),
    "an ROI without columns": ("brain.rois.V1", [], "at least 1"),
    "a column twice": ("brain.rois.V1", ["V1", "V1"], "remove"),
    "a column for an ROI": ("brain.rois.V1", "V1", "list"),
    "an ROI like another's results": ("brain.rois.V1_layers", ["V1"], "another label"),
    "two ROIs that differ by case": ("brain.rois.v1", ["V1"], "another label"),
    "without the training size": ("evaluation.sizes", [96], "32"),
    "a size of nothing": ("evaluation.sizes", None, "list"),
    "a misspelt layer": ("evaluation.layers.cnn3.0", "conv_1", "did you mean 'conv1'"),
    "an unknown descriptor": ("evaluation.descriptors.0", "grid8", "grid-"),
    "a misspelt centring": ("evaluation.centring.1", "centered", "did you mean 'centred'"),
    "an unknown control": ("controls.0", "pixel", "did you mean 'pixels'"),
    "a control twice": ("controls", ["pixels", "pixels"], "remove"),
    "a pair with an unknown layer": ("layer_map.0.layer", "conv4", "'conv3'"),
    "a pair with an unknown ROI": ("layer_map.1.roi", "V3", "'V2'"),
    "a pair as text": ("layer_map.0", "conv1-V1", "section"),
    "an empty map": ("layer_map", [], "at least 1"),
    "an interval in percent": ("statistics.interval", 95, "below 1"),
    "few draws": ("statistics.bootstrap_draws", 10, "at least 20"),
    "too few draws for the interval": ("statistics.null_draws", 30, "at least 40"),
    "memory with a unit": ("statistics.memory_mb", "512 MB", "write 512 without a unit"),
    "no draws": ("statistics.bootstrap_draws", "", "whole number"),
    "an axis as a word": ("universes.size", 32, "list"),
    "an axis without values": ("universes.pairs", [], "at least 1"),
    "an unknown axis": ("universes.crossed.0", "sizes", "did you mean 'size'"),
    "an unknown size": ("universes.size.1", 64, "[32, 96]"),
    "an unknown comparison": ("universes.comparison.0", "spearmann", "did you mean 'spearman'"),
    "runs that overlap": ("universes.pairs", ["cross_run"], "'all'"),
    "a joined control that is unknown": ("universes.control.1", "pixels+hue", "'pixels'"),
    "a baseline that is no rule": ("universes.baseline.1", "bpp", "did you mean 'bp'"),
    "a baseline of a rule that is none": ("rules.bp.baseline", "untrained_bm", "'untrained_bn'"),
    "another rule as initialisation": ("universes.initialisation.b", {"bp": "fa"}, "`init`"),
    "people for subjects": ("statistics.generalise_to", "people", "'subjects'"),
    "a claim of nothing": ("claims.bp_drop", None, "section"),
    "claims as null": ("claims", None, "{}"),
    "a claim about an unknown layer": ("claims.bp_drop.layer", "conv9", "'conv1'"),
    "a claim about an unknown ROI": ("claims.bp_drop.roi", "V9", "'V1'"),
    "a term of an unknown rule": ("claims.bp_drop.plus.0.rule", "bpp", "did you mean 'bp'"),
    "a term of an epoch that is not kept": ("claims.bp_drop.plus.0.epoch", 3, "[0, 1, 10]"),
    "a term of another layer": ("claims.bp_drop.plus.0.layer", "conv2", "name conv2"),
    "a term that is no section": ("claims.bp_drop.plus.0", "bp 1", "section"),
    "equal sides": ("claims.bp_drop.minus", [{"rule": "bp", "epoch": 1}], "change"),
    "a direction of its own": ("claims.bp_drop.direction", "down", "'negative'"),
    "a negative effect": ("claims.bp_drop.smallest_effect", -0.1, "in words"),
    "a claim without words": ("claims.bp_drop.statement", "", "1 or more characters"),
    "a report of other stimuli": ("report.stimuli", "show", "did you mean 'shown'"),
    "a report of another size": ("report.size", 64, "[32, 96]"),
    "a section of another kind of brain": ("things", THINGS, "remove"),
    "an empty root": ("things", THINGS | {"root": ""}, "or null"),
    "an empty source": ("calibration.extra", FROM_NOWHERE, "name a dataset of the registry"),
    "a value of 200 letters": ("device", "x" * 200, "'cpu'"),
    "a value of 10,000 numbers": ("seed", list(range(10_000)), "whole number"),
}


def broken_studies(study: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield studies with one mistake each.

    Args:
        study: the default study, as YAML reads it.

    Yields:
        What is wrong; the text of the study file; the key that the message must name; and a word of
        what is allowed, or of the remedy, that it must name.
    """
    for name, (key, value, remedy) in MISTAKES.items():
        yield name, written(with_value(study, key, value)), key, remedy
    for path in _settings(study):
        *section, last = path
        misspelt = f"{last[:-1]}{last[-1] * 2}"
        changed = copy.deepcopy(study)
        place = _at(changed, section)
        place[misspelt] = place.pop(last)
        key = ".".join(map(str, [*section, misspelt]))
        yield f"{'.'.join(map(str, path))} misspelt", written(changed), key, f"`{last}`"


def study_of_many_mistakes(study: dict[str, Any]) -> tuple[str, set[str]]:
    """Give a study with mistakes in many sections, some of which lie between two sections.

    Args:
        study: the default study, as YAML reads it.

    Returns:
        The text of the study file, and the key of every mistake.
    """
    names = ("gpu for a device", "a size with a unit", "a seed twice", "no checkpoint 0")
    names += ("a batch of one", "a negative learning rate", "momentum of adam", "a control twice")
    names += ("an unknown column", "a pair with an unknown ROI", "an interval in percent")
    names += ("an unknown comparison", "a term of an unknown rule", "a report of another size")
    names += ("a rule with a dash", "some images", "maybe", "an unknown kind of images")
    for name in names[:-1]:
        key, value, _ = MISTAKES[name]
        study = with_value(study, key, value)
    return written(study), {MISTAKES[name][0] for name in names[:-1]}


def with_value(study: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Give a copy of a study in which a key, such as training.seeds.0, has another value."""
    *section, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    changed = copy.deepcopy(study)
    if value is REMOVED:
        del _at(changed, section)[last]
    else:
        _at(changed, section)[last] = value
    return changed


def written(study: dict[str, Any]) -> str:
    """Give the text of a study's file."""
    return yaml.safe_dump(study, sort_keys=False)


def _at(study: Any, section: list) -> Any:
    for part in section:
        study = study[part]
    return study


LABELS = (
    "networks",
    "evaluation.layers",
    "rules",
    "stimuli",
    "calibration",
    "brain.rois",
    "claims",
    "training.fewer_seeds",
)
"""Sections whose keys are the user's own, so that another one is no misspelling."""


def _settings(section: Any, path: tuple = ()) -> Iterator[tuple]:
    """Yield the path of every key whose name the user has not chosen."""
    if isinstance(section, dict):
        for key, value in section.items():
            name = ".".join(map(str, path))
            if name not in (*LABELS, "universes.initialisation"):
                yield (*path, key)
            yield from _settings(value, (*path, key))
    elif isinstance(section, list):
        for place, value in enumerate(section):
            yield from _settings(value, (*path, place))
