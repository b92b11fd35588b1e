"""The outlines of the generated objects: one family of shapes per class.

Every function takes the coordinates of an object's own frame (the object fills about the unit
disc) and `form`, a number in [0, 1) that picks one member of the family. It returns a field that
is negative inside the object, zero on its edge and grows about as fast as the distance.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Field = Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def _disc(x: np.ndarray, y: np.ndarray, form: float) -> np.ndarray:
    return np.hypot(x * (1 + 0.4 * form), y) - 0.85


def _square(x: np.ndarray, y: np.ndarray, form: float) -> np.ndarray:
    return np.maximum(np.abs(x) - 0.75, np.abs(y) - 0.75 + 0.25 * form)


def _triangle(x: np.ndarray, y: np.ndarray, form: float) -> np.ndarray:
    slope = 1.5 + form
    return np.maximum(y - 0.6, (slope * np.abs(x) - y - 0.95) / np.hypot(slope, 1))


def _star(x: np.ndarray, y: np.ndarray, form: float) -> np.ndarray:
    sector = np.pi / (4 + int(3 * form))
    angle = np.abs((np.arctan2(y, x) + sector) % (2 * sector) - sector)
    # the edge runs from a tip (radius 1, angle 0) to a notch (inner radius, angle `sector`)
    radius, notch = np.hypot(x, y), 0.42
    tip_to_notch = np.array([notch * np.cos(sector) - 1, notch * np.sin(sector)])
    across = np.array([-tip_to_notch[1], tip_to_notch[0]]) / np.hypot(*tip_to_notch)
    return -(across[0] * (radius * np.cos(angle) - 1) + across[1] * radius * np.sin(angle))


def _cross(x: np.ndarray, y: np.ndarray, form: float) -> np.ndarray:
    arm = 0.2 + 0.12 * form
    upright = np.maximum(np.abs(x) - arm, np.abs(y) - 0.95)
    return np.minimum(upright, np.maximum(np.abs(x) - 0.95, np.abs(y) - arm))


def _ring(x: np.ndarray, y: np.ndarray, form: float) -> np.ndarray:
    return np.abs(np.hypot(x, y) - 0.72) - 0.15 - 0.1 * form


def _crescent(x: np.ndarray, y: np.ndarray, form: float) -> np.ndarray:
    return np.maximum(np.hypot(x, y) - 0.95, 0.78 - np.hypot(x - 0.35 - 0.2 * form, y))


def _bars(x: np.ndarray, y: np.ndarray, form: float) -> np.ndarray:
    spacing = 0.55 + 0.15 * form
    nearest = np.abs(x - spacing * np.clip(np.round(x / spacing), -1, 1))
    return np.maximum(nearest - 0.17, np.abs(y) - 0.9)


def _hourglass(x: np.ndarray, y: np.ndarray, form: float) -> np.ndarray:
    slope = 0.7 + 0.4 * form
    waist = (np.abs(x) - slope * np.abs(y) - 0.08) / np.hypot(slope, 1)
    return np.maximum(waist, np.abs(y) - 0.85)


def _arch(x: np.ndarray, y: np.ndarray, form: float) -> np.ndarray:
    across = np.where(y < 0, np.hypot(x, y), np.abs(x))
    return np.maximum(np.abs(across - 0.65) - 0.17 - 0.08 * form, y - 0.8)


OUTLINES: dict[str, Field] = {
    "disc": _disc,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "cross": _cross,
    "ring": _ring,
    "crescent": _crescent,
    "bars": _bars,
    "hourglass": _hourglass,
    "arch": _arch,
}
"""Class -> the family of its outlines, in the order of the class labels."""
