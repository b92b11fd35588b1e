"""What features add to activations, what both share, and what is more than the features' length.

Parts of variance (Borcard, Legendre & Drapeau 1992, Ecology 73:1045): with R^2 of activations, of
other features, and of both together by banded ridge, each feature space's own part is what both
have more than the other one alone; the shared part is what both alone have more than together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from rulealign.encoding.features import ACTIVATIONS, read_features
from rulealign.encoding.fits import Counts, Fit, effect, fit_features
from rulealign.encoding.roi_gram import RoiGram
from rulealign.encoding.seven_parts import GRADIENT, TEACHING, seven_parts
from rulealign.encoding.together import NO_FIT, Together
from rulealign.reasons import MissingValue
from rulealign.rsa.bootstrap.primary import Effect

UNIQUE, SHARED = "unique_r2", "shared_r2"
"""Measures: R^2 that other features add to activations; R^2 that either of both alone has."""

ABOVE_NORM = "above_norm_r2"
"""Measure: R^2 of features less that of their length alone, one number per stimulus."""

Part = tuple[str, str, Effect | str]
"""Features, a measure, and its effect, or why there is none."""


def parts(
    of_layer: Mapping[str, pd.DataFrame],
    fits: Mapping[str, Sequence[Fit]],
    brain: RoiGram,
    counts: Counts,
) -> Iterator[Part]:
    """Hold other features of a layer against its activations, and against their own length.

    Args:
        of_layer: kind of features -> their rows of `features.Features.index`, by seed.
        fits: kind -> the fits of these rows; empty where there are none.
        brain: the ROI.
        counts: resamples, and the settings.

    Yields:
        The parts of every kind but activations; then, where teaching signals stand beside
        activations and gradients, those of all three, for each gradient.
    """
    together = Together(of_layer, fits, brain, counts)
    others = [features for features in of_layer if features != ACTIVATIONS]
    for features in others:
        if ACTIVATIONS in of_layer:
            yield from _beside(features, together)
        yield features, ABOVE_NORM, _above_norm(of_layer[features], fits[features], brain, counts)
    if {ACTIVATIONS, TEACHING} <= set(of_layer):
        for features in (one for one in others if one.startswith(GRADIENT)):
            yield from seven_parts(together, (ACTIVATIONS, features, TEACHING))


def _beside(features: str, together: Together) -> Iterator[Part]:
    both, alone, other = (
        together.r2(*kinds) for kinds in ((ACTIVATIONS, features), (ACTIVATIONS,), (features,))
    )
    missing = [one for one in (both, alone, other) if isinstance(one, str)]
    yield features, UNIQUE, missing[0] if missing else both.less(alone)
    yield features, SHARED, missing[0] if missing else other.less(both.less(alone))


def _above_norm(
    own: pd.DataFrame, fits: Sequence[Fit], brain: RoiGram, counts: Counts
) -> Effect | str:
    if not fits:
        return NO_FIT
    lengths = []
    for row in own.itertuples():
        norm = np.linalg.norm(read_features(row.path, row.name), axis=1, keepdims=True)
        try:
            lengths.append(fit_features([norm], brain, counts))
        except MissingValue as missing:
            return missing.reason
    return effect(fits, fits[0].r2).less(effect(lengths, lengths[0].r2))
