"""One analysis of many RDMs: a comparison, a control partialled out, a layer fixed or nested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from rulealign.errors import DataError
from rulealign.rsa.bootstrap_comparisons import bootstrap_comparison, combined
from rulealign.rsa.layer_table import NO_SPACE
from rulealign.rsa.model_rdms import MODEL_KEYS, joined
from rulealign.rsa.nested_draws import nested_draws
from rulealign.rsa.partial import partial_correlations
from rulealign.rsa.unfit import naming
from rulealign.rsa.universe_inputs import UniverseSet

NO_CONTROL = "none"
FIXED, NESTED = "fixed", "nested"
PLAIN = ("spearman", NO_CONTROL, FIXED)
"""Comparison, control and choice of layer of the scores in `alignment/*.csv`."""

_PARTIAL = ("spearman", "pearson")
_HELD_BYTES = 256e6  # of draws, while rows are computed; not configured, as it sets the rounding
_NETWORK = [key for key in MODEL_KEYS if key != "layer"]


@dataclass(frozen=True)
class Brains:
    """What models are held against.

    Attributes:
        rdms: float64, shape (n_brains, n_pairs).
        weights: float64, shape (n_brains, n_scores); comparisons @ weights are the scores.
        names: of the brains, in order, for errors; there may be more.
        counts: integer, shape (draws, n_stimuli).
        mask: bool, shape (n_pairs,); which pairs are compared. None for all.
        folds: from `layers.fold_masks`, or the reason why the stimuli cannot be split.
    """

    rdms: np.ndarray
    weights: np.ndarray
    names: Sequence[str]
    counts: np.ndarray
    mask: np.ndarray | None
    folds: Sequence[tuple[np.ndarray, np.ndarray]] | str


@dataclass(frozen=True)
class Analysed:
    """Rows of one analysis.

    Attributes:
        index: the columns `MODEL_KEYS`; the layer of a nested choice is `nested`.
        values: float64, shape (draws, n_rows, n_scores); NaN where there is a reason.
        reasons: why a row has no score; "" where it has one.
    """

    index: pd.DataFrame
    values: np.ndarray
    reasons: list[str]


def analyse(
    one: UniverseSet,
    brains: Brains,
    analysis: tuple[str, str, str],
    layers: Sequence[str],
    descriptors: Sequence[str],
    **how: float,
) -> Analysed:
    """Score and draw all networks of a set in one analysis.

    Args:
        one: the RDMs of networks and of controls.
        brains: what they are held against.
        analysis: comparison (a key of `COMPARISONS`), control (`none`, or names joined by +) and
            choice of the layer (`fixed` or `nested`).
        layers: the layers that have rows with a fixed layer; a nested choice is among all layers.
        descriptors: of which a nested choice has rows; layers without positions belong to each.
        **how: `work_mb` and `threads`, as in `bootstrap_comparison`.

    Returns:
        The rows. What cannot be computed has a reason: a control that the stimuli lack, a partial
        comparison that is not defined, a fold too small, an RDM constant over a resample.

    Raises:
        DataError: a plain score cannot be computed; names the RDM.
    """
    comparison, control, choice = analysis
    index, places = _rows(one.models.index, choice, layers, descriptors)
    n_scores = brains.weights.shape[1]
    found = Analysed(
        index, np.full((len(brains.counts), len(index), n_scores), np.nan), [""] * len(index)
    )
    for rows, controls, reason in _groups(index, one, comparison, control):
        if not reason and choice == NESTED and isinstance(brains.folds, str):
            reason = brains.folds
        if reason:
            _say(found, rows, reason)
            continue
        for part in _parts(rows, places, brains, controls, choice):
            _fill(found, part, partial(_draws, one, places, brains, analysis, controls, how))
            if analysis == PLAIN and any(found.reasons):
                raise DataError(f"{next(filter(None, found.reasons))}.")
    return found


def _rows(
    models: pd.DataFrame, choice: str, layers: Sequence[str], descriptors: Sequence[str]
) -> tuple[pd.DataFrame, list[list[int]]]:
    # the rows of the analysis, and the models that each of them is made of
    if choice == FIXED:
        own = np.flatnonzero(models["layer"].isin(layers))
        return models.iloc[own].reset_index(drop=True), [[place] for place in own]
    rows, places = [], []
    for descriptor in descriptors:
        own = models[models["descriptor"].isin([descriptor, NO_SPACE])].assign(
            descriptor=descriptor
        )
        for keys, found in own.groupby(_NETWORK):
            rows.append(dict(zip(_NETWORK, keys, strict=True)) | {"layer": NESTED})
            places.append(list(found.index))
    return pd.DataFrame(rows, columns=list(MODEL_KEYS)), places


def _groups(
    index: pd.DataFrame, one: UniverseSet, comparison: str, control: str
) -> list[tuple[list[int], np.ndarray | None, str]]:
    # rows that share their controls, these, and why they cannot be removed
    if control == NO_CONTROL:
        return [(list(range(len(index))), None, "")]
    groups = []
    for centring, own in index.groupby("centring"):
        names = control.split("+")
        reason = "" if comparison in _PARTIAL else _not_partial(comparison)
        lacking = [name for name in names if name in one.controls.missing]
        if lacking and not reason:
            reason = f"no control {lacking[0]}: {one.controls.missing[lacking[0]]}"
        rdms = None if reason else np.stack([one.controls.rdm(name, centring) for name in names])
        groups.append((list(own.index), rdms, reason))
    return groups


def _not_partial(comparison: str) -> str:
    return f"a partial {comparison} is not defined; {' and '.join(_PARTIAL)} are"


def _parts(
    rows: list[int],
    places: list[list[int]],
    brains: Brains,
    controls: np.ndarray | None,
    choice: str,
) -> list[list[int]]:
    # rows whose draws fit the memory together
    n_others = len(brains.rdms) + (0 if controls is None else len(controls))
    n_sides = 2 * len(brains.folds) if choice == NESTED else 1
    numbers = 4 * n_others + 3 * brains.weights.shape[1] * n_sides
    models = max(len(places[row]) for row in rows)
    size = max(1, int(_HELD_BYTES / (8 * len(brains.counts) * numbers * models)))
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _fill(found: Analysed, rows: list[int], draws: Callable[[list[int]], np.ndarray]) -> None:
    # a row that cannot be computed leaves the others as they are
    try:
        found.values[:, rows] = draws(rows)
    except DataError as error:
        if len(rows) == 1:
            _say(found, rows, str(error).rstrip("."))
            return
        middle = len(rows) // 2
        _fill(found, rows[:middle], draws)
        _fill(found, rows[middle:], draws)


def _say(found: Analysed, rows: list[int], reason: str) -> None:
    for row in rows:
        found.reasons[row] = reason


def _draws(
    one: UniverseSet,
    places: list[list[int]],
    brains: Brains,
    analysis: tuple[str, str, str],
    controls: np.ndarray | None,
    how: dict[str, float],
    rows: list[int],
) -> np.ndarray:
    comparison, control, choice = analysis
    own = [places[row] for row in rows]
    used = sorted({place for layers in own for place in layers})
    models = one.models.rdms[used]
    others = brains.rdms if controls is None else np.vstack([brains.rdms, controls])
    partialled = [f"the control {name}" for name in control.split("+")]
    names = joined(one.models.index.iloc[used]), brains.names[: len(brains.rdms)], partialled
    compare = partial(_compare, comparison, brains.weights, names, how)
    if choice == FIXED:
        return compare(models, others, brains.counts, brains.mask)
    networks = [np.searchsorted(used, layers) for layers in own]
    return nested_draws(compare, models, others, brains.counts, networks, brains.folds)


def _compare(
    comparison: str,
    weights: np.ndarray,
    names: tuple[Sequence[str], Sequence[str], Sequence[str]],
    how: dict[str, float],
    models: np.ndarray,
    others: np.ndarray,
    counts: np.ndarray,
    mask: np.ndarray | None,
) -> np.ndarray:
    # others beyond the brains are controls
    how = {"mask": mask, **how}
    n_brains = len(weights)
    of_models, of_brains, of_controls = names
    if len(others) == n_brains:
        with naming(model=of_models, brain=of_brains):
            return bootstrap_comparison(comparison, models, others, counts, combine=weights, **how)

    def correlate(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        own = of_models if ours is models else of_controls
        with naming(model=own, brain=[*of_brains, *of_controls]):
            return bootstrap_comparison(comparison, ours, theirs, counts, **how)

    brains, controls = others[:n_brains], others[n_brains:]
    called = dict(zip(("model_names", "brain_names", "control_names"), names, strict=True))
    return combined(partial_correlations(correlate, models, brains, controls, **called), weights)
