"""Which settings the layer x area table and trajectories use: no more.

As in `stages`: typed study in, plain values out.
"""

from __future__ import annotations

from typing import Any

from rulealign.config.study import Study
from rulealign.plan import stages


def layer_choice(study: Study) -> dict[str, Any]:
    """Give the settings of the choice of a layer on other stimuli than it is scored on."""
    keys = ("layer_folds", "layer_splits")
    return {key: getattr(study.statistics, key) for key in keys}


def layers_table(study: Study) -> dict[str, Any]:
    """Give the settings of the layer x area table: the choice's, and the map fixed before."""
    return {
        **layer_choice(study),
        "pairs": study.brain.pairs,
        "study_seed": study.seed,
        "layer_map": layer_map(study),
        "seeds": {rule: study.seeds(rule) for rule in study.rules},
    }


def layer_map(study: Study) -> list[dict[str, str]]:
    """Give the pairs of layer and area that were fixed before the run, each once."""
    return [stages.plain(pair) for pair in study.layer_map]


def trajectories(study: Study) -> dict[str, Any]:
    """Give the settings of the measures over training: the map, and seeds and epochs of rules."""
    rules = trajectory_rules(study)
    return stages.alignment(study) | {
        "layer_map": layer_map(study),
        "seeds": {rule: study.seeds(rule) for rule in rules},
        "epochs": {rule: study.epochs(rule) for rule in rules},
    }


def baselines(study: Study) -> dict[str, Any]:
    """Give the settings of the comparison of every trained rule with its baseline."""
    named = {rule: study.rules[rule].baseline for rule in trajectory_rules(study)}
    return stages.alignment(study) | {
        "generalise_to": study.statistics.generalise_to,
        "layer_map": layer_map(study),
        "baselines": {rule: baseline for rule, baseline in named.items() if baseline},
    }


def compared_rules(study: Study) -> list[str]:
    """List the rules that have a baseline, and the baselines, each once."""
    named = baselines(study)["baselines"]
    return list(dict.fromkeys([*named, *named.values()]))


def rules_settings(study: Study) -> dict[str, Any]:
    """Give the settings of every rule's training, of which a warning names those that help."""
    return {rule: stages.checkpoint(study, rule)["rule"] for rule in study.rules}


def primary_samples(study: Study, rule: str, roi: str) -> dict[str, Any]:
    """Give what tells which scores of an alignment need samples for primary intervals.

    These are the ones that are held against a baseline, at the layers of the map; {} for none.
    """
    layers = sorted({pair.layer for pair in study.layer_map if pair.roi == roi})
    if not layers or rule not in compared_rules(study):
        return {}
    return {"layers": layers, "generalise_to": study.statistics.generalise_to}


def trajectory_rules(study: Study) -> list[str]:
    """List the rules that have a course to measure: two checkpoints or more."""
    return [rule for rule in study.rules if len(study.epochs(rule)) > 1]


def trajectory_areas(study: Study) -> list[str]:
    """List the areas of the layer map, each once, in its order."""
    return list(dict.fromkeys(pair.roi for pair in study.layer_map))
