"""Feedback alignment: its backward pass by hand, its limits, and that it aligns."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional

from autograd_of import gradients
from made_rule import made_rule
from rule_settings import altered
from rulealign.learning.feedback import attach, random_feedback, through
from rulealign.learning.networks.cnn3 import Cnn3
from rulealign.learning.networks.resnet18 import ResNet18
from rulealign.learning.networks.vgg5 import Vgg5
from rulealign.learning.networks.vgg11 import Vgg11
from rulealign.learning.weights import initial_network


def make_rule(settings, network=None, seed=3, **changes):
    told = altered(settings, rule=changes).rule
    return made_rule(told, network or settings.network, seed, settings.arm.rule)


def some_batch(dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(12, 3, 32, 32, generator=generator, dtype=dtype)
    return images, torch.arange(12) % 10


@pytest.mark.parametrize(("stride", "padding"), [(1, 1), (2, 1), (1, 0)])
def test_convolution_sends_the_error_through_b_and_learns_exactly(stride, padding):
    torch.manual_seed(0)
    images = torch.randn(2, 3, 7, 7, dtype=torch.float64, requires_grad=True)
    layer = torch.nn.Conv2d(3, 5, 3, stride, padding, dtype=torch.float64)
    feedback = torch.randn(5, 3, 3, 3, dtype=torch.float64)
    expected = layer(images)
    attach(layer, through(layer, lambda: feedback))
    result = layer(images)
    torch.testing.assert_close(result, expected)
    error = torch.randn_like(result)
    to_images, to_weight, to_bias = torch.autograd.grad(
        result, (images, layer.weight, layer.bias), error
    )

    how = {"stride": stride, "padding": padding}
    torch.testing.assert_close(to_images, functional.conv_transpose2d(error, feedback, **how))
    torch.testing.assert_close(to_bias, error.sum(dim=(0, 2, 3)))
    # each weight's gradient is the error's correlation with the pixels that the weight meets
    seen = np.pad(images.detach().numpy(), ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
    rows, columns = error.shape[-2:]
    for row in range(3):
        for column in range(3):
            met = seen[:, :, row : row + stride * rows : stride, column:][..., ::stride]
            expected = np.einsum("noyx,niyx->oi", error.numpy(), met[..., :columns])
            np.testing.assert_allclose(to_weight[:, :, row, column], expected, rtol=1e-9)


def test_linear_layer_sends_the_error_through_b_and_learns_exactly():
    torch.manual_seed(0)
    values = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    layer = torch.nn.Linear(6, 3, dtype=torch.float64)
    feedback = torch.randn(3, 6, dtype=torch.float64)
    attach(layer, through(layer, lambda: feedback))
    error = torch.randn(4, 3, dtype=torch.float64)
    to_values, to_weight = torch.autograd.grad(layer(values), (values, layer.weight), error)
    np.testing.assert_allclose(
        to_values, np.einsum("no,oi->ni", error.numpy(), feedback.numpy()), rtol=1e-12
    )
    np.testing.assert_allclose(
        to_weight, np.einsum("no,ni->oi", error.numpy(), values.detach().numpy()), rtol=1e-12
    )


PLAIN = {"norm": "none", "activation": "relu"}
NETWORKS = [
    Cnn3(kind="cnn3", dropout=0.0),
    Cnn3(kind="cnn3", dropout=0.0, **PLAIN),
    Vgg5(kind="vgg5", width=1 / 16, **PLAIN),
    Vgg11(kind="vgg11", width=1 / 16, **PLAIN),
    ResNet18(kind="resnet18", width=1 / 8),
    # no norm layer lies between what a convolution gives and what follows it
    ResNet18(kind="resnet18", width=1 / 8, **PLAIN),
    ResNet18(kind="resnet18", width=1 / 8, norm="none", activation="gelu"),
]


@pytest.mark.parametrize("chosen", NETWORKS, ids=str)
@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float32, 1e-4), (torch.float64, 1e-12)])
def test_with_b_equal_to_w_the_gradients_are_those_of_backpropagation(chosen, dtype, rounding):
    network = initial_network(chosen, 7, 3, classes=10).to(dtype)
    twin = copy.deepcopy(network)
    for layer in twin.error_path().values():
        own = layer.weight.detach().clone()
        attach(layer, through(layer, lambda own=own: own))
    images, labels = some_batch(dtype)
    exact, fed_back = (gradients(which, images, labels) for which in (network, twin))
    for name, gradient in exact.items():
        difference = (fed_back[name] - gradient).norm() / gradient.norm()
        assert difference < rounding, name


def test_every_layer_that_propagates_an_error_has_its_own_b_and_conv1_none(checkpoint_settings):
    settings = checkpoint_settings("fa")
    settings = altered(settings, network={"dropout": 0.0})
    rule = make_rule(settings)
    assert list(rule.feedback) == ["conv2", "conv3", "fc1", "fc2"]
    images, labels = some_batch()
    base = gradients(rule.network, images, labels)
    above = ["conv1", "conv2", "conv3", "fc1", "fc2"]
    for name, feedback in rule.feedback.items():
        feedback.neg_()
        changed = gradients(rule.network, images, labels)
        feedback.neg_()
        for layer in above[: above.index(name)]:
            # B of a layer acts on all layers below it, and turns their whole error around
            torch.testing.assert_close(changed[f"{layer}.weight"], -base[f"{layer}.weight"])
        for layer in above[above.index(name) :]:
            torch.testing.assert_close(changed[f"{layer}.weight"], base[f"{layer}.weight"])


def test_b_is_drawn_like_initial_weights_and_independently_of_them(checkpoint_settings):
    settings = checkpoint_settings("fa")
    settings = altered(settings, network={"channels": [16, 32, 64], "hidden_units": 128})
    rule = make_rule(settings)
    for name, layer in rule.network.error_path().items():
        drawn, weight = rule.feedback[name].flatten(), layer.weight.detach().flatten()
        # PyTorch's default: uniform up to 1 / sqrt(inputs), of variance bound^2 / 3
        bound = layer.weight[0].numel() ** -0.5
        assert drawn.abs().max() <= bound
        assert drawn.std() == pytest.approx(bound / 3**0.5, rel=0.05)
        assert abs(torch.corrcoef(torch.stack([drawn, weight]))[0, 1]) < 4 / drawn.numel() ** 0.5


def test_b_depends_on_label_and_seed_and_leaves_the_random_state_alone(checkpoint_settings):
    settings = checkpoint_settings("fa")
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, same = make_rule(settings), make_rule(settings)
    second = altered(settings, arm=settings.arm._replace(rule="fa2"))
    other_seed, other_label = make_rule(settings, seed=4), make_rule(second)
    assert torch.equal(torch.get_rng_state(), before)
    for name, feedback in first.feedback.items():
        assert torch.equal(feedback, same.feedback[name])
        assert not torch.equal(feedback, other_seed.feedback[name])
        assert not torch.equal(feedback, other_label.feedback[name])


def test_b_is_in_the_rules_state_and_not_in_the_networks(checkpoint_settings):
    rule = make_rule(checkpoint_settings("fa"))
    plain = initial_network(checkpoint_settings("fa").network, 7, 3, classes=10)
    assert list(rule.network.state_dict()) == list(plain.state_dict())
    assert len(list(rule.network.parameters())) == len(list(plain.parameters()))
    state = {name: torch.ones_like(value) for name, value in rule.feedback.items()}
    rule.load_state_dict(rule.state_dict() | {"feedback": state})
    # the layers send errors back through what was loaded: all ones, so all inputs get the same
    values = torch.randn(2, 16, requires_grad=True)
    rule.network.fc2(values).square().sum().backward()
    assert values.grad.abs().min() > 0
    torch.testing.assert_close(values.grad, values.grad[:, :1].expand(2, 16))


def test_updates_align_with_those_of_backpropagation_during_training(checkpoint_settings):
    settings = checkpoint_settings("fa")
    settings = altered(settings, network={"dropout": 0.0})
    rule = make_rule(settings, schedule="constant", weight_decay=0.0)
    generator = torch.Generator().manual_seed(2)
    patterns = torch.randn(10, 3, 32, 32, generator=generator)
    labels = torch.arange(60) % 10

    def cosines():
        images = patterns[labels] + torch.randn(60, 3, 32, 32, generator=generator)
        exact = initial_network(settings.network, 7, 3, classes=10)
        exact.load_state_dict(rule.network.state_dict())
        ours, theirs = (gradients(net, images, labels) for net in (rule.network, exact))
        names = ("conv3.weight", "fc1.weight")
        return {
            name: float(functional.cosine_similarity(ours[name].ravel(), theirs[name].ravel(), 0))
            for name in names
        }

    before = cosines()
    for _ in range(40):
        rule.step(patterns[labels] + torch.randn(60, 3, 32, 32, generator=generator), labels)
    after = cosines()
    assert after["fc1.weight"] > 0.3
    assert after["conv3.weight"] > 0.05
    assert after["fc1.weight"] > before["fc1.weight"] + 0.2


def test_random_feedback_has_the_layers_shapes_and_no_gradient(checkpoint_settings):
    network = initial_network(checkpoint_settings("fa").network, 7, 3, classes=10)
    for name, feedback in random_feedback(network.error_path(), 11).items():
        assert feedback.shape == network.get_submodule(name).weight.shape
        assert not feedback.requires_grad


def test_the_published_form_has_random_feedback_in_convolutions_only(checkpoint_settings):
    settings = checkpoint_settings("fa")
    settings = altered(settings, network={"dropout": 0.0})
    rule = make_rule(settings, layers="conv")
    assert list(rule.feedback) == ["conv2", "conv3"]
    plain = initial_network(settings.network, 7, 3, classes=10)
    images, labels = some_batch()
    ours, exact = (gradients(net, images, labels) for net in (rule.network, plain))
    for layer in ("conv3", "fc1", "fc2"):  # what lies above the lowest random feedback is exact
        torch.testing.assert_close(ours[f"{layer}.weight"], exact[f"{layer}.weight"])
    for layer in ("conv1", "conv2"):
        cosine = functional.cosine_similarity(
            ours[f"{layer}.weight"].ravel(), exact[f"{layer}.weight"].ravel(), 0
        )
        assert abs(cosine) < 0.9
