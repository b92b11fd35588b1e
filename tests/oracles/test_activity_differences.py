"""Rules whose errors are differences of activities: burst rates, and targets from inverses."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional

from rulealign.learning.error_hierarchy import ErrorHierarchy, error_hierarchy
from rulealign.learning.gradient import probe_gradient
from rulealign.learning.networks.resnet18 import ResNet18
from rulealign.learning.rules.target_propagation import TargetPropagation


def batch(count=12):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, 3, 16, 16, generator=generator), torch.arange(count) % 10


# --- burst ----------------------------------------------------------------------------------------


def test_what_is_sent_on_is_the_burst_probability_beyond_rest(make_rule):
    rule = make_rule("burst", gain=3.0)
    values = torch.randn(5, 16, requires_grad=True)
    error = torch.randn(5, 10) / 5
    rule.network.fc2(values).backward(error)
    for image in range(5):
        potential = 3.0 * 5 * error[image] @ rule.feedback["fc2"]
        probability = 1 / (1 + torch.exp(-potential))
        torch.testing.assert_close(values.grad[image] * 5, 4 * (probability - 0.5) / 3.0)


@pytest.mark.parametrize(("feedback", "same_as"), [("symmetric", "bp"), ("random", "fa")])
def test_with_a_small_gain_it_is_backpropagation_or_feedback_alignment(
    make_rule, feedback, same_as
):
    rule = make_rule("burst", label="same", gain=1e-3, feedback=feedback)
    expected = make_rule(same_as, label="same").probe(*batch()).update
    for name, update in rule.probe(*batch()).update.items():
        torch.testing.assert_close(update, expected[name], rtol=1e-4, atol=1e-7)


def test_with_a_large_gain_only_the_sign_of_the_error_is_left(make_rule):
    rule = make_rule("burst", gain=1e9, layers="conv")
    values = torch.randn(2, 6, 4, 4, requires_grad=True)
    error = torch.randn(2, 8, 4, 4)
    rule.network.conv3(values).backward(error)
    exact = functional.conv_transpose2d(error, rule.feedback["conv3"], padding=1)
    torch.testing.assert_close(values.grad, exact.sign() * 1e-9)  # 2 / (gain of 2 images)
    assert sorted(rule.feedback) == ["conv2", "conv3"]


# --- target propagation ---------------------------------------------------------------------------


def test_linear_inverses_of_transposed_weights_give_backpropagation():
    torch.manual_seed(0)
    weights = [torch.randn(4, 4).double().requires_grad_() for _ in range(3)]
    image, goal = torch.randn(2, 5, 4).double()
    step = 0.3

    def top(x):
        return step * (x - goal).pow(4).sum()

    hierarchy = ErrorHierarchy([lambda x, w=w: x @ w.T for w in weights], top, image)
    rule = SimpleNamespace(
        inverses={"second": weights[1].detach(), "third": weights[2].detach()},
        inverse=lambda name, above, below: above @ rule.inverses[name],
    )
    hierarchy.errors = TargetPropagation.ways_to_targets(rule, hierarchy)
    hierarchy.fill_gradients(weights, step * 5)
    x = image
    for weight in weights:
        x = x @ weight.T
    exact = torch.autograd.grad((x - goal).pow(4).sum() / 5, weights)
    for weight, gradient in zip(weights, exact, strict=True):
        torch.testing.assert_close(weight.grad, gradient)


def test_targets_and_updates_are_those_of_the_written_out_equations(make_rule):
    rule = make_rule("target_propagation", target_step=0.5)
    images, labels = batch()
    net, (g2, g3, g_hidden) = rule.network, rule.inverses.values()
    update = copy.deepcopy(rule).probe(images, labels).update
    x = [images, *copy.deepcopy(net).maps(images).values()]
    averaged = functional.adaptive_avg_pool2d(x[3], 4).flatten(1)
    hidden = net.fc1(averaged).relu().detach().requires_grad_()
    loss = functional.cross_entropy(net.fc2(hidden), labels, reduction="sum")
    target = hidden - 0.5 * torch.autograd.grad(loss, hidden)[0]

    def up(module, values):
        return functional.conv_transpose2d(values, module.weight, module.bias, 2, 1).relu()

    def from_hidden(values):
        squares = (values @ g_hidden.weight.T + g_hidden.bias).relu().reshape(12, 8, 4, 4)
        return squares[:, :, ::2, ::2]  # the map of 16 px has 2 x 2 positions

    targets = {3: x[3] + from_hidden(target) - from_hidden(hidden)}
    targets[2] = x[2] + up(g3, targets[3]) - up(g3, x[3])
    targets[1] = x[1] + up(g2, targets[2]) - up(g2, x[2])
    for place, block in enumerate(net.blocks(), 1):
        again = net.map_of(block, x[place - 1].detach())
        distance = (again - targets[place].detach()).square().sum() / (2 * 0.5 * 12)
        (wanted,) = torch.autograd.grad(distance, block.conv.weight)
        ours = update[f"{block.name}.weight"]
        assert (ours + wanted).norm() < 1e-3 * wanted.norm(), block.name
    distance = (net.fc1(averaged.detach()).relu() - target).square().sum() / (2 * 0.5 * 12)
    (wanted,) = torch.autograd.grad(distance, net.fc1.weight)
    torch.testing.assert_close(update["fc1.weight"], -wanted, rtol=1e-3, atol=1e-6)


def test_inverses_learn_to_give_back_and_updates_turn_towards_backpropagation(make_rule):
    how = {"learning_rate": 1e-9, "inverse_learning_rate": 0.01}
    rule, fresh = (make_rule("target_propagation", **how) for _ in range(2))
    images, labels = batch(30)
    torch.manual_seed(2)
    logged = [rule.step(images, labels) for _ in range(150)]
    for name in rule.inverses:
        assert logged[-1][f"inverse_{name}"] < 0.8 * logged[0][f"inverse_{name}"], name
    before, after = (cosines_to_backpropagation(one, images, labels) for one in (fresh, rule))
    assert np.mean(list(after.values())) > np.mean(list(before.values())) + 0.05
    assert all(cosine > 0 for cosine in after.values())


def cosines_to_backpropagation(rule, images, labels):
    exact = probe_gradient(copy.deepcopy(rule.network), images, labels).update
    ours = rule.probe(images, labels).update
    torch.testing.assert_close(ours["fc2.weight"], exact["fc2.weight"], rtol=1e-3, atol=1e-6)
    return {
        name: functional.cosine_similarity(ours[name].ravel(), exact[name].ravel(), 0).item()
        for name in ("conv1.weight", "conv2.weight", "conv3.weight")
    }


def test_inverses_see_no_more_statistics_than_one_forward_pass_and_are_kept(make_rule):
    rule, again = (make_rule("target_propagation") for _ in range(2))
    twin = copy.deepcopy(rule.network)
    rule.step(*batch())
    twin(batch()[0])
    for name, expected in twin.named_buffers():
        torch.testing.assert_close(rule.network.get_buffer(name), expected, msg=name)
    again.network.load_state_dict(rule.network.state_dict())
    again.load_state_dict(copy.deepcopy(rule.state_dict()))
    for which in (rule, again):
        torch.manual_seed(5)
        which.step(*batch())
    for name, weight in rule.inverses.named_parameters():
        assert torch.equal(weight, again.inverses.get_parameter(name)), name


def test_hierarchies_of_networks_begin_at_the_forward_pass(make_rule):
    net = make_rule("bp").network
    hierarchy = error_hierarchy(net, *batch(), 2.0)
    expected = 2 * functional.cross_entropy(net(batch()[0]), batch()[1], reduction="sum")
    torch.testing.assert_close(hierarchy.output, expected)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("burst", "gain", 0),
        ("burst", "feedback", "learned"),
        ("target_propagation", "target_step", -1),
        ("target_propagation", "noise", -0.1),
    ],
)
def test_impossible_settings_are_refused(make_rule, kind, key, value):
    with pytest.raises(ValueError, match=key):
        make_rule(kind, **{key: value})
    if kind == "target_propagation":
        other = ResNet18(kind="resnet18", width=1 / 8)
        assert "chain of conv blocks" in TargetPropagation.cannot_teach(other)
