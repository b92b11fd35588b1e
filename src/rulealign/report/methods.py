"""A paragraph of methods for a paper, written from the study, with its references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from rulealign.report import select
from rulealign.report.describe import stated
from rulealign.report.formatting import counted, plain
from rulealign.report.references import REFERENCES, Reference
from rulealign.report.rule_names import named_rule
from rulealign.report.rule_references import RULE_REFERENCES
from rulealign.report.sources import sources

if TYPE_CHECKING:
    from rulealign.config.study import Study
    from rulealign.learning.rule_settings import RuleSettings

OPTIMIZERS = {"adam": "Adam", "sgd": "SGD", "muon": "Muon"}
"""How settings of rules name an optimiser -> what it is called."""

_STIMULI = "stimuli, corrected for the noise of single pairs (Schütt et al. 2023),"
_OVER = {
    "stimuli": f"{_STIMULI} and over seeds",
    "subjects": "subjects and over seeds",
    "both": f"{_STIMULI} over subjects and over seeds",
}


class Methods(NamedTuple):
    """What a paper says of how it was done.

    Attributes:
        paragraphs: plain text.
        references: those that the paragraphs name, in the order of the alphabet.
        data: what to cite of the data: (source, text).
        bibtex: entries of the references and of rulealign.
    """

    paragraphs: list[str]
    references: list[Reference]
    data: list[tuple[str, str]]
    bibtex: str


def methods(study: Study, tables: Mapping[str, pd.DataFrame], facts: Mapping[str, Any]) -> Methods:
    """Write the methods of a study.

    Args:
        study: the study.
        tables: `alignment`, `ceilings`, `training` and, where there are any, `claims_summary`.
        facts: what computed it, as in `provenance.json`.

    Returns:
        Text with numbers, versions and references.
    """
    paragraphs = [
        _networks(study, tables["training"]),
        _rules(study),
        _comparison(study, tables["alignment"], tables["ceilings"]),
        _inference(study, tables),
        _software(study, facts),
    ]
    text = " ".join(paragraphs)
    named = [one for one in (*REFERENCES, *RULE_REFERENCES) if one.named in text]
    named.sort(key=lambda one: one.text)
    bibtex = "\n\n".join([*(one.bibtex for one in named), _own(facts)])
    return Methods(paragraphs, named, sources(study), bibtex)


def _networks(study: Study, training: pd.DataFrame) -> str:
    images, course = study.training_set, study.training
    networks = ", ".join(study.networks)
    held_out = counted(sorted(training["held_out_images"].unique()), "image", "images")
    seeds = counted(sorted({len(study.seeds(rule)) for rule in study.rules}), "seed", "seeds")
    return (
        f"Networks ({networks}) had {seeds} per rule. Rules with one"
        " initialisation started from the same weights in each seed, and all rules saw the same"
        " images in the same order:"
        f" {images.train_images:,} training images in batches of {course.batch_size}."
        f" Representations were compared at epochs {_listed(course.checkpoints)}; accuracy was"
        f" measured on {held_out} that no network learned from, in evaluation mode."
    )


def _rules(study: Study) -> str:
    trained = study.trajectory_rules()
    fixed = [rule for rule in study.rules if rule not in trained]
    said = [f"Networks were trained by {_named(study, trained)}"] if trained else []
    said += [f"Not trained were {_named(study, fixed)}"] if fixed else []
    return " ".join(f"{one}." for one in said)


def _named(study: Study, rules: Sequence[str]) -> str:
    # labels of one kind stand together
    of_kind: dict[str, list[str]] = {}
    for label in rules:
        settings = study.rules[label]
        of_kind.setdefault(settings.kind, []).append(_with_rates(label, settings))
    found = []
    for kind, each in of_kind.items():
        rule = named_rule(kind)
        found.append(f"{rule.name} ({'; '.join([*rule.sources, *each])})")
    return _listed(found)


def _with_rates(label: str, settings: RuleSettings) -> str:
    # the optimiser, where the rule has one, and every rate that weights learn at
    optimizer = getattr(settings, "optimizer", None)
    adam = "Adam on the readout" if "readout_learning_rate" in type(settings).model_fields else ""
    found = [OPTIMIZERS.get(optimizer, adam)] if optimizer or adam else []
    for name, value in settings.model_dump().items():
        if name.endswith(("learning_rate", "weight_rate")) or (name == "momentum" and value):
            found.append(f"{name.replace('_', ' ')} {stated(value)}")
    return f"{label}: {', '.join(found)}" if found else label


def _comparison(study: Study, alignment: pd.DataFrame, ceilings: pd.DataFrame) -> str:
    measured = study.evaluation
    stimuli = counted(sorted(alignment["n_stimuli"].unique()), "stimulus", "stimuli")
    pairs = counted(sorted(alignment["n_pairs"].unique()), "pair", "pairs")
    subjects = counted(sorted(ceilings["n_subjects"].unique()), "subject", "subjects")
    distances = _listed(ceilings["distance"].unique())
    layers = _listed(f"{pair.layer} with {pair.roi}" for pair in study.layer_map)
    return (
        f"Representational dissimilarity matrices (RDMs; Kriegeskorte et al. 2008) of {stimuli}"
        f" at {_listed(measured.sizes)} px were 1 − Pearson’s r between feature vectors"
        f" ({_listed(measured.descriptors)}; {_listed(measured.centring)}), and"
        f" {distances} between responses of {subjects} in {_listed(study.brain.rois)}. A score is"
        f" Spearman’s ρ over {select.pairs_words(alignment)} ({pairs}), with each subject’s RDM,"
        f" averaged over subjects and then seeds. Named in advance were {layers}. Noise ceilings"
        " (Nili et al. 2014) are of rank-transformed RDMs; an ROI was informative where the lower"
        f" bound lay clear of {study.statistics.null_draws:,} permutations of the stimuli."
    )


def _inference(study: Study, tables: Mapping[str, pd.DataFrame]) -> str:
    statistics = study.statistics
    text = (
        f"Intervals ({plain(100 * statistics.interval, 0)}%) rest on"
        f" {statistics.bootstrap_draws:,} resamples of the stimuli, shared by all rules, layers"
        " and epochs; pairs of a stimulus with itself were left out."
    )
    if "claims_summary" not in tables:
        return f"{text} No claim was declared before the run."
    summary = tables["claims_summary"]
    universes = counted(sorted(summary["universes"].unique()), "universe", "universes")
    claims = counted([len(summary)], "claim was", "claims were")
    return (
        f"{text} {claims} declared before the run, and evaluated in {universes} each (combinations"
        " of stimuli, size, descriptor, comparison, control and baseline). The interval of an"
        f" effect holds the variance over {_OVER[statistics.generalise_to]}. Its verdict is one"
        " test of the median over all universes of the same question (specification curve;"
        " Simonsohn et al. 2020), adjusted by Holm’s method over the claims of a family."
    )


def _software(study: Study, facts: Mapping[str, Any]) -> str:
    packages = facts["packages"]
    used = ("torch", "torchvision", "numpy", "scipy", "snakemake")
    versions = _listed(f"{name} {packages[name]}" for name in used if name in packages)
    return (
        f"All of it was computed by rulealign {packages.get('rulealign', '')} (Python"
        f" {facts['python']}, {versions}) on {study.device}; seed {study.seed}, settings"
        f" {facts['study_fingerprint']}."
    )


def _own(facts: Mapping[str, Any]) -> str:
    version = facts["packages"].get("rulealign", "")
    return (
        "@software{rulealign,\n  author = {{The rulealign authors}},\n  title = {rulealign:"
        " learning rules and their alignment with human visual cortex},\n"
        f"  version = {{{version}}},\n  note = {{settings {facts['study_fingerprint']}}}\n}}"
    )


def _listed(values: Any) -> str:
    *first, last = map(str, values)
    return f"{', '.join(first)} and {last}" if first else last
