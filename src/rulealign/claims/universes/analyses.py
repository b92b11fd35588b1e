"""One analysis of many RDMs: a comparison, with a control partialled out or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rulealign.claims.universes.inputs import UniverseSet
from rulealign.rsa.comparison import combined
from rulealign.rsa.comparisons import comparison_class
from rulealign.rsa.model_rdms import joined
from rulealign.rsa.partial import partial_correlations
from rulealign.rsa.unfit import naming

NO_CONTROL = "none"  # as config.universes says it, which would bring every measure's code along
_HELD_BYTES = 256e6  # of draws, while rows are computed; not configured, as it sets the rounding


@dataclass(frozen=True)
class Brains:
    """What models are held against.

    Attributes:
        rdms: float64, shape (n_brains, n_pairs).
        weights: float64, shape (n_brains, n_scores); comparisons @ weights are the scores.
        names: of the brains, in order, for errors.
        counts: integer, shape (samples, n_stimuli).
        mask: bool, shape (n_pairs,); which pairs are compared. None for all.
    """

    rdms: np.ndarray
    weights: np.ndarray
    names: Sequence[str]
    counts: np.ndarray
    mask: np.ndarray | None


@dataclass(frozen=True)
class Analysed:
    """Rows of one analysis.

    Attributes:
        index: the columns `MODEL_KEYS`.
        values: float64, shape (samples, n_rows, n_scores); NaN where there is a reason.
        reasons: why a row can have no score; "" where it has one.
    """

    index: pd.DataFrame
    values: np.ndarray
    reasons: list[str]


def analyse(
    one: UniverseSet,
    brains: Brains,
    analysis: tuple[str, str],
    layers: Sequence[str],
    **how: float,
) -> Analysed:
    """Score all networks of a set in one analysis, in all samples of the stimuli.

    Args:
        one: the RDMs of networks and of controls.
        brains: what they are held against.
        analysis: comparison (a key of its registry) and control (`none`, or names joined by +).
        layers: the layers that have rows.
        **how: `work_mb` and `threads`, as in `Comparison.sampled`.

    Returns:
        The rows. What does not exist has a reason: a control that the stimuli lack, a partial
        comparison that is not defined.

    Raises:
        DataError: a score that exists cannot be computed, such as one of an RDM that is constant in
            a sample; names the RDM.
    """
    comparison, control = analysis
    own = np.flatnonzero(one.models.index["layer"].isin(layers))
    index = one.models.index.iloc[own].reset_index(drop=True)
    n_scores = brains.weights.shape[1]
    found = Analysed(
        index, np.full((len(brains.counts), len(index), n_scores), np.nan), [""] * len(index)
    )
    for rows, controls, reason in _groups(index, one, comparison, control):
        for row in rows if reason else ():
            found.reasons[row] = reason
        for part in [] if reason else _parts(rows, brains, controls):
            found.values[:, part] = _sampled(one, own[part], brains, analysis, controls, how)
    return found


def _groups(
    index: pd.DataFrame, one: UniverseSet, comparison: str, control: str
) -> list[tuple[list[int], np.ndarray | None, str]]:
    # rows that share their controls, these, and why they cannot be removed
    if control == NO_CONTROL:
        return [(list(range(len(index))), None, "")]
    groups = []
    for centring, own in index.groupby("centring"):
        names = control.split("+")
        partial = comparison_class(comparison).partial
        reason = "" if partial else f"a partial {comparison} is not defined"
        lacking = [name for name in names if name in one.controls.missing]
        if lacking and not reason:
            reason = f"no control {lacking[0]}: {one.controls.missing[lacking[0]]}"
        rdms = None if reason else np.stack([one.controls.rdm(name, centring) for name in names])
        groups.append((list(own.index), rdms, reason))
    return groups


def _parts(rows: list[int], brains: Brains, controls: np.ndarray | None) -> list[list[int]]:
    # rows whose samples fit the memory together
    n_others = len(brains.rdms) + (0 if controls is None else len(controls))
    numbers = 4 * n_others + 3 * brains.weights.shape[1]
    size = max(1, int(_HELD_BYTES / (8 * len(brains.counts) * numbers)))
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _sampled(
    one: UniverseSet,
    places: np.ndarray,
    brains: Brains,
    analysis: tuple[str, str],
    controls: np.ndarray | None,
    how: dict[str, Any],
) -> np.ndarray:
    comparison, control = comparison_class(analysis[0]), analysis[1]
    models, how = one.models.rdms[places], {"mask": brains.mask, **how}
    names = joined(one.models.index.iloc[places])
    if controls is None:
        how["combine"] = brains.weights
        with naming(model=names, brain=brains.names):
            return comparison.sampled(models, brains.rdms, brains.counts, **how)
    partialled = [f"the control {name}" for name in control.split("+")]

    def correlate(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        own = names if ours is models else partialled
        with naming(model=own, brain=[*brains.names, *partialled]):
            return comparison.sampled(ours, theirs, brains.counts, **how)

    called = {"model_names": names, "brain_names": brains.names, "control_names": partialled}
    rho = partial_correlations(correlate, models, brains.rdms, controls, **called)
    return combined(rho, brains.weights)
