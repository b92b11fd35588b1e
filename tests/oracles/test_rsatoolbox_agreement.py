"""Comparisons and noise ceilings of the 92 images against rsatoolbox, and random RDMs too."""

from itertools import combinations

import numpy as np
import pytest
from rsatoolbox.inference import boot_noise_ceiling
from rsatoolbox.rdm import RDMs, compare
from scipy.spatial.distance import squareform

from rulealign.rsa.ceiling import nili_bounds, raw_bounds
from rulealign.rsa.comparisons import comparison_class

THEIRS = {
    "spearman": "spearman",
    "kendall_tau_a": "tau-a",
    "pearson": "corr",
    "cosine": "cosine",
    "whitened_cosine": "cosine_cov",
    "whitened_pearson": "corr_cov",
}
ROIS = pytest.mark.parametrize("roi", ["EVC", "IT"])
TOLERANCE = 2e-6  # dissimilarities within 1.2e-7 of the largest are tied here, not there


def people(mirror, roi):
    squares = np.load(mirror / "cichy92" / f"fmri_{roi}_RDMs.npz")["Net_RDM"]
    return np.stack([squareform(square, checks=False) for square in squares])


def at_random(rng, n_rdms, n_pairs):
    """Draw dissimilarities of chance, far enough apart that none counts as tied here."""
    orders = [rng.permutation(n_pairs) for _ in range(n_rdms)]
    return (np.stack(orders) + 0.5 * rng.random((n_rdms, n_pairs))) / n_pairs


def candidates(n_stimuli):
    """Make model RDMs of every sort: of features, of categories (many ties), and of chance."""
    rng = np.random.default_rng(0)
    pairs = list(combinations(range(n_stimuli), 2))
    place = np.arange(n_stimuli)  # whole numbers: rsatoolbox would rank what fractions round
    return np.stack(
        [
            [abs(place[i] - place[j]) for i, j in pairs],
            [float((i < n_stimuli // 2) != (j < n_stimuli // 2)) for i, j in pairs],
            at_random(rng, 1, len(pairs))[0],
            rng.random(len(pairs)).round(1),
        ]
    )


def theirs(name, models, brains):
    return compare(RDMs(models), RDMs(brains), method=THEIRS[name])


@pytest.mark.parametrize("n_stimuli", [5, 8, 101])
@pytest.mark.parametrize("name", sorted(THEIRS))
def test_random_rdms(name, n_stimuli):
    rng = np.random.default_rng(n_stimuli)
    models = candidates(n_stimuli)
    brains = at_random(rng, 3, models.shape[1]) - 0.2
    found = comparison_class(name).scores(models, brains)
    np.testing.assert_allclose(found, theirs(name, models, brains), atol=1e-11)


@pytest.mark.parametrize("name", sorted(THEIRS))
def test_some_pairs_of_random_rdms(name):
    models = candidates(12)
    rng = np.random.default_rng(1)
    brains, mask = at_random(rng, 3, 66), rng.random(66) < 0.7
    # rsatoolbox leaves out what is missing in all RDMs
    left = [np.where(mask, rdms, np.nan) for rdms in (models, brains)]
    found = comparison_class(name).scores(models, brains, mask)
    np.testing.assert_allclose(found, theirs(name, *left), atol=1e-11)


@pytest.mark.mirror
@ROIS
@pytest.mark.parametrize("name", sorted(THEIRS))
def test_people_and_models_of_the_92_images(mirror, roi, name):
    brains = people(mirror, roi)
    models = np.vstack([candidates(92), brains])
    found = comparison_class(name).scores(models, brains)
    assert found.shape == (19, 15)
    np.testing.assert_allclose(found, theirs(name, models, brains), atol=TOLERANCE)


@pytest.mark.mirror
@ROIS
def test_raw_ceilings_of_the_92_images_from_rsatoolboxs_comparisons(mirror, roi):
    # leave one out and leave none out, of the dissimilarities; rsatoolbox correlates
    brains = people(mirror, roi)
    lower = [
        theirs("spearman", brains[[one]], np.delete(brains, one, axis=0).mean(axis=0)[np.newaxis])
        for one in range(15)
    ]
    upper = theirs("spearman", brains, brains.mean(axis=0)[np.newaxis])
    wanted = [np.mean(lower), np.mean(upper)]
    assert raw_bounds(brains, scaled=False) == pytest.approx(wanted, abs=TOLERANCE)


@pytest.mark.mirror
@ROIS
def test_ceilings_of_the_92_images_from_rsatoolboxs_own_function(mirror, roi):
    brains = people(mirror, roi)
    lower, upper = boot_noise_ceiling(RDMs(brains), method="spearman")
    assert nili_bounds(brains)[:2] == pytest.approx([float(lower), float(upper)], abs=TOLERANCE)
