"""What was run, in words and lists, from the study's configuration and the result tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from rulealign.config.brain import BestVoxels, Roi
from rulealign.report import select
from rulealign.report.formatting import counted
from rulealign.schema import Closed

if TYPE_CHECKING:
    from rulealign.config.study import Study
    from rulealign.config.training import Training

Facts = list[tuple[str, str]]


def describe(study: Study, tables: Mapping[str, pd.DataFrame]) -> dict[str, Facts]:
    """Say what was run.

    Args:
        study: the study.
        tables: `ceilings`, which carries what the brain data say of themselves, and `alignment`.

    Returns:
        Heading -> (term, text) in order.
    """
    return {
        "Networks and training": _training(study),
        "Stimuli": _stimuli(study, tables["alignment"]),
        "Brain data": _brain(study, tables["ceilings"]),
        "Comparison": _comparison(study, tables["alignment"]),
    }


def rules(study: Study) -> list[tuple[str, str, str]]:
    """List the learning rules: label, kind and all other settings."""
    return [
        (label, rule.kind, _settings(rule, without=["kind"]) or "no settings")
        for label, rule in study.rules.items()
    ]


def listed(values: Iterable[object]) -> str:
    """Write values one after the other, with commas."""
    return ", ".join(str(value) for value in values)


def _settings(section: Closed, without: Iterable[str] = ()) -> str:
    settings = section.model_dump(mode="json")
    return _stated({key: value for key, value in settings.items() if key not in without})


def _stated(values: Mapping[str, Any]) -> str:
    # what is not set says nothing
    given = {key: value for key, value in sorted(values.items()) if value not in (None, [], {})}
    return listed(f"{key.replace('_', ' ')} {stated(value)}" for key, value in given.items())


def stated(value: object) -> str:
    """Write the value of a setting: words for yes and no, brackets around several values."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "(" + listed(stated(one) for one in value) + ")"
    return f"({_stated(value)})" if isinstance(value, Mapping) else str(value)


def _training(study: Study) -> Facts:
    images, training = study.training_set, study.training
    networks = counted([len(training.seeds)], "network", "networks")
    each = "network and rule" if len(study.networks) > 1 else "rule"
    epochs = "epochs" if len(training.checkpoints) > 1 else "epoch"
    return [
        *((f"Network “{label}”", _settings(one)) for label, one in study.networks.items()),
        ("Training images", images.words.format_map(images.model_dump())),
        ("Their settings", _settings(images, without=["kind", "source"])),
        ("Seeds", f"{networks} per {each}: {listed(training.seeds)}{_fewer(training)}"),
        ("Checkpoints", f"after {epochs} {listed(training.checkpoints)}"),
        ("Course", _settings(training, without=["seeds", "fewer_seeds", "checkpoints"])),
    ]


def _fewer(training: Training) -> str:
    fewer = training.fewer_seeds
    return "".join(f"; {rule}: the first {count} only" for rule, count in fewer.items())


def _stimuli(study: Study, alignment: pd.DataFrame) -> Facts:
    facts = [("Number", counted(alignment["n_stimuli"].unique(), "image", "images"))]
    for label, section in study.stimuli.items():
        facts.append((label, _set(section)))
    for label, section in study.calibration.items():
        facts.append((f"{label} (not compared; for calibration)", _set(section)))
    return facts


def _set(section: Any) -> str:
    shown = "yes" if section.as_shown else "no"
    origin = section.origin.format_map(section.model_dump())
    return f"background: {section.background}; as shown to subjects: {shown}; {origin}"


def _brain(study: Study, ceilings: pd.DataFrame) -> Facts:
    brain = study.brain
    facts = [("Kind", brain.words)]
    described = ["acquisition", "distance", "repetitions", "n_subjects"]
    for values, rows in ceilings.groupby(described, sort=False):
        acquisition, distance, repetitions, subjects = values
        subjects = counted([subjects], "subject", "subjects")
        rests_on = _trials(repetitions, brain.repeated, distance)
        text = f"{acquisition}. {subjects}; distance: {distance}; {rests_on}"
        facts.append((listed(rows["roi"].unique()), text))
    rois = [_roi(roi, origin) for roi, origin in brain.rois.items()]
    said = ["kind", "rois", "acquisition", "distance", "subjects"]
    return [*facts, ("ROIs", "; ".join(rois)), ("Settings", _settings(brain, without=said))]


def _roi(label: str, origin: Closed) -> str:
    # which voxels; an ROI that is the column of its name, whole, needs no more words
    if not isinstance(origin, Roi):
        return f"{label}: {_settings(origin)}"
    if origin == Roi(union=[label]):
        return label
    side = "both hemispheres" if origin.hemisphere == "both" else f"{origin.hemisphere} hemisphere"
    words = f"{label}: voxels in {' or '.join(origin.union)}"
    words += "".join(f" and in {one}" for one in origin.intersection)
    words += f" but not in {' or '.join(origin.difference)}" if origin.difference else ""
    chosen = origin.voxels
    if chosen == "all":
        return f"{words}, {side}"
    if isinstance(chosen, BestVoxels):
        return f"{words}, {side}: the {chosen.top} with the highest {chosen.by}"
    return f"{words}, {side}: those with {chosen.by} of at least {chosen.at_least:g}%"


def _trials(repetitions: float, what: str, distance: str) -> str:
    if repetitions in (0, 1):
        return "1 trial per image" if repetitions else "averaged as given"
    number = (
        f"{repetitions:g}" if float(repetitions).is_integer() else f"a mean of {repetitions:.2f}"
    )
    return f"{number} {what}{', kept apart' if 'crossnobis' in distance else ' averaged'}"


def _comparison(study: Study, alignment: pd.DataFrame) -> Facts:
    measured = study.evaluation
    pairs = listed(f"{pair.layer} → {pair.roi}" for pair in study.layer_map)
    return [
        ("Layer to ROI, fixed before the run", pairs),
        ("Image sizes", f"{listed(measured.sizes)} px"),
        ("Descriptors of conv maps", listed(measured.descriptors)),
        ("Centring", listed(measured.centring)),
        ("Pairs of stimuli", _pairs(alignment)),
        ("Statistics", _settings(study.statistics, without=["memory_mb"])),
    ]


def _pairs(alignment: pd.DataFrame) -> str:
    numbers = counted(alignment["n_pairs"].unique(), "pair", "pairs")
    return f"{select.pairs_words(alignment)}: {numbers}"
