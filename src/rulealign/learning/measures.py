"""Measures of how a network learned: how far it moved, which way, and with which errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from rulealign import guards
from rulealign.learning.batches import normalise
from rulealign.learning.rule import LearningRule

if TYPE_CHECKING:
    from rulealign.config.training import Recipe

State = Mapping[str, Tensor]


def weight_change(now: Tensor, initial: Tensor) -> float:
    """Give |W - W0| / |W0|, Frobenius norms.

    Args:
        now: W.
        initial: W0, of the same shape, not all 0.

    Returns:
        0 where nothing moved.
    """
    return float((now.double() - initial.double()).norm() / initial.double().norm())


def dead_units(rule: LearningRule, images: Tensor, recipe: Recipe, what: str) -> dict[str, float]:
    """Measure the share of units that are silent for every image, without changing the network.

    What counts is the forward pass, 0 where ReLU is closed, also under a rule that reads states of
    its own: a state that has settled (`pc_2026`) is hardly ever exactly 0, so no unit would count.

    Args:
        rule: the rule, whose network is read in evaluation mode.
        images: uint8, shape (n, size, size, 3).
        recipe: that it was trained by.
        what: whose network it is, for the messages of the guards.

    Returns:
        Layer of the network -> share, 0-1, of its channels (of a conv layer, at all positions) or
            units.

    Raises:
        GuardError: reading would use statistics of the batch, or did change network or rule.
    """
    network, alive = rule.network, {}
    was_training = network.training
    network.eval()
    guards.norm_layers_in_eval(network, what)
    unchanged = guards.unchanged_state(network, what, rule.state_dict)
    with unchanged, torch.inference_mode():
        for batch in images.split(recipe.batch_size):
            for name, values in network.layers(normalise(batch, recipe)).items():
                active = (values != 0).transpose(0, 1).flatten(1).any(dim=1)
                alive[name] = active | alive.get(name, torch.zeros_like(active))
    network.train(was_training)
    return {name: int((~active).sum()) / len(active) for name, active in alive.items()}


def angle(one: Tensor | None, other: Tensor | None) -> float:
    """Measure the angle between two changes of the same weights.

    2 atan2(|a - b|, |a + b|) of the unit vectors a and b, which is exact near 0 and 180 degrees,
    where the arc cosine is not (Kahan).

    Args:
        one: any shape, or None for no change.
        other: the same.

    Returns:
        Degrees, 0-180; NaN where either is missing or 0 and has no direction.
    """
    if one is None or other is None or not one.any() or not other.any():
        return math.nan
    a, b = (values.double().flatten() / values.double().norm() for values in (one, other))
    return math.degrees(2 * math.atan2((a - b).norm(), (a + b).norm()))


def effective_rank(errors: Tensor | None) -> float:
    """Measure over how many directions a batch of errors spreads.

    exp(-sum p ln p) of the singular values p, normalised to sum 1 (Roy & Vetterli 2007, EUSIPCO,
    definition 1). They are the roots of the eigenvalues of the smaller Gram matrix, in float64;
    those within its rounding are 0. Not for comparing batches of different size, which bounds it.

    Args:
        errors: shape (batch, features), or None.

    Returns:
        1 to min(batch, features); NaN for no or zero errors.
    """
    squares = _squared_singular_values(errors)
    if squares is None:
        return math.nan
    singular = squares.sqrt()
    return float(torch.special.entr(singular / singular.sum()).sum().exp())


def stable_rank(errors: Tensor | None) -> float:
    """Measure over how many directions most of a batch of errors spreads.

    The sum of the squared singular values over the largest of them (Rudelson & Vershynin 2007): at
    most the effective rank where few directions are much larger than the others. Not for comparing
    batches of different size, as `effective_rank`.

    Args:
        errors: shape (batch, features), or None.

    Returns:
        1 to min(batch, features); NaN for no or zero errors.
    """
    squares = _squared_singular_values(errors)
    return math.nan if squares is None else float(squares.sum() / squares.max())


def _squared_singular_values(errors: Tensor | None) -> Tensor | None:
    if errors is None or not errors.any():
        return None
    values = errors.double()
    gram = values @ values.T if len(values) <= values.shape[1] else values.T @ values
    squares = torch.linalg.eigvalsh(gram)
    rounding = len(squares) * torch.finfo(squares.dtype).eps * squares.max()
    return torch.where(squares > rounding, squares, 0.0)


def rerun_drift(one: Tensor, again: Tensor) -> float:
    """Guard 15: give the largest absolute difference between two computations of one gradient."""
    return float((one - again).abs().max())


def norm_drift(
    network: nn.Module, norm: nn.Module, now: State, before: State | None
) -> tuple[float, float]:
    """Measure how far a norm layer's statistics moved since the checkpoint before.

    Args:
        network: the network that the layer belongs to.
        norm: the layer.
        now: the network's `state_dict`.
        before: that of the checkpoint before; None at the first one.

    Returns:
        In mean over channels: |mu - mu_before| in standard deviations before, and
        |ln(var / var_before)|. Variances include the layer's eps, as what it divides by does, so
        that a silent channel counts as still. NaN without a checkpoint before.
    """
    if before is None:
        return math.nan, math.nan
    name = next(name for name, module in network.named_modules() if module is norm)
    means = [state[f"{name}.running_mean"].double() for state in (before, now)]
    variances = [state[f"{name}.running_var"].double() + norm.eps for state in (before, now)]
    moved = (means[1] - means[0]).abs() / variances[0].sqrt()
    return float(moved.mean()), float((variances[1] / variances[0]).log().abs().mean())
