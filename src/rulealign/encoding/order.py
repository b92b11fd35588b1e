"""In which order layers predict the ROIs of a hierarchy: `statistics/encoding_order.csv`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from rulealign.encoding.features import FEATURE_KEYS
from rulealign.encoding.roi_gram import RoiGram, read_roi_gram
from rulealign.encoding.seven_parts import GRADIENT
from rulealign.errors import DataError
from rulealign.plan.settings.encoding import OrderSettings
from rulealign.rsa.layer_order import LEAST_PLACES, layer_orders, rank_correlations
from rulealign.rsa.layer_table import NO_SPACE
from rulealign.rsa.seeds import LEAST_SEEDS as LEAST_SUBJECTS
from rulealign.store import open_h5, read_ids, require_same_ids, write_csv

RANK_CORRELATION, DIFFERENCE = "rank_correlation", "depth_difference"

LESS = " - "
"""Between two kinds of features, in the column `features`: the order of one less the other's."""

_NETWORK = [key for key in FEATURE_KEYS if key not in ("seed", "layer", "descriptor", "features")]


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

    Of two kinds of features a further row has the difference, subject by subject. Its null permutes
    the layers of both alike, so that what both choose stays what both choose: permuted each by
    itself, kinds that agree would be held against others that do not, and p would be too high;
    kinds that disagree, too low.

    Args:
        errors: per rule the files of errors, one per ROI of the hierarchy, in its order.
        grams: the files of Gram matrices of these ROIs, in the same order.
        settings: depths of layers, the hierarchy, and the interval.
        output: the CSV to make: a row per network without its seed, features (or two kinds with
            `LESS` between them, not two gradients) and descriptor among whose layers is chosen:
            `statistic`, `n_rois`, `n_subjects`, `value` with its t interval over subjects, `p`
            (share of permuted layers with as large a value, two-sided), and a column `depth:<roi>`
            each.

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
    for key, places in index.groupby(_NETWORK, sort=True).groups.items():
        named, own = dict(zip(_NETWORK, key, strict=True)), index.loc[places]
        depths, kinds = settings.depths[named["network"]], dict(list(own.groupby("features")))
        for features, of_kinds in _listed(kinds).items():
            for among in _among(of_kinds):
                chosen = [one[one["descriptor"].isin([among, NO_SPACE])] for one in of_kinds]
                about = named | {"features": features, "among": among}
                yield about | _order(found, chosen, depths, settings)


def _listed(kinds: Mapping[str, pd.DataFrame]) -> dict[str, list[pd.DataFrame]]:
    # every kind by itself, then the differences: teaching signals less gradients less activations
    pairs = {
        f"{later}{LESS}{first}": [kinds[later], kinds[first]]
        for first, later in combinations(sorted(kinds), 2)
        if not (first.startswith(GRADIENT) and later.startswith(GRADIENT))
    }
    return {name: [rows] for name, rows in sorted(kinds.items())} | pairs


def _among(kinds: Sequence[pd.DataFrame]) -> list[str]:
    shared = set.intersection(*(set(rows["descriptor"]) for rows in kinds))
    return sorted(shared - {NO_SPACE}) or [NO_SPACE]


def _order(
    found: Sequence[RoiErrors],
    kinds: Sequence[pd.DataFrame],
    known: Mapping[str, float],
    settings: OrderSettings,
) -> dict[str, Any]:
    # of one kind of features, or of the first of two less the second
    layers = list(dict.fromkeys(layer for rows in kinds for layer in rows["layer"]))
    depths = np.array([known[layer] for layer in layers])
    taken = [np.stack([_shares(one, rows, layers) for one in found]) for rows in kinds]
    by_subject = _less([_statistic(shares @ depths) for shares in taken])
    value = by_subject.mean()
    null = [
        _less([_statistic(shares @ depths[list(order)]) for shares in taken]).mean()
        for order in layer_orders(len(layers), settings.study_seed)
    ]
    extreme = np.abs(null) >= abs(value) - 1e-12
    name = RANK_CORRELATION if len(settings.hierarchy) >= LEAST_PLACES else DIFFERENCE
    counts = {"statistic": name, "n_rois": len(settings.hierarchy), "n_subjects": len(by_subject)}
    shown = _less([(shares @ depths).mean(axis=1) for shares in taken])
    return {
        **counts,
        "value": value,
        **_interval(by_subject, settings.interval),
        "p": float(np.mean(extreme)),
        **{f"depth:{roi}": of for roi, of in zip(settings.hierarchy, shown, strict=True)},
    }


def _less(of_kinds: Sequence[np.ndarray]) -> np.ndarray:
    first, *others = of_kinds
    return first - sum(others)


def _shares(errors: RoiErrors, rows: pd.DataFrame, layers: Sequence[str]) -> np.ndarray:
    # of folds and seeds, those that chose a layer: shape (subjects, layers)
    chosen = [
        np.array([layers.index(layer) for layer in own["layer"]])[errors.choices(own.index)]
        for _, own in rows.groupby("seed")
    ]
    return (np.concatenate(chosen)[..., np.newaxis] == np.arange(len(layers))).mean(axis=0)


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
