"""Fits of several kinds of features at once: banded ridge of all networks of a layer, made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product

import numpy as np
import pandas as pd

from rulealign.encoding.features import ACTIVATIONS, read_features
from rulealign.encoding.fits import Counts, Fit, effect, fit_features
from rulealign.encoding.gram import training_kernel
from rulealign.encoding.roi_gram import RoiGram
from rulealign.reasons import MissingValue
from rulealign.rsa.bootstrap.primary import Effect

NO_FIT = "the features themselves have no score"
COPY = "these features are a copy of the activations"

_SAME = 1e-6


def mixes(n_spaces: int) -> tuple[tuple[float, ...], ...]:
    """List the shares of feature spaces in a kernel that a fit chooses from, in quarters.

    Args:
        n_spaces: number of feature spaces.

    Returns:
        As in `ridge.Grid`; those of fewer spaces are among them, with 0 for the others.
    """
    shares = product((1.0, 0.75, 0.5, 0.25, 0.0), repeat=n_spaces)
    return tuple(one for one in shares if sum(one) == 1)


class Together:
    """The R^2 of any kinds of features of a layer together.

    Args:
        of_layer: kind of features -> their rows of `features.Features.index`, by seed.
        fits: kind -> the fits of these rows; empty where there are none.
        brain: the ROI.
        counts: resamples, and the settings.
    """

    def __init__(
        self,
        of_layer: Mapping[str, pd.DataFrame],
        fits: Mapping[str, Sequence[Fit]],
        brain: RoiGram,
        counts: Counts,
    ) -> None:
        self._of_layer, self._fits, self._brain, self._counts = of_layer, fits, brain, counts
        self._made: dict[tuple[str, ...], Effect | str] = {}

    def r2(self, *kinds: str) -> Effect | str:
        """Give the cross-validated R^2 of some kinds together, or why there is none.

        Args:
            kinds: one or more of those of the layer.
        """
        if kinds not in self._made:
            self._made[kinds] = self._alone(*kinds) if len(kinds) == 1 else self._fitted(kinds)
        return self._made[kinds]

    def _alone(self, kind: str) -> Effect | str:
        fits = self._fits[kind]
        return effect(fits, fits[0].r2) if fits else NO_FIT

    def _fitted(self, kinds: tuple[str, ...]) -> Effect | str:
        rows, fits = (self._of_layer[kind].itertuples() for kind in kinds), []
        for networks in zip(*rows, strict=True):
            spaces = [read_features(one.path, one.name) for one in networks]
            try:
                _refuse_copies(spaces, kinds)
                fits.append(fit_features(spaces, self._brain, self._counts, mixes(len(kinds))))
            except MissingValue as missing:
                return missing.reason
        return effect(fits, fits[0].r2)


def _refuse_copies(spaces: Sequence[np.ndarray], kinds: Sequence[str]) -> None:
    every = np.ones(len(spaces[0]), dtype=bool)
    kernels = [training_kernel(space, every) for space in spaces]
    for one, other in combinations(range(len(spaces)), 2):
        if np.allclose(kernels[one], kernels[other], rtol=0, atol=_SAME):
            of = f"{kinds[other]} is a copy of {kinds[one]}"
            raise MissingValue(COPY if kinds[one] == ACTIVATIONS else of)
