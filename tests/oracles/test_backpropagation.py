"""The supervised step against autograd on a plain restatement, closed forms and torch's own."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from made_rule import made_rule
from rule_settings import altered
from rulealign.learning.optimised import cosine


def make_rule(settings, double=False, **changes):
    dtype = torch.float64 if double else torch.float32
    return made_rule(altered(settings, rule=changes).rule, settings.network, dtype=dtype)


def some_batch(size=32, dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(12, 3, size, size, generator=generator, dtype=dtype)
    return images, torch.arange(12) % 10


def plain_logits(weights, images):
    """State cnn3 in training mode, without dropout, as the specification has it."""
    values = images
    for number in "123":
        values = functional.conv2d(values, weights[f"conv{number}.weight"], padding=1)
        mean = values.mean((0, 2, 3), keepdim=True)
        spread = (values.var((0, 2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt()
        scale, shift = (weights[f"norm{number}.{name}"] for name in ("weight", "bias"))
        values = (values - mean) / spread * scale[:, None, None] + shift[:, None, None]
        values = functional.max_pool2d(values.clamp(min=0), 2)
    side = values.shape[-1]
    if side != 4:
        # regions of equal size, so averages over windows are the adaptive ones
        values = functional.avg_pool2d(values, side // 4)
    hidden = (values.flatten(1) @ weights["fc1.weight"].T + weights["fc1.bias"]).clamp(min=0)
    return hidden @ weights["fc2.weight"].T + weights["fc2.bias"]


@pytest.mark.parametrize("size", [32, 64])
def test_gradients_equal_autograd_on_a_plain_restatement(checkpoint_settings, size):
    settings = checkpoint_settings("bp")
    settings = altered(settings, network={"dropout": 0.0})
    rule = make_rule(settings, double=True, learning_rate=1e-9, clip_norm=1e9)
    images, labels = some_batch(size, torch.float64)
    weights = {
        name: value.detach().clone().requires_grad_()
        for name, value in rule.network.named_parameters()
    }
    logits = plain_logits(weights, images)
    chosen = torch.log_softmax(logits, dim=1)[torch.arange(12), labels]
    loss = -chosen.mean()
    expected = torch.autograd.grad(loss, list(weights.values()))

    logged = rule.step(images, labels)

    assert logged["loss"] == pytest.approx(loss.item(), rel=1e-12)
    for (name, value), gradient in zip(rule.network.named_parameters(), expected, strict=True):
        torch.testing.assert_close(value.grad, gradient, rtol=1e-9, atol=1e-12, msg=name)


def test_first_adam_step_follows_its_equations(checkpoint_settings):
    rule = make_rule(checkpoint_settings("bp"), clip_norm=0.5)
    images, labels = some_batch()
    before = [value.detach().clone() for value in rule.network.parameters()]
    rule.start_epoch(0)
    norm = rule.step(images, labels)["gradient_norm"]

    # the gradients stay on the parameters as they were after clipping
    clipped = [value.grad for value in rule.network.parameters()]
    assert norm > 0.5
    assert math.sqrt(sum(float(g.square().sum()) for g in clipped)) == pytest.approx(0.5, rel=1e-4)
    for old, gradient, new in zip(before, clipped, rule.network.parameters(), strict=True):
        decayed = (gradient + 1e-4 * old).double()
        # both moments, corrected for their start at 0, are the gradient and its square
        expected = old - 0.01 * decayed / (decayed.abs() + 1e-8)
        torch.testing.assert_close(new.double(), expected.double(), rtol=1e-4, atol=1e-6)


def test_sgd_steps_follow_momentum_by_hand(checkpoint_settings):
    settings = checkpoint_settings("bp")
    rule = make_rule(settings, double=True, optimizer="sgd", momentum=0.9, schedule="constant")
    images, labels = some_batch(dtype=torch.float64)
    layer = rule.network.conv2
    expected, velocity = layer.weight.detach().clone(), None
    for epoch in range(3):
        rule.start_epoch(epoch)
        rule.step(images, labels)
        decayed = layer.weight.grad + 1e-4 * expected
        velocity = decayed if velocity is None else 0.9 * velocity + decayed
        expected = expected - 0.01 * velocity
        torch.testing.assert_close(layer.weight.detach(), expected, rtol=1e-10, atol=1e-13)


def test_cosine_equals_torch_stepped_by_epoch_and_ends_at_zero():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40)
    for epoch in range(41):
        assert cosine(epoch, 40) == pytest.approx(schedule.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        schedule.step()
    assert cosine(0, 40) == 1
    assert cosine(20, 40) == pytest.approx(0.5)
    assert cosine(40, 40) == pytest.approx(0, abs=1e-15)


def test_learning_rate_of_an_epoch_is_the_logged_one(checkpoint_settings):
    rule = make_rule(checkpoint_settings("bp"))
    rule.start_epoch(3)
    logged = rule.step(*some_batch())
    assert logged["learning_rate"] == pytest.approx(0.005)
    constant = make_rule(checkpoint_settings("bp"), schedule="constant")
    constant.start_epoch(5)
    assert constant.step(*some_batch())["learning_rate"] == 0.01


def test_untrained_bn_has_the_statistics_of_all_images(checkpoint_settings):
    settings = checkpoint_settings("untrained_bn")
    images, _ = some_batch(16)
    images = torch.cat([images * 2 + 1, images, images.flip(3)[:7]])
    rule = make_rule(settings, batch_size=8)
    weights = {name: value.clone() for name, value in rule.network.named_parameters()}
    rule.prepare(images)
    network = rule.network
    with torch.no_grad():
        values = images
        for conv, norm in (
            (network.conv1, network.norm1),
            (network.conv2, network.norm2),
            (network.conv3, network.norm3),
        ):
            values = functional.conv2d(values, conv.weight, padding=1)
            maps = values.numpy().astype(np.float64)
            np.testing.assert_allclose(
                norm.running_mean, maps.mean((0, 2, 3)), rtol=1e-4, atol=1e-6
            )
            np.testing.assert_allclose(norm.running_var, maps.var((0, 2, 3), ddof=1), rtol=1e-5)
            mean, var = norm.running_mean[:, None, None], norm.running_var[:, None, None]
            values = functional.max_pool2d(((values - mean) / (var + 1e-5).sqrt()).clamp(min=0), 2)
    for name, value in network.named_parameters():
        assert torch.equal(value, weights[name]), name
    assert network.training
    assert network.norm1.momentum == 0.1


def test_untrained_bn_does_not_depend_on_the_batch_size(checkpoint_settings):
    images, _ = some_batch(16)
    one, other = (
        make_rule(checkpoint_settings("untrained_bn"), batch_size=size) for size in (5, 12)
    )
    for rule in (one, other):
        rule.prepare(images)
    for name, value in one.network.named_buffers():
        torch.testing.assert_close(
            value, dict(other.network.named_buffers())[name], rtol=1e-5, atol=1e-6, msg=name
        )
