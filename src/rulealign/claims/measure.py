"""What every measure of universes is: how networks are held against the brain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

NOT_APPLICABLE = "-"
"""In the column of an axis of which a measure has no value at all."""


class Measure:
    """One way of holding networks against the brain.

    Attributes:
        words: its name in a sentence, such as "by encoding".
        label: its name beside a row of a figure.
        fixed: axis that does not apply -> what stands in its column: what the measure does anyway,
            or `NOT_APPLICABLE`. Every other axis applies.
        of_rdms: whether it takes RDMs of networks; else their features, and the section `encoding`
            (`gram_measure.GramMeasure`).
        fits: whether it fits weights, with the penalties of that section.
    """

    words: ClassVar[str]
    label: ClassVar[str]
    fixed: ClassVar[Mapping[str, str]] = {}
    of_rdms: ClassVar[bool] = False
    fits: ClassVar[bool] = False
