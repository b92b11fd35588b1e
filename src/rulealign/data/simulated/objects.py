"""Generated pictures of objects: ten classes of shape, each with its leaning in texture and colour.

A picture is defined without pixels (an outline, a texture and a background as functions of the
place), so the same generator gives the same scene at any size.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from rulealign.data.simulated.shapes import OUTLINES
from rulealign.provenance import derive_seed

CLASSES: tuple[str, ...] = tuple(OUTLINES)
"""The names of the classes, in the order of their labels."""

TEXTURES = ("plain", "stripes", "checks", "blotches")

# Backgrounds and blotches hold no more cycles per image than 32 pixels can show.
_CYCLES = np.arange(-15, 16)
_FAVOURED_TEXTURE = 0.6
_FAVOURED_HUE = 0.4
_VALUES = ((0.05, 0.35), (0.75, 1.0))


@dataclass(frozen=True)
class Style:
    """What stays the same when one thing is seen again, elsewhere.

    Attributes:
        class_index: place of its class in `CLASSES`.
        form: which member of the class's family of outlines, 0 to 1.
        aspect: width over height of its own frame.
        texture: one of `TEXTURES`.
        cycles: texture periods per unit of the object's own frame.
        tilt: direction of the texture in the object's own frame, radians.
        colours: two RGB colours, shape (2, 3), 0 to 1.
    """

    class_index: int
    form: float
    aspect: float
    texture: str
    cycles: float
    tilt: float
    colours: np.ndarray


@dataclass(frozen=True)
class Pose:
    """Where a thing lies in the picture, whose half-width is 1.

    Attributes:
        centre: x (right) and y (down), -1 to 1.
        size: unit of the object's own frame, in half-widths.
        rotation: radians.
        contrast: how much of the background the object covers, 0 to 1.
    """

    centre: tuple[float, float]
    size: float
    rotation: float
    contrast: float


def draw_style(class_index: int, rng: np.random.Generator) -> Style:
    """Draw the looks of one thing of a class.

    Args:
        class_index: 0 to 9, place in `CLASSES`.
        rng: the generator to draw from.

    Returns:
        The style: textures and hues lean towards the class but occur in all classes.
    """
    favoured = class_index % len(TEXTURES)
    texture = favoured if rng.random() < _FAVOURED_TEXTURE else rng.integers(len(TEXTURES))
    hue = rng.random()
    if rng.random() < _FAVOURED_HUE:
        hue = class_index / len(CLASSES) + 0.06 * rng.standard_normal()
    return Style(
        class_index=class_index,
        form=rng.random(),
        aspect=float(np.exp(rng.uniform(-0.22, 0.22))),
        texture=TEXTURES[texture],
        cycles=1.0 + 0.2 * (7 * class_index % 10) * rng.uniform(0.7, 1.3),
        tilt=rng.uniform(0, np.pi),
        colours=np.stack([_colour(hue, rng), _colour(hue + rng.uniform(0.1, 0.5), rng)]),
    )


def _colour(hue: float, rng: np.random.Generator) -> np.ndarray:
    saturation, value = rng.uniform(0.3, 0.9), rng.uniform(*_VALUES[rng.integers(2)])
    return np.array(colorsys.hsv_to_rgb(hue % 1.0, saturation, value))


def draw_pose(rng: np.random.Generator) -> Pose:
    """Draw where a thing lies, how large it is, how it is turned and how clearly it stands out.

    Args:
        rng: the generator to draw from.

    Returns:
        The pose; at most a small part of the object lies outside the picture.
    """
    size = rng.uniform(0.6, 0.9)
    reach = 1.0 - 0.8 * size
    return Pose(
        centre=(rng.uniform(-reach, reach), rng.uniform(-reach, reach)),
        size=size,
        rotation=rng.uniform(-0.5, 0.5),
        contrast=rng.uniform(0.75, 1.0),
    )


def render(
    style: Style, pose: Pose, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Paint one thing in one pose on a 1/f background.

    Args:
        style: its looks.
        pose: its place.
        size: pixels per side.
        rng: draws the background and the blotches.

    Returns:
        image: uint8, shape (size, size, 3), RGB.
        mask: bool, shape (size, size), True on the object.
    """
    x, y = _own_frame(style, pose, size)
    edge = OUTLINES[CLASSES[style.class_index]](x, y, style.form) * pose.size
    # an edge that is one pixel wide, so that small pictures are antialiased
    cover = np.clip(0.5 - edge * size / 2, 0.0, 1.0)
    background = _background(size, rng)
    share = _texture(style, x, y, size, rng)[..., None]
    paint = style.colours[0] * (1 - share) + style.colours[1] * share
    mixed = background + (pose.contrast * cover)[..., None] * (paint - background)
    return np.rint(np.clip(mixed, 0, 1) * 255).astype(np.uint8), cover >= 0.5


