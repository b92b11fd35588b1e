"""Representational dissimilarity matrices: 1 - Pearson, centred or not, and their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rulealign.errors import ConfigurationError, DataError
from rulealign.plan.settings.scores import ModelRdmSettings
from rulealign.reasons import MissingValue
from rulealign.rsa.rdm_file import dataset_names, require_size
from rulealign.settings import Settings
from rulealign.store import open_h5, read_ids, write_h5

CENTRING = {"uncentred": False, "centred": True}
"""Name of the centring -> whether each feature's mean over stimuli is subtracted."""

CORRELATION = "1 - Pearson"
"""In the words of an RDM: its distances have one scale for all subjects."""

SHARE = "mean_vector_share"
"""Prefix of the attributes `mean_vector_share:<layer>/<descriptor>` of a model's RDM file."""

# Below this fraction of a vector's length, what is left of it after subtraction is rounding.
_ROUNDING = 1e-12


def correlation_rdm(features: np.ndarray, *, centred: bool, ids: Sequence[str]) -> np.ndarray:
    """Compute 1 - Pearson's r between the feature vectors of every pair of stimuli.

    Uncentred and all-positive features (after a ReLU) correlate mostly through their mean vector;
    `mean_vector_share` says how much. With few features r is coarse: 2 features give only -1 or 1.

    Args:
        features: shape (n_stimuli, n_features), any float dtype; computed in float64.
        centred: whether the mean over stimuli is subtracted from each feature first.
        ids: the stimuli's ids, for errors.

    Returns:
        float64, shape (n_stimuli * (n_stimuli - 1) / 2,); from 0 to 2, pairs in the order of
        `numpy.triu_indices(n_stimuli, 1)`.

    Raises:
        DataError: a stimulus' vector is constant (so it has no Pearson correlation) or has a NaN
            or an infinity; names the stimulus. Also fewer than 2 features, or another number of
            ids.
    """
    standardised = _standardise(_checked(features, ids), centred, ids)
    similarity = standardised @ standardised.T
    return np.clip(1 - similarity[np.triu_indices(len(similarity), 1)], 0, 2)


def _checked(features: np.ndarray, ids: Sequence[str]) -> np.ndarray:
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or len(features) != len(ids):
        raise DataError(f"features of shape {features.shape} do not fit {len(ids)} stimulus ids.")
    if features.shape[1] < 2:
        raise DataError("a single feature has no Pearson correlation; read more than one.")
    faulty = ~np.isfinite(features).all(axis=1)
    if faulty.any():
        raise DataError(f"the features of stimulus '{ids[np.argmax(faulty)]}' hold NaN or infinity")
    return features


def _standardise(features: np.ndarray, centred: bool, ids: Sequence[str]) -> np.ndarray:
    # rows to mean 0 and length 1, so that dot products are Pearson correlations
    size = np.linalg.norm(features, axis=1)
    if centred:
        features = features - features.mean(axis=0)
    rows = features - features.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1)
    constant = length <= _ROUNDING * size
    if constant.any():
        after = " after centring" if centred else ""
        raise MissingValue(
            f"the features of stimulus '{ids[np.argmax(constant)]}' are all equal{after}: they have"
            " no Pearson correlation with another stimulus' features"
        )
    return rows / length[:, np.newaxis]


def mean_vector_share(features: np.ndarray, ids: Sequence[str] | None = None) -> float:
    """Say how much of the uncentred RDM's variance the mean feature vector explains.

    With a_i the Pearson correlation of stimulus i's vector with the mean vector over stimuli, two
    stimuli that had nothing in common but the direction of the mean would have the dissimilarity
    1 - a_i a_j. The share is the squared correlation, over pairs, of the RDM with that prediction
    (R^2 of a least-squares line). Near 1 the RDM only tells how typical each stimulus is; 0 where
    the mean vector is constant, as it then has no direction. Not the mean similarity of stimuli,
    to which rank correlations are blind.

    Args:
        features: shape (n_stimuli, n_features), any float dtype; at least 3 stimuli.
        ids: the stimuli's ids, for errors; by default their places.

    Returns:
        From 0 to 1.

    Raises:
        DataError: as in `correlation_rdm`, or all pairs are equally dissimilar.
    """
    ids = [str(place) for place in range(len(features))] if ids is None else ids
    features = _checked(features, ids)
    rows = _standardise(features, False, ids)
    mean = features.mean(axis=0)
    mean = mean - mean.mean()
    length = np.linalg.norm(mean)
    if length <= _ROUNDING * np.linalg.norm(features, axis=1).mean():
        return 0.0
    typical = rows @ (mean / length)
    upper = np.triu_indices(len(rows), 1)
    similarity, predicted = (rows @ rows.T)[upper], np.outer(typical, typical)[upper]
    if np.ptp(similarity) <= _ROUNDING:
        raise DataError("all pairs of stimuli are equally dissimilar: the RDM has no variance.")
    if np.ptp(predicted) <= _ROUNDING:
        return 0.0
    return float(np.corrcoef(similarity, predicted)[0, 1] ** 2)


