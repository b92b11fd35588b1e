"""Scores of features against Gram matrices of brains, in the form of those of RDMs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from rulealign.arm import Arm
from rulealign.claims.measures import measure_class
from rulealign.claims.universes.analyses import Analysed, Brains
from rulealign.claims.universes.scores import UniverseRows
from rulealign.claims.universes.shuffles import shuffled_scores
from rulealign.encoding.features import ACTIVATIONS, find_features, read_features
from rulealign.encoding.gram import CORRELATION, centred
from rulealign.encoding.roi_gram import read_roi_gram
from rulealign.errors import DataError, GuardError
from rulealign.plan.settings.claims import MeasuredSettings
from rulealign.reasons import MissingValue
from rulealign.rsa.brain_rdms import read_brain_rdms
from rulealign.rsa.layer_table import NO_SPACE
from rulealign.rsa.model_rdms import MODEL_KEYS
from rulealign.store import require_same_ids

if TYPE_CHECKING:
    from rulealign.claims.gram_measure import GramMeasure

_SET, _NETWORK = ["stimuli", "size"], ["seed", "epoch", "stimuli", "size"]

Scorer = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Features and Gram matrices -> scores, shape (..., n_brains)."""


class GramFiles(NamedTuple):
    """What scores of Gram matrices are computed from.

    Attributes:
        features: of the networks of one arm, from `activations/` or `signals/`: every seed and
            epoch with every stimulus set and size that claims are about.
        brain: the ROI's `sub-<s>_roi-<r>_rdm.h5`, one per subject.
        folds: the ROI's file of Gram matrices and folds.
    """

    features: Sequence[Path]
    brain: Sequence[Path]
    folds: Path


def score_grams(
    files: GramFiles,
    arm: Arm,
    roi: str,
    settings: MeasuredSettings,
    table: Path,
    draws: Path,
) -> None:
    """Score the features of one arm that claims are about, on the resamples that all scores share.

    The table and the draws are those of `scores.score_universes`, with this measure's scores.

    Args:
        files: what is read.
        arm: the network and the rule.
        roi: its label.
        settings: of the universes, and which measure.
        table: the CSV to make.
        draws: the HDF5 file to make.

    Raises:
        DataError: stimulus ids differ (names both files and the first difference), or a network,
            layer or descriptor is not in the files.
        GuardError: a file is of another arm, ROI or setting than the others.
        StoreError: a file cannot be read, or the disk is full.
    """
    rows = _GramRows(files, arm, roi, settings)
    for _, one in _features(files.features, arm, settings, rows.ids).groupby(_SET):
        rows.add(one.reset_index(drop=True))
    rows.write(table, draws)


class _GramRows(UniverseRows):
    """Rows and draws of one arm and ROI, of features in place of RDMs."""

    def __init__(
        self,
        files: GramFiles,
        arm: Arm,
        roi: str,
        settings: MeasuredSettings,
    ) -> None:
        brain, folds = read_brain_rdms(files.brain, roi), files.folds
        super().__init__(arm, settings, brain, None, {})
        self._measure: type[GramMeasure] = measure_class(settings.measure)
        self._folds, self.ids = read_roi_gram(folds), brain.ids
        require_same_ids(brain.ids, self._folds.ids, str(files.brain[0]), str(folds))

    def _shuffles(self, one: pd.DataFrame, brains: Brains, analysis: tuple[str, str]) -> np.ndarray:
        def once(features: np.ndarray, grams: np.ndarray) -> np.ndarray:
            return self._measure.once(features, grams, self._folds, self._settings)[np.newaxis]

        return shuffled_scores(brains, self._orders, lambda many: self._each(one, many, once, 1))

    def _analysed(
        self, one: pd.DataFrame, brains: Brains, kind: str, analysis: tuple[str, str]
    ) -> Analysed:
        def sampled(features: np.ndarray, grams: np.ndarray) -> np.ndarray:
            told = brains.counts, self._folds, self._settings
            return self._measure.sampled(features, grams, *told)

        start = time.monotonic()
        more = self._measure.mutual_rows(self._settings.generalise_to)
        found = self._each(one, brains, sampled, len(brains.counts) + more)
        spent, settings = time.monotonic() - start, self._settings
        print(
            f"{self._arm} and {self._brain.roi}, {one['stimuli'][0]} at {one['size'][0]} px:"
            f" {len(one)} rows of {settings.measure}, {settings.dataset} in {spent:.0f} s",
            flush=True,
        )
        return found

    def _each(self, one: pd.DataFrame, brains: Brains, scored: Scorer, n_samples: int) -> Analysed:
        grams = _grams(brains.rdms, len(self.ids), self._settings.distance)
        shape = n_samples, len(one), brains.weights.shape[1]
        values, reasons = np.full(shape, np.nan), [""] * len(one)
        for row, (path, name) in enumerate(zip(one["path"], one["name"], strict=True)):
            try:
                values[:, row] = scored(read_features(path, name), grams) @ brains.weights
            except MissingValue as missing:
                reasons[row] = missing.reason
            except DataError as error:
                raise DataError(f"{path}: {name}: {error}") from error
        return Analysed(one[list(MODEL_KEYS)], values, reasons)


def _grams(rdms: np.ndarray, n_stimuli: int, distance: str) -> np.ndarray:
    # that patterns have these distances was seen to when the folds were made
    distances = np.zeros((len(rdms), n_stimuli, n_stimuli))
    first, second = np.triu_indices(n_stimuli, 1)
    distances[:, first, second] = distances[:, second, first] = rdms
    return 1 - distances if distance == CORRELATION else -centred(distances) / 2


def _features(
    files: Sequence[Path], arm: Arm, settings: MeasuredSettings, ids: Sequence[str]
) -> pd.DataFrame:
    # a row for each set of features that universes need, with `MODEL_KEYS`, path and name
    of_activations = settings.dataset == ACTIVATIONS
    found = find_features(*((files, ()) if of_activations else ((), files)))
    require_same_ids(found.ids, ids, str(files[0]), "the brain RDMs")
    index = found.index
    other = index[(index["network"] != arm.network) | (index["rule"] != arm.rule)]
    if len(other):
        own = Arm(*other[["network", "rule"]].iloc[0])
        raise GuardError(f"{other['path'].iloc[0]}: is of {own}, not of {arm}.")
    every = index[_NETWORK].drop_duplicates()
    index = index[
        (index["features"] == settings.dataset)
        & index["layer"].isin(settings.layers)
        & index["descriptor"].isin([*settings.descriptors, NO_SPACE])
    ]
    _require_complete(index, every, settings, files[0])
    return index.assign(centring=settings.centring[0])


def _require_complete(
    index: pd.DataFrame, every: pd.DataFrame, settings: MeasuredSettings, path: Path
) -> None:
    vectors = set(index.loc[index["descriptor"] == NO_SPACE, "layer"])
    wanted = [
        (layer, descriptor)
        for layer in settings.layers
        for descriptor in ([NO_SPACE] if layer in vectors else settings.descriptors)
    ]
    keys = [*_NETWORK, "layer", "descriptor"]
    there = set(index[keys].itertuples(index=False, name=None))
    networks = product(*(sorted(set(every[key])) for key in _NETWORK))
    for network, one in product(networks, wanted):
        if (*network, *one) not in there:
            what = "_".join(map(str, (*network, *one)))
            raise DataError(
                f"{path}, and others of its rule: have no {settings.dataset} of {what}; list all"
                " files, or delete them and rerun the command."
            )
