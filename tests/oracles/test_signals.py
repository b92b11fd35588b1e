"""Gradients at layers are those of finite differences and of graphs written out."""

import pytest
import torch
from torch.nn import functional

from rulealign.learning.networks import network_class
from rulealign.learning.rule import Course
from rulealign.learning.rules import REGISTRY, rule_class
from rulealign.learning.signals import LOSSES, layer_gradients, passed

CNN3 = {"kind": "cnn3", "channels": [3, 4, 5], "hidden_units": 6}


@pytest.fixture
def network():
    torch.manual_seed(0)
    made = network_class("cnn3")(**CNN3).build(10).double()
    for _ in range(3):  # statistics that are not the identity
        made(torch.randn(8, 3, 32, 32, dtype=torch.float64) * 2 + 1)
    return made.eval()


@pytest.fixture
def images():
    return torch.randn(
        3, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )


def losses_by_hand(hidden, logits, target):
    p = torch.softmax(logits, 1)
    lengths = hidden.norm(dim=1).clamp(1e-8) * target.norm(dim=1).clamp(1e-8)
    return {
        "own-decision": -torch.log(p.max(1).values),
        "entropy": -(p * torch.log(p)).sum(1),
        "two-view": 1 - (hidden * target).sum(1) / lengths,
    }


def from_conv2(network, values):
    """Compute what follows the map of conv2, written out."""
    values = functional.relu(functional.max_pool2d(network.norm3(network.conv3(values)), 2))
    hidden = functional.relu(network.fc1(values.flatten(1)))
    return hidden, network.fc2(hidden)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_the_gradient_is_that_of_finite_differences(network, images, loss):
    found = layer_gradients(network, images, loss)
    with torch.no_grad():
        values = passed(network, images).layers["conv2"]
        target = passed(network, images.flip(-1)).hidden
        decision = passed(network, images).logits.argmax(1)

        def at(change):
            hidden, logits = from_conv2(network, values + change)
            made = losses_by_hand(hidden, logits, target)[loss]
            if loss == "own-decision":  # the decision is held
                made = functional.cross_entropy(logits, decision, reduction="none")
            return made

        for channel, row, column in [(0, 0, 0), (2, 5, 3), (3, 7, 7)]:
            change = torch.zeros_like(values)
            change[:, channel, row, column] = 1e-6
            slope = (at(change) - at(-change)) / 2e-6
            torch.testing.assert_close(
                found["conv2"][:, channel, row, column], slope, rtol=1e-4, atol=1e-8
            )
    assert all(value.abs().max() > 0 for value in found.values())


def test_every_layer_has_the_gradient_of_a_graph_written_out(network, images):
    maps, values = {}, images
    for name, norm in (("conv1", "norm1"), ("conv2", "norm2"), ("conv3", "norm3")):
        values = getattr(network, norm)(getattr(network, name)(values))
        values = maps[name] = functional.relu(functional.max_pool2d(values, 2))
        values.retain_grad()
    hidden = functional.relu(network.fc1(values.flatten(1)))
    hidden.retain_grad()
    logits = network.fc2(hidden)
    losses_by_hand(hidden, logits, hidden.detach())["own-decision"].sum().backward()
    found = layer_gradients(network, images, "own-decision")
    for name, value in (maps | {"fc1": hidden}).items():
        torch.testing.assert_close(found[name], value.grad, rtol=1e-8, atol=1e-12)


def test_a_stimulus_has_its_gradient_whatever_it_is_shown_with(network, images):
    for loss in LOSSES:
        together, alone = (layer_gradients(network, x, loss) for x in (images, images[1:2]))
        for name, value in alone.items():
            torch.testing.assert_close(together[name][1:2], value)


def taught(kind, **settings):
    torch.manual_seed(0)
    network = network_class("cnn3")(**CNN3).build(10)
    course = Course(study_seed=1, label=kind, seed=2, schedule_epochs=1, device="cpu")
    rule = rule_class(kind)
    made = rule(network, rule.Settings(kind=kind, **settings), course)
    network.eval()
    return made


def test_the_teaching_signal_of_fa_goes_back_through_its_own_weights():
    rule = taught("fa", optimizer="sgd")
    images = torch.randn(2, 3, 32, 32)
    found = layer_gradients(rule.network, images, "own-decision")["fc1"]
    logits = rule.network(images)
    error = torch.softmax(logits, 1) - functional.one_hot(logits.argmax(1), 10)
    torch.testing.assert_close(found, (error @ rule.feedback["fc2"]).detach())
    assert not torch.allclose(found, error @ rule.network.fc2.weight)


@pytest.mark.parametrize("trained", [False, True])
def test_the_teaching_signal_of_dfa_is_the_output_error_projected(trained):
    rule = taught("dfa")
    images = torch.randn(2, 3, 32, 32)
    if trained:
        rule.network.train()
        rule.step(images, torch.tensor([1, 2]))
        rule.network.eval()
    before = set(rule.feedback)
    found = layer_gradients(rule.network, images, "own-decision")
    assert set(rule.feedback) == before  # what is read stays as it is
    logits = rule.network(images)
    error = torch.softmax(logits, 1) - functional.one_hot(logits.argmax(1), 10)
    rule.network.train()
    rule.probe(images, torch.tensor([1, 2]))  # draws what training would
    below = {"conv2": "conv1", "conv3": "conv2", "fc1": "conv3", "fc2": "fc1"}
    for name, layer in below.items():
        expected = (error @ rule.feedback[name]).reshape(found[layer].shape)
        torch.testing.assert_close(found[layer], expected.detach())


