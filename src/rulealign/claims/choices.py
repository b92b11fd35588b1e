"""Which layers a nested choice took, and whether a claim may rest on them (guards 16, 26)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rulealign.claim_grid import NESTED, NO_CONTROL, Score, Universe
from rulealign.errors import DataError, GuardError
from rulealign.provenance import fingerprint
from rulealign.rsa.layer_table import CHOICE_KEYS
from rulealign.store import read_csv

LEAST_SHARE = 0.9
"""Of the folds of every network, that must have chosen the layer that a nested claim is about."""

Choices = Mapping[tuple[str, str], pd.DataFrame]
"""(rule, area) -> the table of choices among layers."""


def read_choices(
    tables: Sequence[Path], settings: Mapping[str, Any]
) -> dict[tuple[str, str], pd.DataFrame]:
    """Read how often each layer of each network was chosen.

    Args:
        tables: `alignment/rule-<k>_roi-<r>_layers.csv`; `chosen` is the share of the folds.
        settings: those in force, with `layer_table.CHOICE_KEYS`.

    Returns:
        (rule, area) -> its table.

    Raises:
        DataError: a table is not of one rule and area; names it.
        GuardError: layers were chosen with other settings (guard 20); names the table.
        StoreError: a file cannot be read.
    """
    found, expected = {}, fingerprint({key: settings[key] for key in CHOICE_KEYS})
    for table in tables:
        rows = read_csv(Path(table))
        keys = list(dict.fromkeys(zip(rows["rule"], rows["roi"], strict=True)))
        if len(keys) != 1:
            raise DataError(
                f"{table}: is of {len(keys)} rules and areas, not of one; delete it and rerun the"
                " command."
            )
        if "settings_hash" not in rows or set(rows["settings_hash"]) != {expected}:
            raise GuardError(
                f"{table}: layers were chosen with other settings ({', '.join(CHOICE_KEYS)}) than"
                " the study has now; delete it and rerun the command."
            )
        found[keys[0]] = rows
    return found


def judge_choice(claim: Mapping[str, Any], universe: Universe, choices: Choices) -> tuple[str, str]:
    """Say whether the layers that a universe's terms chose can tell anything about the claim.

    Each term's layer is chosen for itself. A difference of scores of different layers is none of
    what was claimed, and evidence from a layer that the claim does not name is refused as it is
    where it is declared.

    Args:
        claim: with `layer`, the layers that it names.
        universe: from `claim_grid.universes`.
        choices: of every rule and area that the universe takes.

    Returns:
        Why the universe cannot be taken, "" where it can; and what to know of it where it can.
        Both are "" where layers are fixed.

    Raises:
        DataError: the choice of a term is not in the tables; names the term.
    """
    if universe.choices["layer"] != NESTED:
        return "", ""
    unknown = _unknown(universe, choices)
    if unknown:
        return unknown, ""
    rows = {score: _rows(score, universe, choices) for score in universe.weights}
    without = pd.concat(rows.values())
    without = without.loc[without["chosen"].isna(), "reason"].dropna()
    if len(without):
        return str(without.iloc[0]), ""
    taken = {score: _taken(own, universe.seeds) for score, own in rows.items()}
    said = ", ".join(
        f"{layer} for {score.rule} at epoch {score.epoch} (in {share:.0%} of the folds or more)"
        for score, (layer, share) in taken.items()
    )
    layers = {layer for layer, _ in taken.values()}
    if len(layers) > 1:
        return f"the terms chose different layers, which are not compared: {said}", ""
    if not layers <= set(claim["layer"]):
        return f"the claim names {', '.join(claim['layer'])}; chosen was {said}", ""
    if min(share for _, share in taken.values()) < LEAST_SHARE:
        return f"some network chose other layers in too many folds: {said}", ""
    return "", f"chosen: {said}"


def _unknown(universe: Universe, choices: Choices) -> str:
    # why the tables of choices do not say what was chosen in this universe
    fits = {"comparison": "spearman", "control": NO_CONTROL}
    odd = [axis for axis, value in fits.items() if universe.choices[axis] != value]
    if odd:
        return f"which layers were chosen is known of plain scores only, not with this {odd[0]}"
    for score in universe.weights:
        known = sorted(set(choices[score.rule, score.roi]["pairs"]))
        if universe.choices["pairs"] not in known:
            return f"which layers were chosen is known over {' and '.join(known)} pairs only"
    return ""


def _rows(score: Score, universe: Universe, choices: Choices) -> pd.DataFrame:
    # the choice of a term with each of the universe's seeds
    table, axes = choices[score.rule, score.roi], universe.choices
    wanted = {
        "epoch": score.epoch,
        "stimuli": axes["stimuli"],
        "px": axes["size"],
        "among": axes["descriptor"],
        "centring": axes["centring"],
        "convention": axes["convention"],
        "pairs": axes["pairs"],
    }
    rows = table[table["seed"].isin(universe.seeds)]
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    if set(rows["seed"]) != set(universe.seeds) or _wordless(rows).any():
        raise DataError(
            f"there is no choice among layers of {score.rule} with {score.roi} for"
            f" {', '.join(f'{name} {value}' for name, value in wanted.items())} with each of the"
            f" seeds {universe.seeds}"
        )
    return rows


def _wordless(rows: pd.DataFrame) -> pd.Series:
    return rows["chosen"].isna() & rows["reason"].isna()


def _taken(rows: pd.DataFrame, seeds: Sequence[int]) -> tuple[str, float]:
    # the layer that was chosen most often, over the seeds, and the least share of the folds that
    # chose it with one of them
    by_seed = rows.pivot(index="layer", columns="seed", values="chosen")[list(seeds)].dropna()
    layer = str(by_seed.mean(axis=1).idxmax())
    return layer, float(by_seed.loc[layer].min())
