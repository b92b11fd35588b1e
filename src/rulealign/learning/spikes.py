"""Spiking layers: spike times of image patches, competition, and the weight change of a pair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rulealign.learning.patches import draw_patches

NEVER = float("inf")
"""Time of a spike that does not come."""

MEMORY = 0.95
"""Share of the running mean and covariance that one batch leaves in place."""

REFRESH = 20
"""Batches between two computations of the lateral connections."""

REPORTED = ("input_spikes", "winning_share", "winning_units", "firing_step")
"""What a layer reports of each batch."""


def first_spikes(rates: Tensor, steps: int) -> Tensor:
    """Draw the times of the first spikes of Poisson processes.

    The waiting time of a Poisson process is exponential, so that the train itself need not be
    drawn: a spike falls into step t if the waiting time lies between t - 1 and t.

    Args:
        rates: spikes per step, float32, any shape, not negative.
        steps: steps that a presentation lasts.

    Returns:
        Step of the first spike, 1 to `steps`, or `NEVER`; float32, of the shape of `rates`. Drawn
        from the CPU's global random state.
    """
    waiting = torch.empty(rates.shape).exponential_().to(rates.device) / rates
    times = waiting.floor() + 1
    return times.masked_fill_(~(times <= steps), NEVER)


def compete(
    times: Tensor, signs: Tensor, filters: Tensor, thresholds: Tensor, steps: int
) -> tuple[Tensor, Tensor]:
    """Find, in each patch, the unit that fires first; it keeps all others silent.

    A unit adds up the weights of the inputs that have spiked at an earlier step (a synapse takes
    one step) and fires when the sum exceeds its threshold. Of units that fire in the same step the
    one farthest above its threshold wins (Kheradpisheh et al. 2018, section 2.2).

    Args:
        times: first spikes of the inputs, shape (patches, inputs).
        signs: 1 for an input of an ON cell, -1 for one of an OFF cell; shape as `times`.
        filters: shape (units, inputs), each of norm 1.
        thresholds: shape (units,), in the same unit as the sums.
        steps: steps that a presentation lasts.

    Returns:
        Winner of each patch, int64, shape (patches,), 0 where nobody fires; the step at which it
        fires, shape (patches,), 2 to `steps`, or `NEVER` where nobody does.
    """
    potential = times.new_zeros(len(times), len(filters))
    winner = torch.zeros(len(times), dtype=torch.long, device=times.device)
    fired = torch.full_like(times[:, 0], NEVER)
    for step in range(1, steps):
        potential += (signs * (times == step)) @ filters.T
        above, best = (potential - thresholds).max(dim=1)
        now = (above > 0) & (fired == NEVER)
        winner = torch.where(now, best, winner)
        fired = torch.where(now, float(step + 1), fired)
    return winner, fired


def weight_changes(
    times: Tensor, signs: Tensor, winner: Tensor, fired: Tensor, units: int, kernel: Callable
) -> Tensor:
    """Sum the changes of all spike pairs: each patch changes the synapses of its winner.

    An OFF cell's synapse is the negative part of a signed weight: as it grows, the weight falls.

    Args:
        times: as in `compete`.
        signs: as in `compete`.
        winner: as returned by `compete`.
        fired: as returned by `compete`.
        units: how many units there are.
        kernel: t_post - t_pre, in steps -> change; 0 where a spike is missing.

    Returns:
        Shape (units, inputs).
    """
    changes = kernel(fired[:, None] - times) * signs
    return functional.one_hot(winner, units).to(changes.dtype).T @ changes


class Decorrelation:
    """Relay cells that take out of their inputs what these have in common.

    Lateral inhibitory connections with anti-Hebbian learning settle where the outputs are
    uncorrelated (Foldiak 1990, Biological Cybernetics 64:165; Plumbley 1993, Neural Networks
    6:823). Here the settled connections (C + r mean(diag C) I)^(-1/2) are computed from a running
    covariance C, the Hebbian average of products of two inputs.

    Args:
        inputs: how many inputs there are.
        regularisation: r; the larger, the less weak directions are amplified.
        device: where the inputs lie.
    """

    def __init__(self, inputs: int, regularisation: float, device: torch.device) -> None:
        self.regularisation = regularisation
        self.state = {
            "covariance": torch.zeros(inputs, inputs, device=device),
            "lateral": torch.eye(inputs, device=device),
            "averaged": torch.zeros((), dtype=torch.long),
        }

    def __call__(self, values: Tensor) -> Tensor:
        """Learn from values of shape (patches, inputs), of mean 0, and decorrelate them."""
        covariance, averaged = self.state["covariance"], self.state["averaged"]
        kept = MEMORY if averaged else 0.0
        covariance.mul_(kept).add_(values.T @ values / len(values), alpha=1 - kept)
        if averaged % REFRESH == 0:
            self.state["lateral"].copy_(self._settled())
        averaged += 1
        return values @ self.state["lateral"]

    def _settled(self) -> Tensor:
        variances, directions = torch.linalg.eigh(self.state["covariance"])
        floor = self.regularisation * variances.mean() + torch.finfo(variances.dtype).tiny
        return directions / (variances.clamp(min=0) + floor).sqrt() @ directions.T


class SpikingLayer:
    """Teaches one convolution by spike times: patches, relay cells, competition, plasticity.

    The norm of each filter stays what it was at the start, since BatchNorm follows and only
    directions matter; weights are kept within `weight_bound` standard deviations of the initial
    ones, which may leave a filter shorter. Homeostasis: the threshold of a unit rises as it wins
    and falls otherwise (Diehl & Cook 2015; Querlioz et al. 2013), towards equal shares of
    `winning_share` of the patches.

    Args:
        conv: the convolution, without bias; changed in place.
        place: 0 for the first block; picks the layer's values in settings that are lists.
        settings: of the rule.
        kernel: as in `weight_changes`.
    """

    def __init__(self, conv: nn.Conv2d, place: int, settings: Any, kernel: Callable) -> None:
        self.conv, self.settings, self.kernel = conv, settings, kernel
        self.count = settings.patches_per_image[place]
        self.rate = settings.learning_rate[place]
        self.centring = settings.centring[place]
        weight = conv.weight.detach().flatten(1)
        self.norms = weight.norm(dim=1, keepdim=True)
        self.unit = float(weight.std())
        units, inputs = weight.shape
        self.state = {
            "thresholds": torch.full((units,), settings.initial_threshold, device=weight.device),
            "means": torch.zeros(inputs, device=weight.device),
            "batches": torch.zeros((), dtype=torch.long),
        }
        regularisation = settings.decorrelation[place]
        self.decorrelation = (
            Decorrelation(inputs, regularisation, weight.device) if regularisation else None
        )

    def learn(self, maps: Tensor, share: float) -> dict[str, float]:
        """Change the filters once.

        Args:
            maps: what the convolution is about to get, shape (batch, channels, height, width).
            share: of the learning rate; at 0 the layer is shown nothing and stays as it is.

        Returns:
            `input_spikes`: share of inputs that spike; `winning_share`: of patches in which a unit
            fires; `winning_units`: share of units that win at least once; `firing_step`: mean step
            at which winners fire. All 0 for a layer that is shown nothing.
        """
        if share == 0:
            return dict.fromkeys(REPORTED, 0.0)
        settings, weight = self.settings, self.conv.weight.detach().flatten(1)
        patches = draw_patches(maps, self.conv.kernel_size[0], self.count, in_turn=True)
        contrast = self._contrast(patches)
        rates = (settings.spikes_per_contrast * contrast.abs()).clamp(max=settings.largest_rate)
        times, signs = first_spikes(rates, settings.time_steps), contrast.sign()
        filters = functional.normalize(weight, dim=1)
        thresholds = self.state["thresholds"]
        winner, fired = compete(times, signs, filters, thresholds, settings.time_steps)
        changes = weight_changes(times, signs, winner, fired, len(weight), self.kernel)
        self._set(weight + self.rate * share * self.unit * changes)
        wins = winner[fired != NEVER].bincount(minlength=len(weight)).float()
        excess = len(weight) * wins / len(winner) - settings.winning_share
        thresholds += settings.homeostasis_rate * excess
        values = (
            float((times != NEVER).float().mean()),
            float(wins.sum()) / len(winner),
            float((wins > 0).float().mean()),
            float(fired[fired != NEVER].sum() / wins.sum().clamp(min=1)),
        )
        return dict(zip(REPORTED, values, strict=True))

    def _contrast(self, patches: Tensor) -> Tensor:
        if self.centring == "patch":
            centred = patches - patches.mean(dim=1, keepdim=True)
        else:
            kept = MEMORY if self.state["batches"] else 0.0
            self.state["means"].mul_(kept).add_(patches.mean(dim=0), alpha=1 - kept)
            centred = patches - self.state["means"]
        self.state["batches"] += 1
        if self.decorrelation:
            centred = self.decorrelation(centred)
        return centred / (centred.std(dim=1, keepdim=True) + self.settings.contrast_floor)

    def _set(self, weight: Tensor) -> None:
        bound = self.settings.weight_bound * self.unit
        kept = functional.normalize(weight, dim=1) * self.norms
        self.conv.weight.data.copy_(kept.clamp(-bound, bound).view_as(self.conv.weight))

    def state_dict(self) -> dict[str, Tensor]:
        """Return thresholds, running statistics and lateral connections."""
        return self.state | (self.decorrelation.state if self.decorrelation else {})
