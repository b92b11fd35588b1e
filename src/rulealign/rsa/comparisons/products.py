"""Pearson's r and the cosine of RDMs, and both whitened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rulealign.rsa.comparison import Comparison

if TYPE_CHECKING:
    import numpy as np


class _Product(Comparison):
    centred: ClassVar[bool] = True
    whitened: ClassVar[bool] = False

    @classmethod
    def each(cls, *rdms_and_counts: np.ndarray, **how: Any) -> np.ndarray:
        """Compare in every resample; see `Comparison.each`."""
        from rulealign.rsa.bootstrap.products import bootstrap_products

        kind = {"centred": cls.centred, "whitened": cls.whitened}
        return bootstrap_products(*rdms_and_counts, **kind, **how)


class Pearson(_Product):
    """The correlation of dissimilarities: supposes that they are linearly related.

    Where only their order is meant, use Spearman. Few large dissimilarities can rule the result.
    """

    words = "Pearson's r"
    partial = True


class WhitenedPearson(_Product):
    """The correlation that allows for the dependence between pairs that share a stimulus.

    Supposes equal and independent noise of all stimuli.

    Source: Diedrichsen et al. 2021, arXiv:2007.02789.
    """

    words = "whitened Pearson's r"
    whitened = True


class Cosine(_Product):
    """The cosine of the angle between RDMs.

    Means something only where 0 does: for cross-validated distances, not for 1 - Pearson, which has
    a large mean, so that any two RDMs have a cosine near 1.
    """

    words = "the cosine"
    instead = "pearson"
    centred = False


class WhitenedCosine(WhitenedPearson):
    """The cosine that allows for the dependence between pairs that share a stimulus.

    For cross-validated distances, whose 0 is true: elsewhere use `WhitenedPearson`. Over all pairs
    it is the linear CKA of patterns with these squared distances.
    """

    words = "the whitened cosine"
    instead = "whitened_pearson"
    centred = False
