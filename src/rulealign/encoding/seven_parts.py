"""What activations, gradients and teaching signals have alone and in common: seven parts of R^2.

Of three feature spaces, R^2 of each alone, of each two and of all three tell what only one of them
predicts, what exactly two have in common, and what is common to all (Borcard, Legendre & Drapeau
1992, Ecology 73:1045; three tables: Borcard & Legendre 1994, Environ Ecol Stat 1:37). The parts sum
to R^2 of all three. A part is below 0 where spaces help each other, or by noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING

from rulealign.encoding.features import ACTIVATIONS
from rulealign.encoding.together import Together
from rulealign.rsa.bootstrap.primary import Effect

if TYPE_CHECKING:
    from rulealign.encoding.parts import Part

GRADIENT, TEACHING = "gradient", "teaching"
SPACES = (ACTIVATIONS, GRADIENT, TEACHING)
WHOLE, COMMON = "whole_r2", "common_r2"
"""Measures: R^2 of all three together; what each of the three predicts."""

_SINGLE = [frozenset(one) for one in combinations(SPACES, 1)]
_PAIRS = [frozenset(two) for two in combinations(SPACES, 2)]
_ALL = frozenset(SPACES)

_Weights = Mapping[frozenset[str], int]
"""Spaces -> what R^2 of them together counts in a part."""


def _parts() -> Iterator[tuple[str, _Weights]]:
    for own in _SINGLE:
        yield f"unique_{_name(own)}_r2", {_ALL: 1, _ALL - own: -1}
    for both in _PAIRS:
        rest = _ALL - both
        yield (
            f"shared_{_name(both)}_r2",
            {
                **{rest | {one}: 1 for one in both},
                rest: -1,
                _ALL: -1,
            },
        )
    yield COMMON, dict.fromkeys(_SINGLE, 1) | dict.fromkeys(_PAIRS, -1) | {_ALL: 1}
    yield WHOLE, {_ALL: 1}


def _name(spaces: frozenset[str]) -> str:
    return "_".join(one for one in SPACES if one in spaces)


PARTS: Mapping[str, _Weights] = dict(_parts())
"""Measure -> its sum; last R^2 of all three together."""


def seven_parts(together: Together, kinds: tuple[str, str, str]) -> Iterator[Part]:
    """Split R^2 of three kinds of features into what each has alone and in common.

    Args:
        together: fits of the layer.
        kinds: activations, a gradient and teaching signals.

    Yields:
        Of `PARTS`, under the name of all kinds joined by `+`; a reason where one R^2 is missing,
        such as for teaching signals that are this gradient.
    """
    names = dict(zip(SPACES, kinds, strict=True))
    found = {
        spaces: together.r2(*(names[one] for one in SPACES if one in spaces))
        for spaces in (*_SINGLE, *_PAIRS, _ALL)
    }
    missing = [one for one in found.values() if isinstance(one, str)]
    for measure, weights in PARTS.items():
        terms = [(weight, found[spaces]) for spaces, weight in weights.items()]
        yield "+".join(kinds), measure, missing[0] if missing else Effect.total(terms)
