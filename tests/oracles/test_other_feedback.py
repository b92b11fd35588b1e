"""Direct feedback alignment and sign symmetry, held against their formulas."""

import copy

import pytest
import torch
from torch.nn import functional

from autograd_of import gradients
from rule_settings import NETWORK, of_section
from rulealign.learning.weights import initial_network


def batch():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(12, 3, 32, 32, generator=generator), torch.arange(12) % 10


def test_dfa_sends_the_outputs_error_to_every_layer(make_rule):
    rule = make_rule("dfa")
    images, labels = batch()
    ours = gradients(rule.network, images, labels)
    assert sorted(rule.feedback) == ["conv2", "conv3", "fc1", "fc2"]

    # the same by hand: every layer of a plain twin is asked for the error that DFA gives it
    plain = initial_network(rule_settings_network(rule), 7, 3, classes=10).train()
    maps = [images]
    for _, conv, norm in plain.blocks():
        below = maps[-1].detach().requires_grad_()
        maps.append(functional.relu(functional.max_pool2d(norm(conv(below)), 2)))
    hidden = functional.relu(
        plain.fc1(functional.adaptive_avg_pool2d(maps[-1], 4).flatten(1).detach())
    )
    logits = plain.fc2(hidden.detach())
    error = (functional.softmax(logits, 1) - functional.one_hot(labels, 10)) / len(labels)
    error = error.detach()
    logits.backward(error)
    hidden.backward(error @ rule.feedback["fc2"])
    for values, name in zip(maps[1:], ("conv2", "conv3", "fc1"), strict=True):
        values.backward((error @ rule.feedback[name]).reshape(values.shape))
    for name, parameter in plain.named_parameters():
        torch.testing.assert_close(ours[name], parameter.grad, msg=name)


def rule_settings_network(rule):
    network = rule.network
    channels = [conv.out_channels for _, conv, _ in network.blocks()]
    units = network.fc1.out_features
    return of_section(NETWORK, channels=channels, hidden_units=units, dropout=0.0)


def test_dfa_keeps_the_length_of_the_error_and_depends_on_the_seed(make_rule):
    rule, same, other = make_rule("dfa"), make_rule("dfa"), make_rule("dfa", seed=4)
    for each in (rule, same, other):
        gradients(each.network, *batch())
    for name, drawn in rule.feedback.items():
        assert torch.equal(drawn, same.feedback[name])
        assert not torch.equal(drawn, other.feedback[name])
        # rows of length 1, up to sampling: sqrt(chi2(units) / units)
        lengths = drawn.norm(dim=1)
        assert (lengths - 1).abs().max() < 4 / (2 * drawn.shape[1]) ** 0.5


def test_dfa_goes_on_with_the_feedback_of_its_checkpoint(make_rule):
    rule, other = make_rule("dfa"), make_rule("dfa", seed=4)
    images, labels = batch()
    rule.step(images, labels)
    other.load_state_dict(copy.deepcopy(rule.state_dict()))
    other.network.load_state_dict(rule.network.state_dict())
    for name, gradient in gradients(rule.network, images, labels).items():
        torch.testing.assert_close(gradient, gradients(other.network, images, labels)[name])


def test_sign_symmetry_follows_the_signs_of_the_weights(make_rule):
    rule = make_rule("sign_symmetry")
    weight = rule.network.fc2.weight
    size = float(weight.detach().square().mean().sqrt())
    for _ in range(2):
        values = torch.randn(5, 16, requires_grad=True)
        error = torch.randn(5, 10)
        rule.network.fc2(values).backward(error)
        expected = torch.zeros(5, 16)
        for unit in range(16):
            for out in range(10):
                sign = 1.0 if weight[out, unit] > 0 else -1.0
                expected[:, unit] += error[:, out] * size * sign
        torch.testing.assert_close(values.grad, expected)
        with torch.no_grad():
            weight.mul_(-3)  # other sizes are ignored, other signs followed


@pytest.mark.parametrize("kind", ["dfa", "sign_symmetry"])
def test_learning_lowers_the_loss_and_turns_towards_backpropagation(make_rule, kind):
    rule = make_rule(kind, network={"hidden_units": 128})
    generator = torch.Generator().manual_seed(2)
    patterns = torch.randn(10, 3, 32, 32, generator=generator)
    labels = torch.arange(60) % 10

    def images():
        return patterns[labels] + torch.randn(60, 3, 32, 32, generator=generator)

    first = rule.step(images(), labels)["loss"]
    for _ in range(40):
        last = rule.step(images(), labels)["loss"]
    assert last < 0.5 * first
    shown = images()
    exact = initial_network(rule_settings_network(rule), 7, 3, classes=10)
    exact.load_state_dict(rule.network.state_dict())
    ours, theirs = (gradients(net, shown, labels)["fc1.weight"] for net in (rule.network, exact))
    assert functional.cosine_similarity(ours.ravel(), theirs.ravel(), 0) > 0.2
