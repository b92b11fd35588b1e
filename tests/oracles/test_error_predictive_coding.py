"""Error-based predictive coding: its limit, a closed form, and small errors without rounding."""

import copy
import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from made_rule import made_rule
from rule_settings import NETWORK, of_section
from rulealign.errors import ConfigurationError, GuardError
from rulealign.learning.error_hierarchy import ErrorHierarchy, error_hierarchy
from rulealign.learning.gradient import probe_gradient
from rulealign.learning.networks.resnet18 import ResNet18
from rulealign.learning.networks.vgg5 import Vgg5
from rulealign.learning.rules.pc_error import ErrorPredictiveCoding

SETTINGS = {
    "kind": "pc_error",
    "optimizer": "sgd",
    "learning_rate": 0.1,
    "weight_decay": 0.0,
    "schedule": "constant",
    "clip_norm": 1e6,
}
SMALL = of_section(NETWORK, dropout=0.0)


def make_rule(dtype=torch.float64, network=SMALL, **changes):
    return made_rule(SETTINGS | changes, network, label="pc", dtype=dtype)


def some_batch(dtype=torch.float64):
    images = torch.randn(12, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    return images.to(dtype), torch.arange(12) % 10


def relative(ours, theirs):
    return float((ours - theirs).norm() / theirs.norm())


def linear_hierarchy(precision=2.5):
    rng = np.random.default_rng(0)
    sizes = (5, 4, 6, 3)
    weights = [rng.normal(0, 0.6, size) for size in zip(sizes[1:], sizes[:-1], strict=True)]
    read_out, target = rng.normal(0, 0.6, (2, 3)), rng.normal(size=(7, 2))
    image = rng.normal(size=(7, 5))

    def top(x):
        missed = x @ torch.from_numpy(read_out).T - torch.from_numpy(target)
        return precision * missed.square().sum() / 2

    blocks = [lambda x, w=weight: x @ torch.from_numpy(w).T for weight in weights]
    hierarchy = ErrorHierarchy(blocks, top, torch.from_numpy(image))
    return hierarchy, (weights, read_out, target, image)


def test_settled_errors_of_a_linear_network_have_the_energy_of_the_closed_form():
    hierarchy, (weights, read_out, target, image) = linear_hierarchy()
    course = hierarchy.settle(3000, 0.03)
    # the output's sensitivity to e_l, and r, what the feed-forward sweep misses
    paths = [read_out @ weights[2] @ weights[1], read_out @ weights[2], read_out]
    missed = target - image @ (paths[0] @ weights[0]).T
    spread = np.eye(2) / 2.5 + sum(path @ path.T for path in paths)
    solved = np.linalg.solve(spread, missed.T).T
    assert course[-1] == pytest.approx(np.sum(missed * solved) / 2, rel=1e-9)
    assert course[0] == pytest.approx(2.5 * np.square(missed).sum() / 2)
    for error, path in zip(hierarchy.errors, paths, strict=True):
        np.testing.assert_allclose(error.numpy(), solved @ path, atol=1e-9)


def test_an_inference_step_follows_autograd_of_the_written_out_energy():
    torch.manual_seed(0)
    weights = [torch.randn(4, 4, dtype=torch.float64) for _ in range(3)]
    goal, image = torch.randn(2, 5, 4, dtype=torch.float64)
    blocks = [lambda x, w=weight: torch.tanh(x @ w.T) for weight in weights]
    hierarchy = ErrorHierarchy(blocks, lambda x: (x - goal).pow(4).sum(), image)
    errors = [torch.zeros(5, 4, dtype=torch.float64) for _ in weights]
    course = hierarchy.settle(3, 0.003)  # so small that no step is halved
    for _ in range(3):
        leaves, x = [e.clone().requires_grad_() for e in errors], image
        for weight, e in zip(weights, leaves, strict=True):
            x = torch.tanh(x @ weight.T) + e
        energy = sum(e.square().sum() / 2 for e in leaves) + (x - goal).pow(4).sum()
        slopes = torch.autograd.grad(energy, leaves)
        errors = [e - 0.003 * slope for e, slope in zip(errors, slopes, strict=True)]
    for ours, expected in zip(hierarchy.errors, errors, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-12)
    assert hierarchy.reached == pytest.approx(1 - 0.997**3)
    assert course[0] > course[1] > course[2] > course[3]


@pytest.mark.parametrize("nudging", ["positive", "centred"])
def test_one_step_divided_by_its_rate_is_backpropagation(nudging):
    batch = some_batch()
    exact = probe_gradient(make_rule().network, *batch)
    for epoch in (0, 1):
        how = {"inference_steps": 1, "inference_rate": 1e-10, "nudging": nudging}
        rule = make_rule(output_precision=0.7, **how)
        rule.start_epoch(epoch)
        assert rule.label_weight() == (-0.7 if nudging == "centred" and epoch else 0.7)
        ours = rule.probe(*batch)
        assert set(ours.update) == set(exact.update)
        assert set(ours.errors) == set(exact.errors)
        for name, update in ours.update.items():
            assert relative(update, exact.update[name]) < 1e-8, name
        for name, error in ours.errors.items():
            assert relative(error, exact.errors[name]) < 1e-8, name


def test_weights_follow_the_energys_derivative_with_the_states_held():
    batch = some_batch()
    rule = make_rule(inference_steps=4, inference_rate=0.2, output_precision=0.7)
    update = copy.deepcopy(rule).probe(*batch).update
    hierarchy = error_hierarchy(rule.network, *batch, 0.7)
    hierarchy.settle(4, 0.2)
    net, labels, states = rule.network, batch[1], hierarchy.states
    hidden_energy = 0.0
    for place, (_, conv, norm) in enumerate(net.blocks()):
        mapped = functional.conv2d(states[place].detach(), conv.weight, padding=1)
        scaled = functional.batch_norm(mapped, None, None, norm.weight, norm.bias, training=True)
        predicted = functional.max_pool2d(scaled, 2).relu()
        hidden_energy += (states[place + 1].detach() - predicted).square().sum() / 2
    hidden = net.fc1(states[3].detach().flatten(1)).relu()
    hidden_energy += (states[4].detach() - hidden).square().sum() / 2
    surprise = functional.cross_entropy(net.fc2(states[4].detach()), labels, reduction="sum")
    weights = dict(net.named_parameters())
    loss = hidden_energy / (1 - 0.8**4) + 0.7 * surprise
    expected = torch.autograd.grad(loss, list(weights.values()))
    for name, gradient in zip(weights, expected, strict=True):
        assert relative(update[name], -gradient / (0.7 * 12)) < 1e-8, name


@pytest.mark.parametrize("precision", [1.0, 1e-5])
def test_float32_learns_what_float64_does_however_small_the_errors(precision):
    how = {"output_precision": precision, "inference_steps": 3, "inference_rate": 0.1}
    exact = make_rule(**how).probe(*some_batch()).update
    ours = make_rule(torch.float32, **how).probe(*some_batch(torch.float32)).update
    for name, update in ours.items():
        assert relative(update.double(), exact[name]) < 1e-4, name


def test_a_step_logs_what_was_absorbed_and_keeps_the_statistics_of_one_forward_pass():
    batch = some_batch()
    rule = make_rule(inference_steps=50, inference_rate=0.1, tolerance=0.01)
    twin = copy.deepcopy(rule.network)
    logged = rule.step(*batch)
    loss = functional.cross_entropy(twin(batch[0]), batch[1]).item()
    assert logged["loss"] == pytest.approx(loss) == logged["energy_first"]
    absorbed = (logged["energy_first"] - logged["energy_last"]) / loss
    assert logged["absorbed_share"] == pytest.approx(absorbed)
    assert 0.001 < absorbed < 1
    assert 5 < logged["inference_steps"] < 50
    for name, expected in twin.named_buffers():
        torch.testing.assert_close(rule.network.get_buffer(name), expected, msg=name)


def test_it_stops_at_the_first_step_that_lowers_the_energy_too_little():
    fall = -np.diff(linear_hierarchy()[0].settle(400, 0.1))
    first = next(n for n in range(1, 400) if fall[n - 1] < 0.02 * fall[:n].sum())
    assert len(linear_hierarchy()[0].settle(400, 0.1, 0.02)) - 1 == first


def test_the_precision_is_adapted_until_the_target_share_is_absorbed():
    rule = make_rule(target_share=0.02, inference_steps=2, inference_rate=0.3, learning_rate=1e-9)
    batch = torch.randn(6, 3, 16, 16).double(), torch.arange(6)
    shares = [rule.step(*batch)["absorbed_share"] for _ in range(50)]
    assert abs(math.log(shares[0] / 0.02)) > 1
    assert shares[-1] == pytest.approx(0.02, rel=0.02)
    again = make_rule(target_share=0.02)
    again.load_state_dict(rule.state_dict())
    assert again.precision == rule.precision != 1


def test_a_step_that_would_raise_the_energy_is_halved_and_one_that_still_does_is_refused():
    hierarchy, _ = linear_hierarchy(precision=5.0)
    course = hierarchy.settle(1, 1.0)
    assert course[1] < course[0]
    assert 0 < hierarchy.reached < 1
    rule = make_rule()
    with pytest.raises(GuardError, match=r"inference step 2 raised F from 2 to nan; .*lower infer"):
        rule._require_descent([3.0, 2.0, math.nan])


def test_networks_without_norm_or_hidden_layer_are_taught_and_others_refused():
    published = Vgg5(kind="vgg5", width=1 / 32, norm="none", activation="gelu")
    assert ErrorPredictiveCoding.cannot_teach(published) == ""
    how = {"inference_steps": 1, "inference_rate": 1e-10, "network": published}
    exact = probe_gradient(make_rule(network=published).network, *some_batch()).update
    for name, update in make_rule(**how).probe(*some_batch()).update.items():
        assert relative(update, exact[name]) < 1e-8, name
    other = ResNet18(kind="resnet18", width=1 / 8)
    assert "chain of conv blocks" in ErrorPredictiveCoding.cannot_teach(other)


@pytest.mark.parametrize(
    ("key", "value"),
    [("inference_rate", 1.5), ("target_share", 0), ("tolerance", 1), ("nudging", "negative")],
)
def test_impossible_settings_are_refused(key, value):
    with pytest.raises((ConfigurationError, ValueError), match=key):
        make_rule(**{key: value})
