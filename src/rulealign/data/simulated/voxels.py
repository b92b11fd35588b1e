"""What simulated voxels answer to pictures: the known truth, before any noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from rulealign.data.simulated.objects import CLASSES

_LUMINANCE = np.array([0.299, 0.587, 0.114])
_ENVELOPE = 0.56  # sigma times frequency: a bandwidth of one octave, so hardly any mean luminance
_SILHOUETTE = 12  # samples per side of a centred silhouette
_GROUPS = ("solid", "solid", "solid", "spiked", "spiked", "open", "open", "split", "split", "open")


@dataclass(frozen=True)
class Scenes:
    """All that simulated voxels can see of n pictures.

    Attributes:
        luminance: float64, shape (n, size, size), 0 to 1.
        silhouettes: float64, shape (n, features), see `silhouette_features`.
        classes: int, shape (n,), places in `synthetic.CLASSES`.
    """

    luminance: np.ndarray
    silhouettes: np.ndarray
    classes: np.ndarray


@dataclass(frozen=True)
class Gabors:
    """Receptive fields of complex cells, one per entry; the picture's half-width is 1.

    Attributes:
        x: centres to the right of the picture's, shape (count,).
        y: centres below the picture's, shape (count,).
        orientation: direction across the stripes, radians from the x axis towards y.
        frequency: cycles per half-width.
    """

    x: np.ndarray
    y: np.ndarray
    orientation: np.ndarray
    frequency: np.ndarray

    @property
    def sigma(self) -> np.ndarray:
        """Standard deviations of the envelopes, half-widths."""
        return _ENVELOPE / self.frequency


@dataclass(frozen=True)
class Population:
    """Noise-free voxels.

    Attributes:
        responses: float64, shape (n pictures, voxels).
        fields: the receptive fields of the voxels, None where they have no place.
    """

    responses: np.ndarray
    fields: Gabors | None = None


def see(images: np.ndarray, masks: np.ndarray, classes: np.ndarray) -> Scenes:
    """Gather what voxels can see.

    Args:
        images: uint8, shape (n, size, size, 3), RGB.
        masks: bool, shape (n, size, size), True on the object.
        classes: int, shape (n,).

    Returns:
        The scenes.
    """
    silhouettes = np.stack([silhouette_features(mask) for mask in masks])
    return Scenes(images @ (_LUMINANCE / 255), silhouettes, np.asarray(classes))


def silhouette_features(mask: np.ndarray) -> np.ndarray:
    """Describe an outline whatever its place, size, texture and colour.

    Args:
        mask: bool, shape (size, size), True on the object; not empty.

    Returns:
        The smoothed silhouette, moved to its centre of gravity and scaled to its spread;
        float64, shape (144,).
    """
    rows, columns = np.nonzero(mask)
    spread = np.sqrt(rows.var() + columns.var())
    steps = np.linspace(-2, 2, _SILHOUETTE) * spread
    places = np.meshgrid(rows.mean() + steps, columns.mean() + steps, indexing="ij")
    sampled = map_coordinates(mask.astype(float), places, order=1, mode="constant")
    return gaussian_filter(sampled, 0.7).ravel()


def category_features(classes: np.ndarray) -> np.ndarray:
    """Describe pictures by their class and its group alone.

    Args:
        classes: int, shape (n,), places in `synthetic.CLASSES`.

    Returns:
        One column per class and one per group of classes, 0 or 1; float64, shape (n, 14).
    """
    names = sorted(set(_GROUPS))
    group = np.array([names.index(name) for name in _GROUPS])
    return np.hstack([np.eye(len(CLASSES))[classes], np.eye(len(names))[group[classes]]])


def gabor_energy(luminance: np.ndarray, gabors: Gabors) -> np.ndarray:
    """Compute the answers of complex cells: the root of the energy of a quadrature pair.

    Each cell answers |sum(L G exp(i 2 pi f u))| / sum(G), with L the luminance, G a round Gaussian
    and u the distance from its centre along the orientation (Adelson & Bergen 1985).

    Args:
        luminance: float64, shape (n, size, size).
        gabors: the receptive fields.

    Returns:
        float64, shape (n, cells).
    """
    size = luminance.shape[1]
    line = (np.arange(size) + 0.5) * 2 / size - 1
    # a round Gaussian times a plane wave is a product of a factor in x and one in y
    across = _factor(line, gabors.x, gabors, np.cos(gabors.orientation))
    down = _factor(line, gabors.y, gabors, np.sin(gabors.orientation))
    weight = np.abs(across).sum(axis=0) * np.abs(down).sum(axis=0)
    answers = [np.abs(((picture @ across) * down).sum(axis=0)) for picture in luminance]
    return np.stack(answers) / weight


def _factor(
    line: np.ndarray, centre: np.ndarray, gabors: Gabors, direction: np.ndarray
) -> np.ndarray:
    away = line[:, None] - centre
    wave = 2j * np.pi * gabors.frequency * direction * away
    return np.exp(wave - away**2 / (2 * gabors.sigma**2))


def draw_gabors(count: int, rng: np.random.Generator) -> Gabors:
    """Draw receptive fields: random place, orientation, and 1.5 to 5.3 cycles per picture.

    Args:
        count: how many.
        rng: the generator to draw from.

    Returns:
        The receptive fields.
    """
    return Gabors(
        x=rng.uniform(-0.8, 0.8, count),
        y=rng.uniform(-0.8, 0.8, count),
        orientation=rng.uniform(0, np.pi, count),
        frequency=np.exp2(rng.uniform(-0.4, 1.4, count)),
    )


def _v1(scenes: Scenes, count: int, rng: np.random.Generator) -> Population:
    fields = draw_gabors(count, rng)
    return Population(gabor_energy(scenes.luminance, fields), fields)


def _v2(scenes: Scenes, count: int, rng: np.random.Generator) -> Population:
    fields = draw_gabors(count, rng)
    partners = Gabors(
        x=fields.x + 0.15 * rng.standard_normal(count),
        y=fields.y + 0.15 * rng.standard_normal(count),
        orientation=fields.orientation + rng.uniform(np.pi / 4, 3 * np.pi / 4, count),
        frequency=fields.frequency,
    )
    one, other = (gabor_energy(scenes.luminance, each) for each in (fields, partners))
    return Population(one * other, fields)


def _mixture(features: np.ndarray, count: int, rng: np.random.Generator) -> Population:
    return Population(features @ rng.standard_normal((features.shape[1], count)))


def _loc(scenes: Scenes, count: int, rng: np.random.Generator) -> Population:
    return _mixture(scenes.silhouettes, count, rng)


def _it(scenes: Scenes, count: int, rng: np.random.Generator) -> Population:
    return _mixture(category_features(scenes.classes), count, rng)


Tuning = Callable[[Scenes, int, np.random.Generator], Population]

TUNINGS: dict[str, Tuning] = {"V1": _v1, "V2": _v2, "lLOC": _loc, "rLOC": _loc, "IT": _it}
"""ROI column -> how to draw so many voxels of it, and what they answer to scenes."""