def write_model_rdms(activations: Path, output: Path, settings: ModelRdmSettings) -> None:
    """Write the RDMs of every layer, descriptor and centring of one network.

    Args:
        activations: an activations file; datasets `<layer>/<descriptor>`, float (n_stimuli, p).
        output: the RDM file to make; datasets `<layer>/<descriptor>/<centring>`, float32
            (n_pairs,), and per layer and descriptor an attribute with its `mean_vector_share`.
        settings: of the model RDMs.

    Raises:
        DataError: a stimulus has no RDM row (see `correlation_rdm`); names the file and dataset.
        ConfigurationError: there is no such centring.
        StoreError: the activations cannot be read, or the disk is full.
    """
    unknown = set(settings.centring) - set(CENTRING)
    if unknown:
        raise ConfigurationError(f"centring: there is no {sorted(unknown)}; use {list(CENTRING)}")
    arrays, shares = {}, {}
    with open_h5(activations) as file:
        ids = read_ids(file, "stimulus")
        attributes = {key: file.attrs[key] for key in file.attrs if not key.startswith("settings")}
        attributes["activations_settings_hash"] = file.attrs["settings_hash"]
        for name in dataset_names(file, depth=2):
            try:
                rdms, shares[f"{SHARE}:{name}"] = _rdms(file[name][()], settings.centring, ids)
            except DataError as error:
                raise DataError(f"{activations}: {name}: {error}") from error
            arrays |= {f"{name}/{centring}": rdm for centring, rdm in rdms.items()}
    about = {"settings": settings.plain(), "attributes": attributes | shares}
    write_h5(output, arrays, ids={"stimulus": ids}, **about)


def _rdms(
    features: np.ndarray, centring: Sequence[str], ids: Sequence[str]
) -> tuple[dict[str, np.ndarray], float]:
    rdms = {
        name: correlation_rdm(features, centred=CENTRING[name], ids=ids).astype(np.float32)
        for name in centring
    }
    return rdms, mean_vector_share(features, ids)


def write_brain_rdm(
    ids: Sequence[str],
    rdm: np.ndarray,
    output: Path,
    *,
    settings: Settings,
    subject: int | str,
    roi: str,
    distance: str,
    acquisition: str,
    repetitions: float,
    kept_apart: bool = False,
    halves: np.ndarray | None = None,
    times: np.ndarray | None = None,
    over_time: np.ndarray | None = None,
) -> None:
    """Write the RDM of one subject's voxel patterns in one ROI.

    Args:
        ids: the stimuli's ids.
        rdm: float64, shape (n_pairs,), in the order of `numpy.triu_indices(n_stimuli, 1)`; may be
            negative where it is cross-validated.
        output: the RDM file to make; dataset `rdm`, float64 (n_pairs,).
        settings: that it was made with.
        subject: which subject.
        roi: which ROI.
        distance: the dissimilarity, in words.
        acquisition: scanner, task and averaging, in words.
        repetitions: trials per stimulus; their mean, where stimuli have different numbers.
        kept_apart: whether trials were compared one by one; then subjects may have different
            numbers of them. By default they were averaged.
        halves: shape (2, n_pairs); the RDMs of two halves of the trials, kept as `repeats`. By
            default none.
        times: shape (n_times,), in ms, where responses have any; kept likewise.
        over_time: shape (n_times, n_pairs); the RDM at each, whose mean `rdm` is.

    Raises:
        DataError: the RDM has another size or is not finite; names the file.
        StoreError: the disk is full.
    """
    what = f"{output}: subject {subject}, ROI {roi}"
    require_size(rdm, ids, what)
    if not np.isfinite(rdm).all():
        raise DataError(f"{what}: the RDM holds NaN or infinity.")
    attributes = {
        "subject": subject,
        "roi": roi,
        "distance": distance,
        "acquisition": acquisition,
        "repetitions": repetitions,
        **({"kept_apart": True} if kept_apart else {}),
    }
    arrays = {"rdm": rdm}
    if halves is not None:
        arrays["repeats"] = halves
        attributes["repeats_are"] = "2 halves of the trials"
    if over_time is not None:
        arrays |= {"over_time": over_time, "times": times}
    about = {"settings": settings.plain(), "attributes": attributes}
    write_h5(output, arrays, ids={"stimulus": ids}, **about)
