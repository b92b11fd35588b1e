"""Oja's subspace rule: by outer products, and the principal subspace of known covariances."""

import copy
import re

import numpy as np
import pytest
import torch
from torch.nn import functional

from made_rule import made_rule
from rule_settings import NETWORK
from rulealign.errors import GuardError
from rulealign.learning.patches import draw_patches
from rulealign.learning.rules.oja import oja_change, standardised

SETTINGS = {
    "kind": "oja",
    "init": "default",
    "learning_rate": 0.5,
    "patches_per_image": 5,
    "readout_learning_rate": 0.01,
    "readout_weight_decay": 0.0,
    "schedule": "cosine",
}


def make_rule(**changes):
    return made_rule(SETTINGS | changes, NETWORK)


def some_batch():
    images = torch.randn(12, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    return images + 1, torch.arange(12) % 10


def test_a_change_is_the_mean_of_the_outer_products():
    rng = np.random.default_rng(0)
    weight, patches = rng.normal(size=(3, 5)), rng.normal(size=(7, 5))
    expected, left_over = np.zeros((3, 5)), 0.0
    for x in patches:
        y = weight @ x
        expected += (np.outer(y, x) - np.outer(y, y) @ weight) / 7
        left_over += np.square(x - weight.T @ y).sum() / 7
    change, residual = oja_change(torch.from_numpy(weight), torch.from_numpy(patches))
    np.testing.assert_allclose(change, expected, rtol=1e-12)
    assert residual == pytest.approx(left_over)


def gaussian(variances):
    """Vectors of a known covariance: its eigenvectors are random, its eigenvalues are given."""
    rng = np.random.default_rng(0)
    axes, _ = np.linalg.qr(rng.normal(size=(len(variances),) * 2))
    covariance = axes @ np.diag(variances) @ axes.T
    draws = rng.multivariate_normal(np.full(len(variances), 3.0), covariance, 20_000)
    return standardised(torch.from_numpy(draws)), covariance


def learn(patches, filters, steps=600, rate=0.5):
    weight = torch.randn(filters, patches.shape[1], generator=torch.Generator().manual_seed(0))
    weight = weight.double() / 4
    residuals = []
    for step in range(steps):
        batch = patches[step * 200 % len(patches) :][:200]
        change, residual = oja_change(weight, batch)
        weight = weight + rate * (1 - step / steps) * change
        residuals.append(residual)
    return weight.numpy(), residuals


def test_filters_become_an_orthonormal_basis_of_the_principal_subspace():
    patches, covariance = gaussian([8, 6, 5, 0.8, 0.5, 0.3, 0.2, 0.1])
    weight, residuals = learn(patches, filters=3)
    _, vectors = np.linalg.eigh(covariance)
    # cosines of the principal angles between the two subspaces
    cosines = np.linalg.svd(np.linalg.qr(weight.T)[0].T @ vectors[:, -3:], compute_uv=False)
    assert np.degrees(np.arccos(cosines.min().clip(max=1))) < 3
    np.testing.assert_allclose(weight @ weight.T, np.eye(3), atol=0.01)
    # W^T W is the identity on the subspace, and nothing beside it
    projector = vectors[:, -3:] @ vectors[:, -3:].T
    np.testing.assert_allclose(weight.T @ weight, projector, atol=0.08)
    # what is left is the variance of the five minor axes
    assert np.mean(residuals[-50:]) == pytest.approx(1.9 / 20.9, rel=0.1)


def test_more_filters_than_inputs_keep_the_whole_patch():
    patches, _ = gaussian([4, 3, 2, 1])
    weight, residuals = learn(patches, filters=6)
    np.testing.assert_allclose(weight.T @ weight, np.eye(4), atol=0.01)
    assert residuals[-1] < 1e-3
    # six rows in four dimensions are not orthonormal
    assert np.abs(weight @ weight.T - np.eye(6)).max() > 0.1


def test_patches_are_what_the_convolution_sees_at_places_of_their_own_map():
    torch.manual_seed(0)
    values, weight = torch.randn(3, 2, 6, 7).double(), torch.randn(4, 2, 3, 3).double()
    patches = draw_patches(values, 3, 200)
    assert patches.shape == (600, 18)
    mapped = functional.conv2d(values, weight).permute(0, 2, 3, 1).reshape(3, 20, 4)
    responses = (patches @ weight.flatten(1).T).reshape(3, 200, 4)
    apart = torch.cdist(responses, mapped)
    assert apart.min(2).values.max() < 1e-6
    # every one of the 4 x 5 places of every map is drawn
    assert all(len(places.unique()) == 20 for places in apart.argmin(2))


def test_patches_are_centred_on_their_mean_and_of_mean_squared_length_one():
    patches = np.array([[1.0, 5.0], [3.0, 5.0], [2.0, 8.0]])
    # about the mean (2, 6): (-1, -1), (1, -1), (0, 2), of mean squared length 8 / 3
    expected = np.array([[-1.0, -1.0], [1.0, -1.0], [0.0, 2.0]]) / (8 / 3) ** 0.5
    np.testing.assert_allclose(standardised(torch.from_numpy(patches)), expected)


def test_a_step_changes_each_conv_layer_by_the_patches_of_its_own_input():
    rule = make_rule()
    rule.start_epoch(3)  # half of the cosine over 6 epochs: half of the rate
    before = copy.deepcopy(rule.network)
    images, labels = some_batch()
    torch.manual_seed(4)
    logged = rule.step(images, labels)
    torch.manual_seed(4)
    with torch.no_grad():
        maps = before.maps(images)
    for name, seen in (("conv1", images), ("conv2", maps["conv1"]), ("conv3", maps["conv2"])):
        weight = before.get_submodule(name).weight.detach()
        patches = standardised(draw_patches(seen, 3, 5))
        change, residual = oja_change(weight.flatten(1), patches)
        expected = weight + 0.25 * change.view_as(weight)
        torch.testing.assert_close(rule.network.get_submodule(name).weight.detach(), expected)
        assert logged[f"residual_{name}"] == pytest.approx(residual, rel=1e-5)
    for name, statistics in before.named_buffers():
        assert torch.equal(rule.network.get_buffer(name), statistics), name


def test_labels_and_readout_do_not_reach_the_conv_layers():
    images, labels = some_batch()
    rules = [make_rule(), make_rule(readout_learning_rate=0.1)]
    for rule, given in zip(rules, (labels, labels.flip(0)), strict=True):
        torch.manual_seed(4)
        rule.step(images, given)
    one, other = (dict(rule.network.named_parameters()) for rule in rules)
    for name in ("conv1", "conv2", "conv3", "norm1", "norm2", "norm3"):
        assert torch.equal(one[f"{name}.weight"], other[f"{name}.weight"]), name
    assert not torch.equal(one["fc1.weight"], other["fc1.weight"])
    assert not torch.equal(one["conv1.weight"], make_rule().network.conv1.weight)


def test_too_large_a_rate_stops_the_training_and_is_named():
    rule = make_rule(learning_rate=1e3)

    def train():
        for _ in range(20):
            rule.step(*some_batch())

    with pytest.raises(GuardError, match=r"rule 'oja', seed 3, epoch 1: layer 'conv\d': .*1000"):
        train()


def test_the_guide_shows_the_code_as_it_is(project):
    guide = (project / "docs" / "adding-a-rule.md").read_text()
    shown = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    code = (project / "src" / "rulealign" / "learning" / "rules" / "oja.py").read_text()
    assert len(shown) == 4
    for block in shown:
        assert block in code
