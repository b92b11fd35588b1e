"""The tables of the page that each network of a study has for itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from rulealign.arm import Arm
from rulealign.learning.verdict import learned, mostly_dead, silent_words
from rulealign.report import layers, select, spread, tabulate

if TYPE_CHECKING:
    from rulealign.config.evaluation import View
    from rulealign.config.study import Study

Tables = Mapping[str, pd.DataFrame]


def by_network(study: Study, tables: Tables) -> dict[str, Tables]:
    """Take the rows of every network.

    Args:
        study: the study.
        tables: as `page.write_page` takes them.

    Returns:
        network -> the tables that have rules, each with the rows of that network.
    """
    told = {name: table for name, table in tables.items() if "rule" in table}
    return {
        network: {name: select.of_network(table, network) for name, table in told.items()}
        for network in study.networks
    }


def _name(study: Study, arm: Arm) -> str:
    return str(arm) if len(study.networks) > 1 else arm.rule


def _measured(study: Study, network: str) -> list[str]:
    # of the others nobody here has weights
    return [rule for rule in study.rules_of(network) if study.taught_by(rule).has_states]


def doubtful(study: Study, by_network: Mapping[str, Tables]) -> list[tuple[str, str]]:
    """List the rules that may not have learned, with the reason; with their network if several."""
    return [
        (_name(study, Arm(network, rule)), verdict.words)
        for network, tables in by_network.items()
        for rule, verdict in learned(tables["diagnostics"], _measured(study, network)).items()
        if verdict.doubtful
    ]


def silent(study: Study, by_network: Mapping[str, Tables]) -> list[str]:
    """Say of each rule which layers are mostly dead, and what leaves fewer dead units."""
    return [
        f"{_name(study, arm)}: {words}"
        for arm in study.arms
        for words in silent_words(
            by_network[arm.network]["diagnostics"],
            arm.rule,
            study.rules[arm.rule].fewer_dead_units(),
        )
    ]


def remnants(study: Study, by_network: Mapping[str, Tables]) -> list[str]:
    """Say which layers that claims or the layer map rest on are mostly dead, and by which rules.

    Args:
        study: the study.
        by_network: as `by_network` gives them.

    Returns:
        A sentence per layer, of the last checkpoints of trained rules.
    """
    named = [pair.layer for pair in study.layer_map]
    named += [layer for claim in study.claims.values() for layer in claim.layer]
    shares: dict[str, list[str]] = {}
    for arm in study.arms:
        dead = mostly_dead(by_network[arm.network]["diagnostics"], arm.rule)
        for layer in {study.layer_at(arm.network, one): None for one in named}:
            if layer in dead:
                said = f"{_name(study, arm)} ({dead[layer]:.0%})"
                shares.setdefault(layer, []).append(said)
    return [
        f"Most units of {layer} are dead at the end of {', '.join(rules)}: its scores rest on a"
        " remnant of the layer."
        for layer, rules in shares.items()
    ]


def tabulated(
    study: Study, by_network: Mapping[str, Tables], view: View
) -> dict[str, list[tabulate.Table]]:
    """Tabulate scores, accuracy and learning of every network.

    Args:
        study: the study.
        by_network: as `by_network` gives them.
        view: what is shown.

    Returns:
        What a table holds -> one table for each network, named in its caption if there are several.

    Raises:
        DataError: the tables lack what is to be shown.
    """
    found: dict[str, list[tabulate.Table]] = {}
    for network, tables in by_network.items():
        for name, table in _tables(study, network, tables, view).items():
            if len(by_network) > 1:
                table = replace(table, caption=f"{network}: {table.caption}")
            found.setdefault(name, []).append(table)
    return found


def _tables(study: Study, network: str, tables: Tables, view: View) -> dict[str, tabulate.Table]:
    rules, words = study.rules_of(network), select.words(view)
    pairs = [pair for pair in study.mapped() if pair.network == network]
    own = select.at_view(tables["alignment"], view)
    other = select.at_view(tables["alignment"], view, convention="mean_rdm")
    over = select.pairs_words(own)
    score = "Spearman's ρ [stimulus-bootstrap interval]"
    return {
        "final": tabulate.last_checkpoints(
            own,
            rules,
            pairs,
            f"{score}, per_subject, {over}, last checkpoint of each rule; {words}.",
        ),
        "mean_rdm": tabulate.last_checkpoints(
            other,
            rules,
            pairs,
            f"{score}, mean_rdm (not comparable with per_subject scores or their noise ceiling),"
            f" {over}, last checkpoint of each rule; {words}.",
        ),
        "epochs": tabulate.by_epoch(
            own, rules, pairs, f"{score}, per_subject, {over}, every checkpoint; {words}."
        ),
        "spread": spread.tabulate(own, tables.get("alignment_subjects"), rules, pairs, view),
        "layers": layers.layers_by_rois(study, rules, layers.at_view(tables["layers"], view, own)),
    } | (_learning(tables, measured) if (measured := _measured(study, network)) else {})


def _learning(tables: Tables, rules: Sequence[str]) -> dict[str, tabulate.Table]:
    return {
        "accuracy": tabulate.accuracy(
            tables["training"],
            rules,
            "Held-out accuracy: mean over seeds [lowest seed, highest seed].",
        ),
        "learning": tabulate.learning(
            tables["diagnostics"],
            rules,
            "Last checkpoint of each rule, mean over seeds. Accuracy: [lowest seed, highest seed]."
            " Change: |W − W₀| / |W₀| of the weights since epoch 0. Dead units: share that is 0 in"
            " the maps of the forward pass for every one of up to 1,000 held-out images, in the"
            " layer with most; ⚠ where that is more than half. Angle to bp:"
            " between the rule’s update and backpropagation’s, mean over conv layers, at the first"
            " checkpoint after epoch 0 and at the last one. Effective rank: of the error signals,"
            " mean over conv layers. Single layers: the figure, and statistics/diagnostics.csv.",
        ),
    }
