"""A whole map in few numbers: its sparse random projection, which keeps distances and angles."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor

from rulealign.provenance import derive_seed

PROJECTED = "full-projected-"
"""How a descriptor begins that projects a whole map; the number of dimensions follows."""

_AT_A_TIME = 2**24
"""Values that are gathered at a time: 64 MB."""


def projected(features: Tensor, dimensions: int) -> Tensor:
    """Project features at random onto fewer dimensions; squared distances stay the same on average.

    Every dimension is a sum of sqrt(d) features with random signs, of the d there are, scaled. The
    squared length of any vector is then off by a relative standard deviation of
    sqrt((2 + (kurtosis - 3) / sqrt(d)) / dimensions), with kurtosis = d sum x^4 / (sum x^2)^2. The
    mean over a vector's features is kept apart, as the mean over its dimensions: else random signs
    would turn it into a pattern, and Pearson's r of two projections into a cosine. The draw depends
    on d and dimensions alone, so that networks, epochs and stimuli share it.

    Args:
        features: float32, shape (n, d).
        dimensions: that are asked for; with as few features or fewer, these stay as they are.

    Returns:
        float32, shape (n, dimensions), in the features' unit. Not where single features or their
        place are to be told apart.

    Source: Li, Hastie & Church 2006, KDD, "Very sparse random projections".
    """
    n, d = features.shape
    if d <= dimensions:
        return features
    places, signs = (torch.from_numpy(one).to(features.device) for one in _drawn(d, dimensions))
    step = max(1, _AT_A_TIME // (n * places.shape[1]))
    parts = zip(places.split(step), signs.split(step), strict=True)
    mean = features.mean(dim=1, keepdim=True)
    centred = features - mean
    found = torch.cat([(centred[:, place] * sign).sum(dim=2) for place, sign in parts], dim=1)
    found = (found - found.mean(dim=1, keepdim=True)) * (1 / places.shape[1]) ** 0.5
    return (found + mean) * (d / dimensions) ** 0.5


@functools.lru_cache(maxsize=16)
def _drawn(d: int, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    # of every dimension its features, which may come twice, and their signs
    rng = np.random.default_rng(derive_seed(0, "full-projected", d, dimensions))
    places = rng.integers(d, size=(dimensions, int(np.ceil(np.sqrt(d)))))
    signs = rng.choice(np.array([-1, 1], dtype=np.float32), size=places.shape)
    return places, signs
