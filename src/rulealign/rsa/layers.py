"""Which layer fits an ROI best, chosen on other stimuli than it is scored on (guards 21, 26).

The best score of several layers is too high by construction: it picks up each layer's luck. A
layer that is chosen on some stimuli and scored on others has had no luck with these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rulealign.errors import ConfigurationError
from rulealign.provenance import derive_seed
from rulealign.reasons import MissingValue
from rulealign.rsa.compare import masked

_LEAST_STIMULI = 3
_LEAST_PAIRS = 3


@dataclass(frozen=True)
class FoldScores:
    """Scores of RDMs on the stimuli that choose and on those that are scored.

    Attributes:
        choosing: float64, shape (n_folds, ..., n_models, n_scores); on pairs of stimuli outside
            of the fold. Folds of all splits in one row.
        scoring: float64, the same shape; on pairs of stimuli of the fold.
    """

    choosing: np.ndarray
    scoring: np.ndarray


@dataclass(frozen=True)
class NestedChoice:
    """The score of the layer that was chosen on other stimuli.

    Attributes:
        score: float64, shape (..., n_scores); the mean over folds.
        chosen: int, shape (n_folds, ..., n_scores); the place of the layer chosen in each fold.
        layers: float64, shape (..., n_layers, n_scores); the mean over folds that each layer
            would reach if it were always the one: what `score` may be held against.
    """

    score: np.ndarray
    chosen: np.ndarray
    layers: np.ndarray


def layer_choice_seed(study_seed: int, n_stimuli: int) -> int:
    """Derive the seed of the splits that every rule, ROI and epoch of a study shares.

    Args:
        study_seed: the study's seed.
        n_stimuli: number of stimuli.

    Returns:
        The seed of `fold_masks`.
    """
    return derive_seed(study_seed, "layer choice", n_stimuli)


def fold_masks(
    n_stimuli: int, folds: int, splits: int, seed: int, mask: np.ndarray | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split the stimuli at random, several times, and find the pairs on both sides of each fold.

    Pairs of a stimulus inside with one outside of the fold are on neither side.

    Args:
        n_stimuli: number of stimuli.
        folds: parts of equal size (but for a remainder) that a split makes; 2 for halves.
        splits: how many times stimuli are split anew.
        seed: of the splits, normally `layer_choice_seed`.
        mask: bool, shape (n_pairs,); the pairs that scores rest on. By default all.

    Returns:
        For each fold of each split: pairs outside, and pairs inside of the fold; bool, shape
        (n_pairs,).

    Raises:
        ConfigurationError: there are fewer than 2 folds or no split.
        DataError: a fold has fewer than 3 stimuli, fewer than 3 pairs lie on a side of it, or the
            mask does not fit.
    """
    if folds < 2 or splits < 1:
        raise ConfigurationError(
            f"a nested choice needs at least 2 folds and 1 split, not {folds} and {splits}."
        )
    if n_stimuli // folds < _LEAST_STIMULI:
        raise MissingValue(
            f"{n_stimuli} stimuli in {folds} folds leave fewer than {_LEAST_STIMULI} in one; use"
            " fewer folds"
        )
    first, second = np.triu_indices(n_stimuli, 1)
    allowed = np.zeros(len(first), dtype=bool)
    allowed[masked(np.arange(len(first))[np.newaxis], mask)] = True
    rng = np.random.default_rng(seed)
    masks = []
    for _ in range(splits):
        part = rng.permutation(np.arange(n_stimuli) % folds)
        for fold in range(folds):
            inside, inside_too = part[first] == fold, part[second] == fold
            sides = (allowed & ~inside & ~inside_too, allowed & inside & inside_too)
            if min(side.sum() for side in sides) < _LEAST_PAIRS:
                raise MissingValue("a fold has too few pairs to rank; use fewer folds or all pairs")
            masks.append(sides)
    return masks


def choose_layer(scores: FoldScores, layers: Sequence[int] | None = None) -> NestedChoice:
    """Choose a layer in every fold by the scores outside of it; score it inside.

    Args:
        scores: on both sides of every fold.
        layers: rows of the models that are layers of one network. By default all. Of layers with
            equal scores outside, the first is chosen.

    Returns:
        The choice; separate for every score and every draw.
    """
    layers = range(scores.choosing.shape[-2]) if layers is None else layers
    choosing, scoring = (side[..., list(layers), :] for side in (scores.choosing, scores.scoring))
    chosen = np.argmax(choosing, axis=-2)
    reached = np.take_along_axis(scoring, chosen[..., np.newaxis, :], axis=-2)[..., 0, :]
    return NestedChoice(reached.mean(axis=0), chosen, scoring.mean(axis=0))