def test_after_one_step_errors_of_predictive_coding_are_the_gradient(images):
    # nothing but the error of the output has reached a layer yet, through all that lies above
    rule = taught("pc_error", inference_steps=1, inference_rate=0.1, output_precision=2.0)
    found = rule.own_errors(images.float())
    expected = layer_gradients(rule.network, images.float(), "own-decision")
    assert set(found) == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-7)


def test_fixed_predictions_make_errors_of_clamped_states_the_gradient(images):
    settings = {"fixed_prediction": True, "inference_steps": 1, "inference_rate": 1.0}
    rule = taught("pc_supervised", **settings)
    found = rule.own_errors(images.float())
    expected = layer_gradients(rule.network, images.float(), "own-decision")
    assert set(found) == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-7)


def chain_of(network):
    """Give each block of cnn3 and its hidden layer as a function of the one below."""
    norms = zip(("conv1", "conv2", "conv3"), ("norm1", "norm2", "norm3"), strict=True)

    def block(conv, norm):
        conv, norm = network.get_submodule(conv), network.get_submodule(norm)
        return lambda x: functional.relu(functional.max_pool2d(norm(conv(x)), 2))

    blocks = [block(*names) for names in norms]
    return [*blocks, lambda x: functional.relu(network.fc1(x.flatten(1)))]


def test_settled_errors_of_predictive_coding_are_those_of_a_plain_descent(images):
    steps, rate, precision = 7, 0.2, 1.5
    settings = {"inference_steps": steps, "inference_rate": rate, "tolerance": 0}
    rule = taught("pc_error", output_precision=precision, **settings)
    rule.network.double()
    found, blocks = rule.own_errors(images[:1]), chain_of(rule.network)
    decision = rule.network(images[:1]).argmax(1)

    def energy(errors):
        x = images[:1]
        for block, error in zip(blocks, errors, strict=True):
            x = block(x) + error
        loss = functional.cross_entropy(rule.network.fc2(x), decision)
        return precision * loss + sum((error**2).sum() for error in errors) / 2

    errors = [torch.zeros_like(found[name]) for name in ("conv1", "conv2", "conv3", "fc1")]
    for _ in range(steps):
        errors = [error.requires_grad_() for error in errors]
        slopes = torch.autograd.grad(energy(errors), errors)
        pairs = zip(errors, slopes, strict=True)
        errors = [(error - rate * slope).detach() for error, slope in pairs]
    for name, error in zip(("conv1", "conv2", "conv3", "fc1"), errors, strict=True):
        expected = -error / precision / (1 - (1 - rate) ** steps)
        torch.testing.assert_close(found[name], expected, rtol=1e-8, atol=1e-12)


def test_settled_states_leave_the_errors_of_a_plain_descent(images):
    steps, rate, precision = 4, 0.1, 0.5
    settings = {"inference_steps": steps, "inference_rate": rate, "fixed_prediction": False}
    rule = taught("pc_supervised", output_precision=precision, **settings)
    rule.network.double()
    found, blocks = rule.own_errors(images[:1]), chain_of(rule.network)
    decision = rule.network(images[:1]).argmax(1)

    def energy(states):
        below = [images[:1], *states[:-1]]
        terms = zip(states, blocks, below, strict=True)
        errors = sum(((x - block(y)) ** 2).sum() for x, block, y in terms) / 2
        return errors + precision * functional.cross_entropy(rule.network.fc2(states[-1]), decision)

    states, x = [], images[:1]
    for block in blocks:
        states.append(x := block(x).detach())
    for _ in range(steps):  # from the top down; predictions are those of the sweep before
        held, moved = [state.clone() for state in states], list(states)
        for level in reversed(range(len(states))):
            at = [*held[: level + 1], *moved[level + 1 :]]
            own = at[level].clone().requires_grad_()
            below = images[:1] if level == 0 else held[level - 1]
            slope = own.detach() - blocks[level](below).detach()
            if level + 1 < len(states):
                error = moved[level + 1] - blocks[level + 1](held[level]).detach()
                made = blocks[level + 1](own)
                slope = slope - torch.autograd.grad(made, own, error)[0]
            else:
                loss = precision * functional.cross_entropy(rule.network.fc2(own), decision)
                slope = slope + torch.autograd.grad(loss, own)[0]
            moved[level] = held[level] - rate * slope
        assert energy(moved) < energy(states)
        states = moved
    for level, name in enumerate(("conv1", "conv2", "conv3", "fc1")):
        below = images[:1] if level == 0 else states[level - 1]
        expected = (blocks[level](below) - states[level]).detach() / precision
        torch.testing.assert_close(found[name], expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("kind", ["pc_error", "pc_supervised"])
def test_an_image_has_its_own_errors_whatever_it_is_shown_with(kind, images):
    rule = taught(kind)
    before = {name: value.clone() for name, value in rule.network.state_dict().items()}
    together, alone = (rule.own_errors(x.float()) for x in (images, images[1:2]))
    for name, value in alone.items():
        torch.testing.assert_close(together[name][1:2], value)
    for name, value in rule.network.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_rules_whose_errors_do_not_reach_every_layer_have_none():
    kinds = {kind for kind in REGISTRY if rule_class(kind).sends_errors}
    feedback = {"fa", "dfa", "sign_symmetry", "kolen_pollack", "weight_mirror"}
    assert kinds == feedback | {"bp", "pc_error", "pc_supervised"}
    assert {kind for kind in REGISTRY if rule_class(kind).errors_of_one_size} == {"dfa"}
