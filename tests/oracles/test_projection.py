"""Sparse random projections keep distances within the bound that they state."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from rulealign.activations import describe
from rulealign.learning.projection import projected
from rulealign.rsa.rdm import correlation_rdm


def maps(n=24, channels=16, side=28):
    """Make maps as layers have them: smooth, and 0 where a unit is silent."""
    noise = torch.randn(n, channels, side, side, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.avg_pool2d(noise, 3, stride=1, padding=1).relu()


@pytest.mark.parametrize("dimensions", [200, 1000, 4000])
def test_squared_distances_are_off_by_no_more_than_is_stated(dimensions):
    values = maps()
    whole = values.flatten(1).numpy().astype(np.float64)
    found = describe(values, f"full-projected-{dimensions}").numpy()
    assert found.shape == (24, dimensions)
    error = pdist(found, "sqeuclidean") / pdist(whole, "sqeuclidean") - 1
    difference = whole[:1] - whole[1:]
    difference -= difference.mean(axis=1, keepdims=True)
    d = whole.shape[1]
    kurtosis = (d * (difference**4).sum(axis=1) / (difference**2).sum(axis=1) ** 2).mean()
    bound = np.sqrt((2 + (kurtosis - 3) / np.sqrt(d)) / dimensions)
    assert 0.7 * bound < error.std() < 1.3 * bound
    assert np.abs(error).max() < 5 * bound
    # all pairs share the stimuli, and so their mean is off by nearly as much as one of them
    assert abs(error.mean()) < 3 * bound


def test_rdms_of_a_projection_are_those_of_the_map():
    values = maps()
    ids = [str(place) for place in range(len(values))]
    rdms = [
        correlation_rdm(of.numpy().astype(np.float64), centred=False, ids=ids)
        for of in (values.flatten(1), describe(values, "full-projected-4000"))
    ]
    np.testing.assert_allclose(rdms[1], rdms[0], atol=5 * np.sqrt(2 / 4000))
    assert not np.array_equal(*rdms)


def test_a_projection_is_a_matrix_product_and_shared_by_all_images():
    d, dimensions = 900, 50
    matrix = projected(torch.eye(d), dimensions)
    values = torch.randn(7, d, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(projected(values, dimensions), values @ matrix)
    torch.testing.assert_close(projected(values[2:3], dimensions), (values @ matrix)[2:3])


def test_the_mean_over_a_map_is_kept_exactly():
    values = maps() + torch.arange(24)[:, None, None, None]
    whole, found = values.flatten(1), projected(values.flatten(1), 400)
    ratio = (whole.shape[1] / 400) ** 0.5
    torch.testing.assert_close(found.mean(dim=1), whole.mean(dim=1) * ratio)


def test_a_map_of_fewer_features_stays_as_it_is():
    values = maps(side=4)
    torch.testing.assert_close(describe(values, "full-projected-1000"), values.flatten(1))


def test_pieces_of_a_projection_are_those_of_the_whole(monkeypatch):
    values = maps().flatten(1)
    whole = projected(values, 300)
    monkeypatch.setattr("rulealign.learning.projection._AT_A_TIME", 10_000)
    torch.testing.assert_close(projected(values, 300), whole, rtol=0, atol=0)
