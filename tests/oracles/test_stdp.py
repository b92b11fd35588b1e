"""STDP: spike pairs by hand, a layer's step by plain loops, a planted pattern, no gradient."""

import copy
import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from made_rule import made_rule
from rule_settings import NETWORK, RULES
from rulealign import guards
from rulealign.errors import ConfigurationError, GuardError
from rulealign.learning import trainer
from rulealign.learning.patches import draw_patches
from rulealign.learning.rules.stdp import StdpSettings, stdp_kernel
from rulealign.learning.spikes import (
    NEVER,
    Decorrelation,
    SpikingLayer,
    compete,
    first_spikes,
    weight_changes,
)

KERNEL = {"a_plus": 0.4, "a_minus": 0.3, "tau_plus": 5.0, "tau_minus": 4.0}
RULE = {"kind": "stdp", "init": "default", **RULES["stdp"], "learning_epochs": 2}


def make_rule(seed=3, **changes):
    return made_rule(RULE | changes, NETWORK, seed)


def some_batch(seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(12, 3, 16, 16, generator=generator), torch.arange(12) % 10


def conv_weights(rule):
    return {name: conv.weight.detach().clone() for name, conv, _ in rule.network.blocks()}


def test_a_spike_pair_changes_a_synapse_by_the_amount_computed_by_hand():
    # .4 exp(-3/5) and -.3 exp(-2/4), with exp(-.6) = .548812 and exp(-.5) = .606531
    changes = stdp_kernel(torch.tensor([3.0, -2.0]), **KERNEL)
    assert changes.tolist() == pytest.approx([0.2195246, -0.1819592], rel=1e-6)
    later = stdp_kernel(torch.tensor([8.0, -6.0]), **KERNEL)
    # five (four) steps on, 1/e of it is left
    assert (later / changes).tolist() == pytest.approx([math.exp(-1)] * 2, rel=1e-6)


def test_spikes_at_once_or_missing_change_nothing():
    undecided = torch.tensor([0.0, NEVER, -NEVER, math.nan])
    assert stdp_kernel(undecided, **KERNEL).tolist() == [0, 0, 0, 0]


def test_a_patch_changes_its_winners_synapses_by_hand():
    # the unit fires at step 4; an ON cell spiked at 1, an OFF cell at 1, an ON cell at 6
    times, signs = torch.tensor([[1.0, 1.0, 6.0]]), torch.tensor([[1.0, -1.0, 1.0]])
    kernel = partial(stdp_kernel, **KERNEL)
    changes = weight_changes(times, signs, torch.tensor([1]), torch.tensor([4.0]), 2, kernel)
    assert changes[0].tolist() == [0, 0, 0]
    assert changes[1].tolist() == pytest.approx([0.2195246, -0.2195246, -0.1819592], rel=1e-6)


def test_first_spikes_are_those_of_poisson_trains():
    torch.manual_seed(0)
    rates = torch.tensor([0.1, 0.4, 2.0]).repeat(40000, 1)
    ours = first_spikes(rates, 5).numpy()
    # simulated: counts in every step, and the first step with a count
    trains = np.random.default_rng(0).poisson(rates[..., None].numpy(), (40000, 3, 5)) > 0
    theirs = np.where(trains.any(2), trains.argmax(2) + 1, np.inf)
    for step in (1, 2, 3, 4, 5, np.inf):
        share, expected = (ours == step).mean(0), (theirs == step).mean(0)
        np.testing.assert_allclose(share, expected, atol=0.012)
    assert np.isinf(first_spikes(torch.zeros(50), 5).numpy()).all()


def loop_competition(times, signs, filters, thresholds, steps):
    """Plain Python: step by step, unit by unit, synapse by synapse."""
    for step in range(2, steps + 1):
        above = []
        for unit, threshold in enumerate(thresholds):
            arrived = [i for i, time in enumerate(times) if time < step]
            above.append(sum(signs[i] * filters[unit][i] for i in arrived) - threshold)
        if max(above) > 0:
            return above.index(max(above)), step
    return None, NEVER


def loop_kernel(dt):
    if dt > 0:
        return KERNEL["a_plus"] * math.exp(-dt / KERNEL["tau_plus"])
    return -KERNEL["a_minus"] * math.exp(dt / KERNEL["tau_minus"]) if dt < 0 else 0.0


def test_competition_equals_plain_loops():
    rng = np.random.default_rng(3)
    times = rng.choice([1, 2, 3, 4, 5, 6, np.inf], (60, 7)).astype(np.float32)
    signs = rng.choice([-1, 1], (60, 7)).astype(np.float32)
    filters = rng.normal(size=(5, 7)).astype(np.float32)
    thresholds = rng.uniform(0.5, 3, 5).astype(np.float32)
    winner, fired = compete(*map(torch.from_numpy, (times, signs, filters, thresholds)), 6)
    expected = [
        loop_competition(*patch, filters, thresholds, 6) for patch in zip(times, signs, strict=True)
    ]
    assert fired.tolist() == [step for _, step in expected]
    assert len({step for _, step in expected}) >= 4  # early, late and never
    for unit, (expected_unit, step) in zip(winner.tolist(), expected, strict=True):
        assert step == NEVER or unit == expected_unit


def loop_step(maps, weight, layer, settings):
    """A layer's step by plain loops over patches, units and synapses, from the same draws."""
    count, batch, side = layer.count, len(maps), maps.shape[-1]
    top = torch.randint(0, side - 2, (count * batch, 1, 1)).flatten().tolist()
    left = torch.randint(0, side - 2, (count * batch, 1, 1)).flatten().tolist()
    waiting = torch.empty(count * batch, weight[0].size).exponential_().tolist()
    change, wins = np.zeros_like(weight), np.zeros(len(weight))
    lengths = np.sqrt((weight**2).sum(1, keepdims=True))
    for n in range(count * batch):
        square = maps[n % batch, :, top[n] : top[n] + 3, left[n] : left[n] + 3].ravel()
        centred = square - square.mean()
        contrast = centred / (centred.std(ddof=1) + settings.contrast_floor)
        rates = np.minimum(settings.spikes_per_contrast * abs(contrast), settings.largest_rate)
        times = [math.floor(wait / rate) + 1 for wait, rate in zip(waiting[n], rates, strict=True)]
        times = [time if time <= settings.time_steps else NEVER for time in times]
        thresholds = [settings.initial_threshold] * len(weight)
        unit, fired = loop_competition(
            times, np.sign(contrast), weight / lengths, thresholds, settings.time_steps
        )
        if unit is not None:
            wins[unit] += 1
            for i, time in enumerate(times):
                change[unit, i] += loop_kernel(fired - time) * np.sign(contrast[i])
    std = weight.std(ddof=1)
    moved = weight + layer.rate * 0.5 * std * change
    moved *= lengths / np.sqrt((moved**2).sum(1, keepdims=True))
    excess = len(weight) * wins / (count * batch) - settings.winning_share
    bound = settings.weight_bound * std
    return moved.clip(-bound, bound), settings.initial_threshold + (
        settings.homeostasis_rate * excess
    )


def test_a_layers_step_equals_plain_loops():
    settings = StdpSettings.model_validate(RULE | {"weight_bound": 1.6})
    torch.manual_seed(2)
    conv = nn.Conv2d(3, 4, 3, bias=False)
    maps = torch.randn(10, 3, 8, 8)
    layer = SpikingLayer(conv, 0, settings, partial(stdp_kernel, **KERNEL))
    before = conv.weight.detach().double().flatten(1).numpy().copy()
    torch.manual_seed(4)
    weight, thresholds = loop_step(maps.double().numpy(), before, layer, settings)
    torch.manual_seed(4)
    layer.learn(maps, share=0.5)
    after = conv.weight.detach().flatten(1).numpy()
    assert np.abs(weight - before).max() > 0.05 * before.std()
    np.testing.assert_allclose(after, weight, atol=2e-6)
    np.testing.assert_allclose(layer.state["thresholds"], thresholds, rtol=1e-5)


def test_bounds_and_norms_hold():
    rule = make_rule(learning_rate=[0.3, 0.3, 0.3])
    start = conv_weights(rule)
    for seed in range(8):
        rule.step(*some_batch(seed))
    at_bound = 0
    for name, weight in conv_weights(rule).items():
        bound = 2.0 * float(start[name].std())
        assert weight.abs().max() <= bound * (1 + 1e-6)
        clamped = (weight.abs() >= bound * (1 - 1e-6)).flatten(1).any(1)
        norms, before = weight.flatten(1).norm(dim=1), start[name].flatten(1).norm(dim=1)
        torch.testing.assert_close(norms[~clamped], before[~clamped], rtol=1e-5, atol=0)
        assert (norms <= before * (1 + 1e-5)).all()
        at_bound += int(clamped.sum())
        assert (weight - start[name]).norm() > 0.1 * start[name].norm()
    assert at_bound > 0


def shown(pattern, count, generator):
    """Give patches of noise, the first quarter of them with the pattern added."""
    patches = torch.randn(count, 3, 3, 3, generator=generator)
    patches[: count // 4] += 2.5 * pattern
    return patches


def test_a_planted_pattern_is_found():
    generator = torch.Generator().manual_seed(5)
    pattern = torch.randn(3, 3, 3, generator=generator)
    pattern -= pattern.mean()
    torch.manual_seed(2)
    conv = nn.Conv2d(3, 4, 3, bias=False)
    kernel = {"a_plus": 0.003, "a_minus": 0.003, "tau_plus": 20.0, "tau_minus": 20.0}
    settings = StdpSettings.model_validate(
        RULE
        | kernel
        | {"time_steps": 10, "learning_rate": [2.0, 1, 1], "weight_bound": 4.0}
        | {"initial_threshold": 1.5, "winning_share": 0.5, "homeostasis_rate": 0.01}
    )
    layer = SpikingLayer(conv, 0, settings, partial(stdp_kernel, **kernel))

    def similarity():
        return functional.cosine_similarity(conv.weight.detach().flatten(1), pattern.flatten(), 1)

    assert similarity().max() < 0.2
    for _ in range(200):
        layer.learn(shown(pattern, 64, generator), share=1.0)
    assert similarity().max() > 0.95
    assert (similarity() > 0.5).sum() == 1  # competition: the others stay away
    # who wins where, with the weights as learned
    patches = shown(pattern, 400, generator).flatten(1)
    contrast = layer._contrast(patches)
    times = first_spikes((0.5 * contrast.abs()).clamp(max=1.0), 10)
    filters = functional.normalize(conv.weight.detach().flatten(1), dim=1)
    winner, fired = compete(times, contrast.sign(), filters, layer.state["thresholds"], 10)
    tuned = similarity() > 0.8
    wins = tuned[winner] & (fired < NEVER)
    assert wins[:100].float().mean() > 0.85
    assert wins[100:].float().mean() < 0.05


def test_lateral_inhibition_decorrelates():
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(5, 5, generator=generator)
    relay = Decorrelation(5, 1e-4, torch.device("cpu"))
    for _ in range(81):
        values = torch.randn(500, 5, generator=generator) @ mixing
        result = relay(values)
    np.testing.assert_allclose(np.cov(result.T), np.eye(5), atol=0.2)
    assert np.abs(np.corrcoef(values.T) - np.eye(5)).max() > 0.5


def test_what_a_layer_carries_lies_where_its_weights_lie():
    conv = nn.Conv2d(3, 4, 3, bias=False)
    settings = StdpSettings.model_validate(RULE)
    # whatever is made without naming a device is made on this one, as if the weights lay elsewhere
    with torch.device("meta"):
        layer = SpikingLayer(conv, 1, settings, partial(stdp_kernel, **KERNEL))
    state = layer.state_dict()
    for name in ("covariance", "lateral", "thresholds", "means"):
        assert state[name].device == conv.weight.device, name


def test_patches_are_squares_of_the_maps_in_the_order_of_a_filters_weights():
    maps = torch.randn(2, 3, 6, 6)
    torch.manual_seed(0)
    patches = draw_patches(maps, 3, 200, in_turn=True)
    weight = torch.randn(4, 3, 3, 3)
    responses = patches @ weight.flatten(1).T
    possible = functional.conv2d(maps, weight).flatten(2).transpose(1, 2)
    for n, response in enumerate(responses):
        assert (possible[n % 2] - response).abs().amax(1).min() < 1e-4
    assert len({tuple(patch.tolist()) for patch in patches}) == 32  # all 4 x 4 places of 2 maps
    with pytest.raises(ConfigurationError, match=r"^patches of 3 x 3 .* 2 x 2; raise training_set"):
        draw_patches(torch.zeros(1, 3, 2, 2), 3, 1)


def test_no_gradient_and_no_label_reaches_the_conv_stack():
    rules = [make_rule(), make_rule()]
    images, labels = some_batch()
    for rule, told in zip(rules, (labels, labels.flip(0)), strict=True):
        torch.manual_seed(6)
        for _ in range(3):
            rule.step(images, told)
        for _, conv, norm in rule.network.blocks():
            assert conv.weight.grad is None
            assert torch.equal(norm.weight, torch.ones_like(norm.weight))
            assert torch.equal(norm.bias, torch.zeros_like(norm.bias))
    one, other = rules
    assert all(torch.equal(conv_weights(one)[name], w) for name, w in conv_weights(other).items())
    assert not torch.equal(one.network.fc1.weight, other.network.fc1.weight)
    assert one.network.fc1.weight.grad.abs().max() > 0


def test_conv_weights_change_by_the_local_rule_and_statistics_once_a_step():
    rule = make_rule()
    twin = copy.deepcopy(rule)
    images, labels = some_batch()
    torch.manual_seed(6)
    rule.step(images, labels)
    torch.manual_seed(6)
    values = images
    for name, conv, norm in twin.network.blocks():
        twin.spiking[name].learn(values, share=1.0)
        torch.testing.assert_close(conv.weight, rule.network.get_submodule(name).weight)
        with torch.no_grad():
            mapped = conv(values)
            values = functional.relu(functional.max_pool2d(norm(mapped), 2))
        kept = rule.network.get_submodule(name.replace("conv", "norm"))
        assert kept.num_batches_tracked == 1
        torch.testing.assert_close(kept.running_mean, 0.1 * mapped.mean((0, 2, 3)))
        variance = 0.9 + 0.1 * mapped.transpose(0, 1).flatten(1).var(dim=1)
        torch.testing.assert_close(kept.running_var, variance)


def test_the_same_seed_gives_the_same_weights_and_a_kept_state_continues():
    def train(rule, seeds, draw):
        torch.manual_seed(draw)
        for seed in seeds:
            rule.step(*some_batch(seed))
        return rule

    whole, same, other = (train(make_rule(), range(4), draw) for draw in (6, 6, 8))
    parted = train(make_rule(), range(2), 6)
    resumed = make_rule()
    resumed.network.load_state_dict(copy.deepcopy(parted.network.state_dict()))
    resumed.load_state_dict(copy.deepcopy(parted.state_dict()))
    for seed in (2, 3):
        resumed.step(*some_batch(seed))
    for name, weight in whole.network.state_dict().items():
        assert torch.equal(weight, same.network.state_dict()[name])
        assert torch.equal(weight, resumed.network.state_dict()[name])
    assert not torch.equal(whole.network.conv1.weight, other.network.conv1.weight)


def test_reading_changes_nothing():
    rule = make_rule()
    images, labels = some_batch()
    rule.step(images, labels)
    rule.network.eval()
    before, random = copy.deepcopy(rule.state_dict()["spiking"]), torch.get_rng_state()
    with guards.unchanged_state(rule.network, "reading", rule.state_dict), torch.no_grad():
        rule.layers(images)
        rule.classify(images)
    assert torch.equal(torch.get_rng_state(), random)
    for name, state in rule.state_dict()["spiking"].items():
        assert all(torch.equal(value, before[name][what]) for what, value in state.items())


@pytest.mark.parametrize(
    ("order", "epoch", "learners"),
    [
        ("together", 1, ["conv1", "conv2", "conv3"]),
        ("together", 2, []),
        ("one-after-another", 0, ["conv1"]),
        ("one-after-another", 3, ["conv2"]),
        ("one-after-another", 5, ["conv3"]),
    ],
)
def test_layers_learn_when_it_is_their_turn(order, epoch, learners):
    rule = make_rule(order=order, learning_rate=[0.5, 0.5, 0.5])
    start = conv_weights(rule)
    rule.start_epoch(epoch)
    logged = rule.step(*some_batch())
    for name, weight in conv_weights(rule).items():
        moved = float((weight - start[name]).norm() / start[name].norm())
        assert moved > 0.01 if name in learners else moved == 0
        assert (logged[f"{name}_winning_share"] > 0) == (name in learners)


def test_diverged_weights_stop_training():
    rule = make_rule()
    rule.network.conv2.weight.data[0, 0, 0, 0] = math.nan
    with pytest.raises(GuardError, match=r"'stdp', seed 3, epoch 1: layer 'conv2'"):
        rule.step(*some_batch())


@pytest.mark.parametrize(
    ("kernel", "fault"),
    [
        (lambda dt: -stdp_kernel(dt, **KERNEL), "does not potentiate"),
        (lambda dt: stdp_kernel(dt, **KERNEL).abs(), "does not depress"),
        (lambda dt: stdp_kernel(dt, **KERNEL) * dt**2, "does not decay"),
        (lambda dt: dt * math.nan, "does not potentiate"),
        # that of the published code: reversed, and growing with |dt|
        (lambda dt: (-dt.clamp(min=0) / 20).exp() - (dt.clamp(max=0) / 20).exp(), "potentiate"),
    ],
)
def test_guard_25_refuses_a_wrong_kernel(kernel, fault):
    with pytest.raises(GuardError, match=fault):
        guards.stdp_kernel_sign(kernel, 10, "rule 'stdp'")
    guards.stdp_kernel_sign(partial(stdp_kernel, **KERNEL), 10, "rule 'stdp'")


@pytest.mark.parametrize("tau", [0.01, 0.5, 1e6])
@pytest.mark.parametrize("time_steps", [3, 10, 1000])
def test_guard_25_accepts_every_legal_time_constant(tau, time_steps):
    constants = {"a_plus": 0.003, "a_minus": 0.003, "tau_plus": tau, "tau_minus": tau}
    kernel = partial(stdp_kernel, **constants)
    guards.stdp_kernel_sign(kernel, time_steps, "rule 'stdp'")
    with pytest.raises(GuardError, match="does not potentiate at t_post - t_pre = 1 "):
        guards.stdp_kernel_sign(lambda dt: kernel(-dt), time_steps, "rule 'stdp'")


def test_guard_25_looks_at_every_interval_that_occurs_and_no_other():
    def reversed_from_25_on(dt):
        return stdp_kernel(dt, **KERNEL) * torch.where(dt.abs() < 25, 1, -1)

    guards.stdp_kernel_sign(reversed_from_25_on, 25, "rule 'stdp'")
    with pytest.raises(GuardError, match="does not potentiate at t_post - t_pre = 25 "):
        guards.stdp_kernel_sign(reversed_from_25_on, 26, "rule 'stdp'")


def test_guard_25_stops_the_pipeline_before_anything_is_written(
    checkpoint_settings, small_training_set, tmp_path, monkeypatch
):
    def reversed_kernel(dt, **constants):
        return stdp_kernel(-dt, **constants)

    outputs = tmp_path / "0.pt", tmp_path / "0.csv"
    monkeypatch.setattr("rulealign.learning.rules.stdp.stdp_kernel", reversed_kernel)
    with pytest.raises(GuardError, match="rule 'stdp': the STDP kernel does not potentiate"):
        trainer.initial_checkpoint(checkpoint_settings("stdp"), 5, small_training_set, *outputs)
    assert list(tmp_path.iterdir()) == []
