"""In which order layers predict the ROIs of a hierarchy: `statistics/encoding_order.csv`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from rulealign.encoding.features import FEATURE_KEYS
from rulealign.encoding.roi_gram import RoiGram, read_roi_gram
from rulealign.errors import DataError
from rulealign.plan.settings.encoding import OrderSettings
from rulealign.rsa.layer_order import LEAST_PLACES, layer_orders, rank_correlations
from rulealign.rsa.layer_table import NO_SPACE
from rulealign.rsa.seeds import LEAST_SEEDS as LEAST_SUBJECTS
from rulealign.store import open_h5, read_ids, require_same_ids, write_csv

RANK_CORRELATION, DIFFERENCE = "rank_correlation", "depth_difference"

_GROUP = [key for key in FEATURE_KEYS if key not in ("seed", "layer", "descriptor")]


@dataclass(frozen=True)
class RoiErrors:
    """Held-out errors of one rule's networks in one ROI.

    Attributes:
        index: a row per network, layer and features, with the columns `FEATURE_KEYS`.
        errors: float64, shape (rows, n_subjects, n_stimuli).
        folds: int, shape (n_subjects, n_stimuli).
    """

    index: pd.DataFrame
    errors: np.ndarray
    folds: np.ndarray

    def choices(self, rows: Sequence[int]) -> np.ndarray:
        """Give the place among `rows` with the lowest error outside of each fold.

        Args:
            rows: of one network's layers.

        Returns:
            int, shape (n_folds, n_subjects).
        """
        others = [self.folds != fold for fold in range(self.folds.max() + 1)]
        sums = [(self.errors[list(rows)] * other).sum(axis=2) for other in others]
        return np.stack(sums).argmin(axis=1)


def read_roi_errors(path: Path, brain: RoiGram) -> RoiErrors:
    """Read the held-out errors of one rule and ROI.

    Args:
        path: a file of errors of `encode.encode`.
        brain: of the ROI; it has the folds.

    Returns:
        The errors.

    Raises:
        DataError: stimulus ids differ.
        StoreError: the file cannot be read.
    """
    with open_h5(path) as file:
        ids = read_ids(file, "stimulus")
        require_same_ids(ids, brain.ids, str(path), f"the Gram matrices of {brain.roi}")
        rows = [name.split("/") for name in read_ids(file, "row")]
        index = pd.DataFrame(rows, columns=list(FEATURE_KEYS))
        return RoiErrors(index, file["errors"][()], brain.folds)


def order_table(
    errors: Sequence[Sequence[Path]], grams: Sequence[Path], settings: OrderSettings, output: Path
) -> None:
    """Measure the order of every rule's layers over the hierarchy: `statistics/encoding_order.csv`.

    Each subject's preferred depth in an ROI is that of the layer with the lowest error on stimuli
    outside of a fold, averaged over folds and seeds. From 4 ROIs on, the measure is the rank
    correlation of preferred depth with the ROI's place; for 2 or 3, the depth in the last ROI less
    that in the first. The null permutes the layers, for all subjects and ROIs alike.

    Args:
        errors: per rule the files of errors, one per ROI of the hierarchy, in its order.
        grams: the files of Gram matrices of these ROIs, in the same order.
        settings: depths of layers, the hierarchy, and the interval.
        output: the CSV to make: a row per network without its seed, features and descriptor among
            whose layers is chosen: `statistic`, `n_rois`, `n_subjects`, `value` with its t interval
            over subjects, `p` (share of permuted layers with as large a value, two-sided), and a
            column `depth:<roi>` each.

    Raises:
        DataError: stimuli or subjects differ, or ROIs have other features.
        StoreError: a file cannot be read, or the disk is full.
    """
    brains = [read_roi_gram(path) for path in grams]
    for path, brain in zip(grams, brains, strict=True):
        remedy = "The order is of subjects who have all ROIs of encoding.hierarchy; shorten it."
        require_same_ids(brains[0].subjects, brain.subjects, str(grams[0]), str(path), remedy)
    rows = [row for files in errors for row in _rule_rows(files, brains, settings)]
    write_csv(output, pd.DataFrame(rows))


def _rule_rows(
    files: Sequence[Path], brains: Sequence[RoiGram], settings: OrderSettings
) -> Iterator[dict[str, Any]]:
    found = [read_roi_errors(path, brain) for path, brain in zip(files, brains, strict=True)]
    index = found[0].index
    for path, one in zip(files, found, strict=True):
        if not one.index.equals(index):
            raise DataError(f"{path}: has other features than {files[0]}; delete both and rerun.")
    for key, places in index.groupby(_GROUP, sort=True).groups.items():
        own = index.loc[places]
        for among in sorted(set(own["descriptor"]) - {NO_SPACE}) or [NO_SPACE]:
            chosen = own[own["descriptor"].isin([among, NO_SPACE])]
            networks = [list(layers.index) for _, layers in chosen.groupby("seed")]
            named = dict(zip(_GROUP, key, strict=True)) | {"among": among}
            yield named | _order(found, networks, settings.depths[named["network"]], settings)


def _order(
    found: Sequence[RoiErrors],
    networks: Sequence[Sequence[int]],
    known: Mapping[str, float],
    settings: OrderSettings,
) -> dict[str, Any]:
    layers = list(found[0].index["layer"].loc[networks[0]])
    depths = np.array([known[layer] for layer in layers])
    # shares of folds and seeds that chose a layer: shape (rois, subjects, layers)
    taken = np.stack([_shares(one, networks, len(layers)) for one in found])
    by_subject = _statistic(taken @ depths)
    value = by_subject.mean()
    null = [
        _statistic(taken @ depths[list(order)]).mean()
        for order in layer_orders(len(layers), settings.study_seed)
    ]
    extreme = np.abs(null) >= abs(value) - 1e-12
    name = RANK_CORRELATION if len(settings.hierarchy) >= LEAST_PLACES else DIFFERENCE
    counts = {"statistic": name, "n_rois": len(settings.hierarchy), "n_subjects": taken.shape[1]}
    shown = zip(settings.hierarchy, (taken @ depths).mean(axis=1), strict=True)
    return {
        **counts,
        "value": value,
        **_interval(by_subject, settings.interval),
        "p": float(np.mean(extreme)),
        **{f"depth:{roi}": depth for roi, depth in shown},
    }


def _shares(errors: RoiErrors, networks: Sequence[Sequence[int]], n_layers: int) -> np.ndarray:
    choices = np.concatenate([errors.choices(rows) for rows in networks])
    return (choices[..., np.newaxis] == np.arange(n_layers)).mean(axis=0)


def _statistic(depths: np.ndarray) -> np.ndarray:
    # of each subject, from the preferred depths, shape (rois, subjects)
    if len(depths) < LEAST_PLACES:
        return depths[-1] - depths[0]
    return rank_correlations(np.arange(len(depths)), depths)


def _interval(by_subject: np.ndarray, coverage: float) -> dict[str, float | None]:
    n = len(by_subject)
    if n < LEAST_SUBJECTS:
        return {"low": None, "high": None}
    reach = float(stdtrit(n - 1, (1 + coverage) / 2) * by_subject.std(ddof=1) / np.sqrt(n))
    return {"low": by_subject.mean() - reach, "high": by_subject.mean() + reach}
