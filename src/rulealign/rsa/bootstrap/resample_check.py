"""Whether the resamples of a study order the pairs of its brain RDMs, before anything is trained.

The resamples follow from the study's seed and its number of stimuli, so what would stop a bootstrap
after hours of training is known before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rulealign.errors import DataError
from rulealign.rsa.bootstrap.spearman import bootstrap_seed, resample_counts
from rulealign.rsa.brain_rdms import BrainRdms, files_by_roi, read_brain_rdms
from rulealign.rsa.compare import masked, with_mean
from rulealign.rsa.pairs import read_pairs

if TYPE_CHECKING:
    from rulealign.plan.settings.brain import InputsSettings


def require_resamples(brain: Sequence[Path], settings: InputsSettings, pairs: Path | None) -> None:
    """Refuse a study of which some resample leaves a brain RDM nothing to rank.

    Args:
        brain: files of brain RDMs, of all subjects and ROIs.
        settings: the study's seed, draws and kinds of pairs.
        pairs: the file of pairs in different runs, where such pairs are compared.

    Raises:
        DataError: there are too few stimuli, or an RDM is constant over the pairs of a resample;
            names the RDM, and how many resamples that are.
        StoreError: a file cannot be read.
    """
    for files in files_by_roi(brain).values():
        read = read_brain_rdms(files)
        n_stimuli = len(read.ids)
        seed = bootstrap_seed(settings.study_seed, n_stimuli)
        try:
            counts = resample_counts(n_stimuli, settings.bootstrap_draws, seed)
        except DataError as error:
            remedy = "or lower statistics.bootstrap_draws."
            raise DataError(f"{files[0]}: {str(error).rstrip('.')}, {remedy}") from error
        for kind in settings.pairs:
            _require_order(read, counts, read_pairs(pairs, read.ids, kind))


def _require_order(read: BrainRdms, counts: np.ndarray, mask: np.ndarray | None) -> None:
    for rdm, name in zip(with_mean(read.rdms), read.names, strict=True):
        constant = list(_constant_draws(rdm, counts, mask))
        if constant:
            values = len(np.unique(masked(rdm[np.newaxis], mask)))
            raise DataError(
                f"{name}: its RDM is constant over the pairs of {len(constant)} of {len(counts)}"
                f" resamples of the stimuli (the first is resample {constant[0]}), and has no ranks"
                f" there. It holds {values} different dissimilarities of {len(read.ids)} stimuli; a"
                " bootstrap needs more stimuli, or RDMs that are more than categories."
            )


def _constant_draws(rdm: np.ndarray, counts: np.ndarray, mask: np.ndarray | None) -> Iterator[int]:
    """Find the resamples in which all pairs that are left have one dissimilarity."""
    first, second = np.triu_indices(counts.shape[1], 1)
    allowed = np.ones(len(rdm), dtype=bool) if mask is None else mask
    # more pairs than ever share a dissimilarity cannot all be equal
    most_equal = np.unique(rdm[allowed], return_counts=True)[1].max()
    drawn = counts > 0
    for draw in np.flatnonzero(_fewest_pairs(drawn, allowed) <= most_equal):
        left = rdm[allowed & drawn[draw, first] & drawn[draw, second]]
        if not len(left) or left.min() == left.max():
            yield int(draw)


def _fewest_pairs(drawn: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    # of each resample: all pairs of its stimuli, less all that are never compared
    distinct = drawn.sum(axis=1)
    return distinct * (distinct - 1) // 2 - (~allowed).sum()
