"""Soft Hebbian learning: its change by plain loops, and what competition finds in planted data."""

import copy

import numpy as np
import pytest
import torch

from made_rule import made_rule
from rulealign.errors import GuardError
from rulealign.learning.networks.triangle3 import Triangle3
from rulealign.learning.rules.softhebb import softhebb_change
from rulealign.learning.triangle import triangle
from rulealign.learning.weights import initial_network

NETWORK = Triangle3(kind="triangle3", channels=[5, 6, 7])


def make_rule(**changes):
    return made_rule({"kind": "softhebb", **changes}, NETWORK)


def some_images(count=12):
    return torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def test_a_change_is_that_of_a_plain_loop_over_patches():
    torch.manual_seed(0)
    conv = torch.nn.Conv2d(2, 4, 3, padding=1, padding_mode="reflect", bias=False)
    seen = torch.randn(3, 2, 5, 5)
    change, winners = softhebb_change(conv, seen, 0.8)
    weight = conv.weight.detach().numpy().reshape(4, -1)
    padded = np.pad(seen.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
    expected, won = np.zeros_like(weight), set()
    for image in padded:
        for row in range(5):
            for column in range(5):
                x = image[:, row : row + 3, column : column + 3].ravel()
                u = weight @ x
                y = np.exp(0.8 * u) / np.exp(0.8 * u).sum()
                for k in range(4):
                    sign = 1 if k == u.argmax() else -1
                    expected[k] += sign * y[k] * (x - u[k] * weight[k])
                won.add(int(u.argmax()))
    expected /= np.abs(expected).max()
    np.testing.assert_allclose(change.numpy().reshape(4, -1), expected, atol=1e-5)
    assert set(winners.tolist()) == won


def test_filters_that_begin_long_find_all_planted_directions_and_come_to_length_1():
    torch.manual_seed(0)
    planted = torch.linalg.qr(torch.randn(27, 4))[0].T
    conv = torch.nn.Conv2d(3, 8, 3, bias=False)
    with torch.no_grad():
        conv.weight.mul_(3 / conv.weight.flatten(1).norm(dim=1)[:, None, None, None])
    for _ in range(500):
        shown = planted[torch.arange(20) % 4] * 4 + 0.3 * torch.randn(20, 27)
        change, _ = softhebb_change(conv, shown.view(20, 3, 3, 3), 1.0)
        with torch.no_grad():
            lengths = conv.weight.flatten(1).norm(dim=1)
            conv.weight += 0.03 * (lengths - 1).abs().sqrt()[:, None, None, None] * change
    found = conv.weight.detach().flatten(1)
    nearest = (found / found.norm(dim=1, keepdim=True) @ planted.T).max(0)
    assert (nearest.values > 0.99).all()
    assert len(nearest.indices.unique()) == 4
    assert (found.norm(dim=1)[nearest.indices] - 1).abs().max() < 0.05


def test_a_step_takes_the_changes_in_turn_at_the_rate_of_each_filter_and_epoch():
    rule = make_rule(images_per_change=5, learning_rate=[0.08, 0.005, 0.01])
    rule.start_epoch(2)
    twin = copy.deepcopy(rule.network)
    _, logged = rule.learn_features(some_images())
    share, below = 0.5 * (1 + np.cos(np.pi * 2 / 6)), some_images()
    for place, block in enumerate(twin.blocks()):
        weight = block.conv.weight
        with torch.no_grad():
            seen, mapped = block.norm(below), None
            twin.eval()  # batch statistics are in `seen`; the map follows from it alone
            mapped = twin.map_of(block._replace(norm=torch.nn.Identity()), seen)
            twin.train()
        for part in (seen[:5], seen[5:10], seen[10:]):
            change, _ = softhebb_change(block.conv, part, rule.settings.sharpness[place])
            with torch.no_grad():
                for k in range(len(weight)):
                    length = float(weight[k].norm())
                    rate = rule.settings.learning_rate[place] * share * abs(length - 1) ** 0.5
                    weight[k] += rate * change[k]
        taught = rule.network.get_parameter(f"{block.name}.weight")
        torch.testing.assert_close(taught, weight, rtol=1e-4, atol=1e-5)
        lengths = weight.detach().flatten(1).norm(dim=1)
        assert logged[f"length_{block.name}"] == pytest.approx(lengths.mean().item(), rel=1e-4)
        below = mapped


def test_filters_learn_for_their_epochs_and_the_readout_goes_on():
    rule, labels = make_rule(learning_epochs=2), torch.arange(12) % 10
    for epoch, learns in ((0, True), (1, True), (2, False), (5, False)):
        rule.start_epoch(epoch)
        before = copy.deepcopy(rule.network.state_dict())
        logged = rule.step(some_images(), labels)
        changed = {
            name for name, value in rule.network.named_parameters() if (value != before[name]).any()
        }
        assert ({"conv1.weight", "conv2.weight", "conv3.weight"} <= changed) == learns
        assert {"fc.weight", "fc.bias"} <= changed
        assert ("winners_conv3" in logged) == learns
        assert learns or changed == {"fc.weight", "fc.bias"}


def test_no_label_reaches_the_filters():
    taught = []
    for labels in (torch.arange(12) % 10, torch.zeros(12, dtype=torch.int64)):
        rule = make_rule()
        rule.step(some_images(), labels)
        taught.append([conv.weight for _, conv, _ in rule.network.blocks()])
    assert all(map(torch.equal, *taught))


def test_the_networks_filters_begin_with_the_length_of_its_setting():
    network = Triangle3(kind="triangle3", channels=[64, 64, 64], initial_range=7)
    for _, conv, norm in initial_network(network, 7, 3, classes=10).blocks():
        assert conv.weight.flatten(1).norm(dim=1).mean().item() == pytest.approx(7, rel=0.05)
        assert norm.weight is None


def test_the_triangle_is_what_exceeds_the_mean_channel_and_its_gradient_is_finite():
    responses = torch.tensor([3.0, 1.0, -1.0]).view(1, 3, 1, 1).requires_grad_()
    values = triangle(responses, 0.7)
    assert values.flatten().tolist() == pytest.approx([2**0.7, 0, 0])
    values.sum().backward()
    assert responses.grad.isfinite().all()
    above = 0.7 * 2**-0.3
    expected = [above * 2 / 3, -above / 3, -above / 3]  # the mean moves, too
    assert responses.grad.flatten().tolist() == pytest.approx(expected)


def test_too_large_a_rate_and_impossible_settings_are_refused():
    rule = make_rule(learning_rate=[1e38, 0.005, 0.01], images_per_change=1)
    with pytest.raises(GuardError, match=r"layer 'conv1': the weights are not finite; .*lower the"):
        rule.learn_features(some_images())
    for key, value in {"learning_rate": [0.0], "sharpness": [-1.0], "images_per_change": 0}.items():
        with pytest.raises(ValueError, match=key):
            make_rule(**{key: value})
