"""Feedback weights that learn: they come to the forward weights as the equations say."""

import copy

import pytest
import torch
from torch.nn import functional

from rulealign.learning.gradient import probe_gradient


def batch():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(12, 3, 16, 16, generator=generator), torch.arange(12) % 10


def differences(rule):
    return {
        name: rule._weight(name).double() - drawn.double() for name, drawn in rule.feedback.items()
    }


def test_kolen_pollack_differences_shrink_by_rate_times_decay_alone(make_rule):
    rule = make_rule("kolen_pollack", momentum=0.0, weight_decay=0.5, clip_norm=0.1)
    start, before = differences(rule), copy.deepcopy(rule.feedback)
    for _ in range(5):
        rule.step(*batch())
    for name, difference in differences(rule).items():
        torch.testing.assert_close(
            difference, start[name] * (1 - 0.05 * 0.5) ** 5, rtol=0, atol=1e-6
        )
        assert (rule.feedback[name] - before[name]).norm() > 0.05 * before[name].norm(), name


def test_kolen_pollack_momentum_holds_for_both(make_rule):
    rule = make_rule("kolen_pollack", momentum=0.9, weight_decay=0.5)
    start, velocity = differences(rule), 0.0
    share = 1.0
    for _ in range(5):
        rule.step(*batch())
        velocity = 0.9 * velocity + 0.5 * share
        share -= 0.05 * velocity
    for name, difference in differences(rule).items():
        torch.testing.assert_close(difference, start[name] * share, rtol=0, atol=1e-6)


def test_mirrored_weights_follow_the_product_of_noise_and_response(make_rule):
    rule = make_rule("weight_mirror", mirror_rate=0.3, mirror_samples=5)
    before = copy.deepcopy(rule.feedback)
    torch.manual_seed(9)
    rule.mirror()
    torch.manual_seed(9)
    for name, drawn in rule.feedback.items():
        weight = rule._weight(name).flatten(1)
        expected = before[name].flatten(1) * 0.7
        for x in torch.randn(5, weight.shape[1]):
            expected += 0.3 / 5 * torch.outer(weight @ x, x)
        torch.testing.assert_close(drawn.flatten(1), expected, rtol=1e-4, atol=1e-6)


def test_mirrored_weights_come_as_near_to_the_weights_as_the_docstring_says(make_rule):
    rule = make_rule("weight_mirror", mirror_rate=0.05, mirror_samples=400)
    for _ in range(150):
        rule.mirror()
    for name, drawn in rule.feedback.items():
        weight = rule._weight(name)
        noise = ((drawn - weight).norm() / weight.norm()).square().item()
        assert noise == pytest.approx(weight[0].numel() * 0.05 / 800, rel=0.5), name


@pytest.mark.parametrize("kind", ["kolen_pollack", "weight_mirror"])
def test_with_feedback_equal_to_the_weights_it_is_backpropagation(make_rule, kind):
    rule = make_rule(kind)
    exact = probe_gradient(make_rule("bp").network, *batch()).update
    for name, drawn in rule.feedback.items():
        drawn.copy_(rule._weight(name))
    assert rule.feedback_angle() == pytest.approx(0, abs=0.1)
    for name, update in rule.probe(*batch()).update.items():
        torch.testing.assert_close(update, exact[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["kolen_pollack", "weight_mirror"])
def test_updates_turn_towards_backpropagation_further_than_with_fixed_feedback(make_rule, kind):
    generator = torch.Generator().manual_seed(2)
    patterns = torch.randn(10, 3, 16, 16, generator=generator)
    labels = torch.arange(60) % 10
    angles = {}
    for each in ("fa", kind):
        torch.manual_seed(3)
        how = {"momentum": 0.9, "weight_decay": 0.01, "schedule": "constant"}
        rule = make_rule(each, optimizer="sgd", learning_rate=0.05, **how)
        first = rule.feedback_angle()
        for _ in range(40):
            rule.step(patterns[labels] + torch.randn(60, 3, 16, 16, generator=generator), labels)
        exact = make_rule("bp").network
        exact.load_state_dict(rule.network.state_dict())
        ours = rule.probe(patterns[labels], labels).update["conv1.weight"]
        theirs = probe_gradient(exact, patterns[labels], labels).update["conv1.weight"]
        angles[each] = functional.cosine_similarity(ours.ravel(), theirs.ravel(), 0).item()
        assert 80 < first < 100
        assert each == "fa" or rule.feedback_angle() < first - 25
    assert angles[kind] > angles["fa"] + 0.2


def test_learned_feedback_goes_on_from_its_checkpoint(make_rule):
    for kind in ("kolen_pollack", "weight_mirror"):
        rule, again = make_rule(kind), make_rule(kind)
        rule.step(*batch())
        again.network.load_state_dict(rule.network.state_dict())
        again.load_state_dict(copy.deepcopy(rule.state_dict()))
        for which in (rule, again):
            torch.manual_seed(5)
            which.step(*batch())
        for name, drawn in rule.feedback.items():
            assert torch.equal(drawn, again.feedback[name]), (kind, name)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("kolen_pollack", "weight_decay", 0.0),
        ("kolen_pollack", "optimizer", "muon"),
        ("weight_mirror", "mirror_rate", 1.5),
        ("weight_mirror", "mirror_samples", 0),
    ],
)
def test_impossible_settings_are_refused(make_rule, kind, key, value):
    with pytest.raises(ValueError, match=key):
        make_rule(kind, **{key: value})
