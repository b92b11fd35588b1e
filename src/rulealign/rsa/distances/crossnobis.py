"""The cross-validated Mahalanobis distance of single trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.rsa.distance import OfTrials

if TYPE_CHECKING:
    import numpy as np

    from rulealign.rsa.distance import Trials


class Crossnobis(OfTrials):
    """Cross-validated Mahalanobis distance of repeated stimuli (Walther et al. 2016).

    Its expectation is 0 where two stimuli have the same pattern. Not for stimuli that were shown
    once, or in one run only.
    """

    name = "crossnobis"
    short = "cross-validated, with its `folds`"

    folds: Literal["run", "session"] = Field(
        description="products of two trials count only if these are of different runs, or sessions"
    )

    @property
    def words(self) -> str:
        """Say what RDMs of it hold; see `Distance.words`."""
        return (
            f"crossnobis, folds: {self.folds}, noise normalised with Ledoit-Wolf shrinkage"
            " (estimated outside of the fold)"
        )

    def rdm(self, trials: Trials) -> np.ndarray:
        """Compute the distances; see `pattern_distances.crossnobis_rdm`."""
        from rulealign.rsa.pattern_distances import crossnobis_rdm

        fold = self.fold_labels(trials)
        return crossnobis_rdm(trials.patterns, trials.stimulus, fold, ids=trials.ids)

    def fold_labels(self, trials: Trials) -> np.ndarray:
        """Give each trial the number of its fold.

        Args:
            trials: single trials.

        Returns:
            A number for each trial, int64, shape (trials,). Runs are counted anew in every session,
            so that run 1 of two sessions are two folds.
        """
        if self.folds == "session":
            return trials.session
        import numpy as np

        both = np.stack([trials.session, trials.run])
        return np.unique(both, axis=1, return_inverse=True)[1].reshape(-1)