def _own_frame(style: Style, pose: Pose, size: int) -> tuple[np.ndarray, np.ndarray]:
    line = (np.arange(size) + 0.5) * 2 / size - 1
    right, down = np.meshgrid(line - pose.centre[0], line - pose.centre[1])
    cosine, sine = np.cos(pose.rotation) / pose.size, np.sin(pose.rotation) / pose.size
    stretch = np.sqrt(style.aspect)
    return (cosine * right + sine * down) / stretch, (cosine * down - sine * right) * stretch


def _texture(
    style: Style, x: np.ndarray, y: np.ndarray, size: int, rng: np.random.Generator
) -> np.ndarray:
    along = np.cos(style.tilt) * x + np.sin(style.tilt) * y
    across = np.cos(style.tilt) * y - np.sin(style.tilt) * x
    wave = np.sin(2 * np.pi * style.cycles * along)
    if style.texture == "stripes":
        return 0.5 + 0.5 * wave
    if style.texture == "checks":
        return 0.5 + 0.5 * wave * np.sin(2 * np.pi * style.cycles * across)
    if style.texture == "blotches":
        return np.clip(0.5 + 0.3 * _noise(size, 1, 0.5, rng)[0], 0, 1)
    return np.zeros_like(x)


def _background(size: int, rng: np.random.Generator) -> np.ndarray:
    mean = rng.uniform(0.35, 0.65, 3)
    strength = rng.uniform(0.03, 0.1)
    grey, *colour = _noise(size, 4, 1.0, rng)
    return mean + strength * (grey[..., None] + 0.5 * np.stack(colour, axis=-1))


def _noise(size: int, count: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Return fields of unit variance whose amplitude falls as 1/frequency**slope."""
    cycles = _CYCLES[np.abs(_CYCLES) < size / 2]
    shape = (count, len(_CYCLES), len(_CYCLES))
    waves = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    frequency = np.hypot(_CYCLES[:, None], _CYCLES)
    amplitude = np.where(frequency > 0, 1 / np.maximum(frequency, 1) ** slope, 0)
    kept = np.isin(_CYCLES, cycles)
    weights = (waves * amplitude / np.sqrt((amplitude**2).sum()))[:, kept][:, :, kept]
    basis = np.exp(1j * np.pi * np.outer((np.arange(size) + 0.5) * 2 / size, cycles))
    return (basis @ weights @ basis.T).real


def draw_object(
    class_index: int, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a picture of one object of a class.

    Args:
        class_index: 0 to 9, place in `CLASSES`.
        size: pixels per side.
        rng: the generator to draw from; the same state gives the same scene at any size.

    Returns:
        image: uint8, shape (size, size, 3), RGB.
        mask: bool, shape (size, size), True on the object.
    """
    style = draw_style(class_index, rng)
    return render(style, draw_pose(rng), size, rng)


def make_objects(count: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw labelled pictures; classes take turns.

    Args:
        count: how many pictures.
        size: pixels per side.
        seed: picture i depends on the seed and i alone, not on the count.

    Returns:
        images: uint8, shape (count, size, size, 3), RGB.
        labels: int64, shape (count,), places in `CLASSES`.
    """
    labels = np.arange(count, dtype=np.int64) % len(CLASSES)
    images = np.empty((count, size, size, 3), dtype=np.uint8)
    for place, label in enumerate(labels):
        rng = np.random.default_rng(derive_seed(seed, "object", place))
        images[place], _ = draw_object(int(label), size, rng)
    return images, labels
