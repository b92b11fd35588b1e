"""What a control is, and the images that it is computed from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import h5py
import numpy as np

LARGEST_SIDE = 64
"""Pixels per side up to which a control looks at single pixels; see `at_most`."""

_PIXELS_AT_A_TIME = 1_000_000
"""Pixels of the images that are held at a time: a stimulus set may have thousands of images."""

# ITU-R BT.601: shares of red, green and blue in luma, taken of the values as they are stored
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Images:
    """The images of a stimulus set, as networks are shown them.

    Attributes:
        ids: the stimuli's ids.
        pixels: uint8, shape (n_images, size, size, 3), RGB; an array or an open dataset.
        stimulus: int64, shape (n_images,): the place among `ids` of each image's stimulus.
        silhouettes: uint8, shape (n_images, size, size), 0 (background) to 255 (object); None where
            the images have no uniform background.
        no_silhouettes: why there are none; "" where there are.
    """

    ids: Sequence[str]
    pixels: np.ndarray | h5py.Dataset
    stimulus: np.ndarray
    silhouettes: np.ndarray | h5py.Dataset | None = None
    no_silhouettes: str = ""

    def batches(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Read the images, some at a time.

        Yields:
            Places, and their pixels as float64 from 0 to 1, shape (n, size, size, 3).
        """
        step = max(1, _PIXELS_AT_A_TIME // self.pixels.shape[1] ** 2)
        for start in range(0, len(self.pixels), step):
            places = slice(start, min(start + step, len(self.pixels)))
            yield places, self.pixels[places] / 255

    def mean_features(self, features: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Average the features of each stimulus' images, as is done with those of networks.

        Args:
            features: float64 pixels (n, size, size, 3), 0 to 1 -> features of any shape (n, ...).

        Returns:
            float64, shape (n_stimuli, n_features).
        """
        sums: np.ndarray | None = None
        for places, pixels in self.batches():
            values = features(pixels).reshape(len(pixels), -1)
            if sums is None:
                sums = np.zeros((len(self.ids), values.shape[1]))
            np.add.at(sums, self.stimulus[places], values)
        return sums / np.bincount(self.stimulus, minlength=len(self.ids))[:, np.newaxis]


@dataclass(frozen=True)
class Control:
    """A control: features of images, and how two stimuli's features are compared.

    Attributes:
        features: images -> float64 (n_stimuli, n_features); raises MissingValue, with the
            reason, where the images have no such feature.
        distance: `correlation` (1 - Pearson; needs many features), `difference` (|a - b| of a
            single feature, which has no Pearson correlation) or `euclidean` (of a few features,
            whose Pearson correlation is coarse and blind to their mean).
        words: what it is, for the report.
    """

    features: Callable[[Images], np.ndarray]
    distance: Literal["correlation", "difference", "euclidean"]
    words: str


def luminance(pixels: np.ndarray) -> np.ndarray:
    """Compute luma (ITU-R BT.601) of RGB values as they are stored: gamma is not undone.

    Args:
        pixels: float64, shape (..., 3), 0 to 1.

    Returns:
        float64, shape (...), 0 to 1.
    """
    return pixels @ np.array(_LUMA)


def cells(values: np.ndarray, k: int) -> np.ndarray:
    """Average maps over k x k cells, as adaptive average pooling does.

    Cell i of an axis of s values has those from floor(i s / k) to ceil((i + 1) s / k): cells share
    values where k does not divide s. A map with fewer than k values per side keeps its own.

    Args:
        values: float64, shape (..., s, s).
        k: cells per side.

    Returns:
        float64, shape (..., min(k, s), min(k, s)).
    """
    side = values.shape[-1]
    if side <= k:
        return values
    first = np.arange(k) * side // k
    after = -(-(np.arange(k) + 1) * side // k)
    place = np.arange(side)
    shares = (place >= first[:, np.newaxis]) & (place < after[:, np.newaxis])
    mean = shares / shares.sum(axis=1, keepdims=True)
    return mean @ values @ mean.T


def at_most(values: np.ndarray, side: int = LARGEST_SIDE) -> np.ndarray:
    """Average large maps over cells, so that there are at most `side` per side.

    The RDM of finer detail is much the same (Spearman's rho above .99 on 92 objects, 224 px and
    64 px), and 720 stimuli of 224 px would take gigabytes.

    Args:
        values: float64, shape (..., s, s).
        side: cells per side.

    Returns:
        float64, shape (..., min(side, s), min(side, s)).
    """
    return cells(values, side)
