"""What was run, in words and lists, from the study's configuration and the result tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from rulealign.data.training_sets import training_set_class
from rulealign.report import select
from rulealign.report.formatting import counted

_BRAINS = {
    "rdm-archive": "RDMs as given by their source.",
    "simulated": "Simulated from a known truth. Nobody was measured: nothing here is a finding"
    " about brains.",
}
Facts = list[tuple[str, str]]


def describe(study: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> dict[str, Facts]:
    """Say what was run.

    Args:
        study: the study's plain configuration.
        tables: `ceilings`, which carries what the brain data say of themselves, and `alignment`.

    Returns:
        Heading -> (term, text) in order.
    """
    return {
        "Network and training": _training(study),
        "Stimuli": _stimuli(study, tables["alignment"]),
        "Brain data": _brain(study, tables["ceilings"]),
        "Comparison": _comparison(study, tables["alignment"]),
    }


def rules(study: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """List the learning rules: label, kind and all other settings."""
    return [
        (label, rule["kind"], _settings(rule, without=["kind"]) or "no settings")
        for label, rule in study["rules"].items()
    ]


def listed(values: Iterable[object]) -> str:
    """Write values one after the other, with commas."""
    return ", ".join(str(value) for value in values)


def _settings(section: Mapping[str, Any], without: Iterable[str] = ()) -> str:
    # what is not set says nothing
    stated = {key: value for key, value in section.items() if value not in (None, [], {})}
    shown = {key: value for key, value in stated.items() if key not in without}
    return listed(f"{key.replace('_', ' ')} {_value(value)}" for key, value in shown.items())


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "(" + listed(_value(one) for one in value) + ")"
    return str(value)


def _training(study: Mapping[str, Any]) -> Facts:
    images, training = study["training_set"], study["training"]
    networks = counted([len(training["seeds"])], "network", "networks")
    epochs = "epochs" if len(training["checkpoints"]) > 1 else "epoch"
    about = training_set_class(images["kind"]).words.format_map(images)
    return [
        ("Network", _settings(study["network"])),
        ("Training images", about),
        ("Their settings", _settings(images, without=["kind", "source"])),
        ("Seeds", f"{networks} per rule: {listed(training['seeds'])}{_fewer(training)}"),
        ("Checkpoints", f"after {epochs} {listed(training['checkpoints'])}"),
        ("Course", _settings(training, without=["seeds", "fewer_seeds", "checkpoints"])),
    ]


def _fewer(training: Mapping[str, Any]) -> str:
    fewer = training["fewer_seeds"]
    return "".join(f"; {rule}: the first {count} only" for rule, count in fewer.items())


def _stimuli(study: Mapping[str, Any], alignment: pd.DataFrame) -> Facts:
    facts = [("Number", counted(alignment["n_stimuli"].unique(), "image", "images"))]
    for label, section in study["stimuli"].items():
        facts.append((label, _set(section)))
    for label, section in study["calibration"].items():
        facts.append((f"{label} (not compared; for calibration)", _set(section)))
    return facts


def _set(section: Mapping[str, Any]) -> str:
    shown = "yes" if section["as_shown"] else "no"
    return f"background: {section['background']}; as shown to subjects: {shown}" + _source(section)


def _source(section: Mapping[str, Any]) -> str:
    if section["kind"] == "synthetic-objects":
        return f"; {section['count']} generated objects, no photographs"
    if section["kind"] == "cutout":
        return f"; objects of {section['cutout_of']}, on grey {section['level']}"
    return f"; from {section['source']}" if "source" in section else "; come with the brain data"


def _brain(study: Mapping[str, Any], ceilings: pd.DataFrame) -> Facts:
    brain = study["brain"]
    facts = [("Kind", _BRAINS.get(brain["kind"], f"{brain['kind']}."))]
    described = ["acquisition", "distance", "repetitions", "n_subjects"]
    for values, rows in ceilings.groupby(described, sort=False):
        acquisition, distance, repetitions, subjects = values
        subjects = counted([subjects], "subject", "subjects")
        rests_on = _trials(repetitions, brain.get("stimulus_set"), distance)
        text = f"{acquisition}. {subjects}; distance: {distance}; {rests_on}"
        facts.append((listed(rows["roi"].unique()), text))
    areas = [f"{roi}: {_area(origin)}" for roi, origin in brain["rois"].items()]
    said = ["kind", "rois", "acquisition", "distance", "subjects"]
    return [*facts, ("Areas", "; ".join(areas)), ("Settings", _settings(brain, without=said))]


def _trials(repetitions: int, stimulus_set: str | None, distance: str) -> str:
    if repetitions < 2:
        return "1 trial per image" if repetitions else "averaged as given"
    what = "images per concept" if stimulus_set == "concept-mean" else "trials per image"
    return f"{repetitions} {what}{', kept apart' if 'crossnobis' in distance else ' averaged'}"


def _area(origin: Mapping[str, Any] | list[str]) -> str:
    return _settings(origin) if isinstance(origin, Mapping) else f"columns {listed(origin)}"


def _comparison(study: Mapping[str, Any], alignment: pd.DataFrame) -> Facts:
    measured, statistics = study["evaluation"], study["statistics"]
    pairs = listed(f"{pair['layer']} → {pair['roi']}" for pair in study["layer_map"])
    return [
        ("Layer to area, fixed before the run", pairs),
        ("Image sizes", f"{listed(measured['sizes'])} px"),
        ("Descriptors of conv maps", listed(measured["descriptors"])),
        ("Centring", listed(measured["centring"])),
        ("Pairs of stimuli", _pairs(alignment)),
        ("Statistics", _settings(statistics)),
    ]


def _pairs(alignment: pd.DataFrame) -> str:
    numbers = counted(alignment["n_pairs"].unique(), "pair", "pairs")
    return f"{select.pairs_words(alignment)}: {numbers}"
