"""Gabor energy: the local orientation and spatial frequency of edges, blind to their polarity.

Filters are pairs of an even and an odd Gabor filter (quadrature), at 8 orientations and at 2, 4, 8
and 16 cycles per image, as far as a wave has at least 4 pixels. The Gaussian envelope is round,
with a bandwidth of one octave (half height to half height). Energy is the sum of both squared
responses (Adelson & Bergen 1985, J Opt Soc Am A 2:284).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from scipy import fft

from rulealign.controls.control import at_most, cells, luminance

ORIENTATIONS = 8
FREQUENCIES = (2, 4, 8, 16)
"""Cycles per image: the same at every size, as far as the pixels allow."""

LEAST_WAVELENGTH = 4
"""Pixels: at half that, a wave cannot be told from its mirror image."""

# Width of the filter in the frequency domain, as a share of its frequency: the Gaussian falls to
# half at f0 (1 - b) and f0 (1 + b), and these are one octave apart for b = 1/3.
WIDTH = (1 / 3) / np.sqrt(2 * np.log(2))


def energy(pixels: np.ndarray, k: int) -> np.ndarray:
    """Compute Gabor energy in k x k cells of the image.

    The square root of the mean energy over a cell: a mean of squares alone would be ruled by the
    few strongest edges. A wave of amplitude a and of a filter's own frequency has the value a.
    Images above 64 px are averaged over 64 x 64 cells first. Beyond its edges an image is
    mirrored, so that the edges themselves excite nothing.

    Args:
        pixels: float64, shape (n, size, size, 3), 0 to 1.
        k: cells per side; 1 pools over the whole image.

    Returns:
        float64, shape (n, filters, k, k), or size in place of k where that is less; filters in the
        order of `filters`. Luminance units.
    """
    maps = at_most(luminance(pixels))
    side = maps.shape[-1]
    maps = maps - maps.mean(axis=(1, 2), keepdims=True)
    spectrum = fft.fft2(np.pad(maps, ((0, 0), (0, side), (0, side)), "symmetric"))
    found = [
        cells(np.abs(fft.ifft2(spectrum * response)[:, :side, :side]) ** 2, k)
        for response in _responses(side)
    ]
    return np.sqrt(np.stack(found, axis=1))


def filters(side: int) -> list[tuple[int, float]]:
    """List the filters for images of a size.

    Args:
        side: pixels per side of the (averaged) image.

    Returns:
        (frequency in cycles per image, direction of the wave in degrees from the horizontal axis,
        clockwise as rows go down); vertical stripes have the direction 0.
    """
    waves = [one for one in FREQUENCIES if side / one >= LEAST_WAVELENGTH]
    return [(wave, 180 * place / ORIENTATIONS) for wave in waves for place in range(ORIENTATIONS)]


@lru_cache(maxsize=2)
def _responses(side: int) -> np.ndarray:
    return np.stack(list(_each_response(side)))


def _each_response(side: int) -> Iterator[np.ndarray]:
    # one Gaussian, at the positive frequency only: the real part of the filtered image is the
    # response of the even filter, the imaginary part that of the odd one
    axis = fft.fftfreq(2 * side) * side
    down, across = np.meshgrid(axis, axis, indexing="ij")
    for wave, degrees in filters(side):
        angle = np.deg2rad(degrees)
        away = (across - wave * np.cos(angle)) ** 2 + (down - wave * np.sin(angle)) ** 2
        yield 2 * np.exp(-away / (2 * (WIDTH * wave) ** 2))
