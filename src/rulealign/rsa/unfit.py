"""RDMs that cannot be compared: numbered where that is found, named where their names are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rulealign.errors import DataError
from rulealign.reasons import MissingValue

if TYPE_CHECKING:
    import numpy as np

NOT_FINITE = "has dissimilarities that are NaN or infinite"
"""A fault of an RDM, in words that may stand in a table."""


class UnfitRdm(MissingValue):
    """An RDM among many cannot be ranked or correlated.

    Args:
        kind: model, brain or control; "" where it is not known.
        place: among the RDMs of its kind, from 0.
        fault: what is wrong with it.
        more: as in `MissingValue`.
        name: what to call it; by default its kind and place.

    Attributes:
        kind: as given.
        place: as given.
        why: the message behind the name.
    """

    def __init__(
        self, kind: str, place: int, fault: str, more: str = ".", *, name: str = ""
    ) -> None:
        super().__init__(f"{name or f'{kind} RDM {place}'.lstrip()} {fault}", more)
        self.kind, self.place, self.why = kind, place, f"{fault}{more}"


class ConstantInDraw(UnfitRdm):
    """An RDM is constant over the pairs of one resample, though not over all.

    Attributes:
        draw: which resample, from 0: a row of the counts that were given.
    """

    def __init__(self, draw: int, kind: str, place: int, fault: str, more: str) -> None:
        super().__init__(kind, place, fault, more)
        self.draw = draw


def require_varied(varied: np.ndarray, kind: str, draw: int, lacks: str, first: int = 0) -> None:
    """Refuse RDMs that are constant over the pairs of one resample.

    Args:
        varied: bool, shape (n_rdms,); which are not.
        kind: as in `UnfitRdm`.
        draw: which resample.
        lacks: what a constant one does not have there, such as "no ranks".
        first: the number of the first of these RDMs among those of its kind.

    Raises:
        ConstantInDraw: one is.
    """
    if not varied.all():
        fault = f"is constant over the pairs of resample {draw} and has {lacks} there"
        more = "; a bootstrap needs more stimuli or finer RDMs."
        raise ConstantInDraw(draw, kind, first + int(varied.argmin()), fault, more)


@contextmanager
def naming(**names: Sequence[str]) -> Iterator[None]:
    """Give an unfit RDM its name in place of its number.

    Args:
        **names: kind of RDM -> the names of all of its kind, in order; such as
            `model=["bp_42_0_grey_32_conv1_grid-8_centred"]`. Other kinds keep their numbers.

    Raises:
        DataError: an RDM turned out to be unfit within; with its name.
    """
    try:
        yield
    except UnfitRdm as error:
        if error.kind not in names:
            raise
        raise DataError(f"{names[error.kind][error.place]} {error.why}") from None
