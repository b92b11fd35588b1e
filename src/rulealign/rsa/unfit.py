"""RDMs that cannot be compared: numbered where that is found, named where their names are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rulealign.errors import DataError


class UnfitRdm(DataError):
    """An RDM among many cannot be ranked or correlated.

    Attributes:
        kind: model, brain or control; "" where it is not known.
        place: among the RDMs of its kind, from 0.
        why: the rest of the message, with the remedy.
    """

    def __init__(self, kind: str, place: int, why: str) -> None:
        super().__init__(f"{kind} RDM {place} {why}".lstrip())
        self.kind, self.place, self.why = kind, place, why


class ConstantInDraw(UnfitRdm):
    """An RDM is constant over the pairs of one resample, though not over all.

    Attributes:
        draw: which resample, from 0: a row of the counts that were given.
    """

    def __init__(self, draw: int, kind: str, place: int, why: str) -> None:
        super().__init__(kind, place, why)
        self.draw = draw


def constant_in(draw: int, kind: str, place: int, lacks: str) -> ConstantInDraw:
    """Make the error of an RDM that is constant over the pairs of one resample.

    Args:
        draw: which resample.
        kind: as in `UnfitRdm`.
        place: as in `UnfitRdm`.
        lacks: what it does not have there, such as "no ranks".

    Returns:
        The error, to be raised.
    """
    why = f"is constant over the pairs of resample {draw} and has {lacks} there;"
    return ConstantInDraw(draw, kind, place, f"{why} a bootstrap needs more stimuli or finer RDMs.")


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
