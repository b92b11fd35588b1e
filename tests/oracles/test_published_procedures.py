"""The procedures published in 2026: each step by plain loops, and the defects that they keep."""

import copy
import io
import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from made_rule import made_rule
from rule_settings import NETWORK, RULES, of_section
from rulealign.errors import GuardError
from rulealign.learning.rules.pc_2026 import PublishedPredictiveCoding, outer_product, predict
from rulealign.learning.rules.stdp import stdp_kernel
from rulealign.learning.rules.stdp_2026 import (
    PublishedSTDP,
    first_spikes,
    mean_kernel,
    published_kernel,
)

READOUT = {"readout_weight_decay": 0.0}  # the gradient alone, to hold against autograd's
SETTINGS = {
    PublishedPredictiveCoding: {
        "kind": "pc_2026",
        "init": "default",
        **RULES["pc_2026"],
        **READOUT,
    },
    PublishedSTDP: {
        "kind": "stdp_2026",
        "init": "kaiming-normal",
        **RULES["stdp_2026"],
        **READOUT,
    },
}
BOTH = pytest.mark.parametrize("kind", list(SETTINGS), ids=["pc_2026", "stdp_2026"])
CONVS = ("conv1", "conv2", "conv3")


def make_rule(kind, seed=3, label="published", dropout=0.3, **changes):
    network = of_section(NETWORK, dropout=dropout)
    return made_rule(SETTINGS[kind] | changes, network, seed, label)


def some_batch(count=12, size=32, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, size, size, generator=generator), torch.arange(count) % 10


def copied(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def predicted_by_loops(state, weight, rows, columns):
    """Spread every value of the state over a 3x3 patch, tanh, and repeat the nearest value."""
    batch, above, height, width = state.shape
    spread = np.zeros((batch, weight.shape[1], height + 2, width + 2))
    for channel in range(above):
        for row in range(height):
            for column in range(width):
                value = state[:, channel, row, column][:, None, None, None]
                spread[:, :, row : row + 3, column : column + 3] += value * weight[channel]
    coarse = np.tanh(spread[:, :, 1:-1, 1:-1])
    result = np.empty((batch, weight.shape[1], rows, columns))
    for row in range(rows):
        for column in range(columns):
            result[:, :, row, column] = coarse[
                :, :, row * height // rows, column * width // columns
            ]
    return result


def settled_by_loops(rule, maps):
    """Ten steps of r_l <- r_l - .02 (r_l - prediction of r_l), in float64."""
    one, two, three = (maps[name].double().numpy() for name in CONVS)
    weights = {name: value.double().numpy() for name, value in rule.prediction.items()}
    for _ in range(10):
        error_one = one - predicted_by_loops(two, weights["conv1"], *one.shape[2:])
        error_two = two - predicted_by_loops(three, weights["conv2"], *two.shape[2:])
        one = one - 0.02 * error_one
        two = two - 0.02 * error_two
    return dict(zip(CONVS, (one, two, three), strict=True))


# pc_2026


@pytest.mark.parametrize(("size", "above"), [((4, 4), (2, 2)), ((7, 5), (3, 2))])
def test_prediction_equals_plain_loops(size, above):
    torch.manual_seed(0)
    state, weight = torch.randn(2, 3, *above).double(), torch.randn(3, 4, 3, 3).double()
    found = predict(state, weight, (2, 4, *size))
    expected = predicted_by_loops(state.numpy(), weight.numpy(), *size)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("size", [32, 56])
def test_layers_and_classes_are_those_of_the_states_after_inference(size):
    rule = make_rule(PublishedPredictiveCoding)
    rule.step(*some_batch())
    network = rule.network.eval()
    images, _ = some_batch(3, size)
    with torch.inference_mode():
        read, logits = rule.layers(images), rule.classify(images)
        maps = network.maps(images)
    expected = settled_by_loops(rule, maps)
    for name in CONVS:
        np.testing.assert_allclose(read[name].numpy(), expected[name], rtol=1e-4, atol=1e-5)
    # the states do move, by far more than the tolerance
    for name in ("conv1", "conv2"):
        assert (read[name] - maps[name]).norm() > 0.05 * maps[name].norm()
    pooled = functional.adaptive_avg_pool2d(torch.tensor(expected["conv3"]).float(), 4)
    fc1 = (pooled.flatten(1) @ network.fc1.weight.T + network.fc1.bias).relu()
    torch.testing.assert_close(read["fc1"], fc1, rtol=1e-4, atol=1e-5)
    expected_logits = fc1 @ network.fc2.weight.T + network.fc2.bias
    torch.testing.assert_close(logits, expected_logits, rtol=1e-4, atol=1e-5)


def test_classes_and_readout_follow_conv3_after_inference_and_not_the_forward_pass():
    # as published, r_3 stays that of the forward pass; here it is made to differ
    rule = make_rule(PublishedPredictiveCoding, dropout=0.0)
    settle = rule.settle

    def silenced(passed):
        settled = settle(passed)
        settled.states["conv3"] = torch.zeros_like(passed["conv3"])
        return settled

    rule.settle = silenced
    images, labels = some_batch()
    network = rule.network
    silent = network.fc2(network.fc1.bias.relu()).detach().expand(12, 10)
    logged = rule.step(images, labels)
    assert logged["loss"] == pytest.approx(functional.cross_entropy(silent, labels).item())
    torch.testing.assert_close(network.fc1.weight.grad, torch.zeros_like(network.fc1.weight))
    with torch.inference_mode():
        now = network.fc2(network.fc1.bias.relu()).expand(12, 10)
        torch.testing.assert_close(rule.classify(images), now)


@pytest.mark.parametrize("clamp", [0.01, 10.0])
def test_pc_step_changes_conv1_and_conv2_as_plain_loops_do(clamp):
    rule = make_rule(PublishedPredictiveCoding, clamp=clamp, weight_rate=0.5)
    images, labels = some_batch()
    images = images + torch.tensor([0.3, -0.2, 0.001])[:, None, None]
    before = copied(rule.network)
    with torch.no_grad():
        maps = copy.deepcopy(rule.network).maps(images)
    settled = settled_by_loops(rule, maps)
    rule.step(images, labels)
    below = {"conv1": images.double().numpy(), "conv2": maps["conv1"].double().numpy()}
    cut = 0
    for name, above in {"conv1": "conv2", "conv2": "conv3"}.items():
        weights = rule.prediction[name].double().numpy()
        state = settled[name]
        error = state - predicted_by_loops(settled[above], weights, *state.shape[2:])
        after = rule.network.get_submodule(name).weight.detach()
        change = (after - before[f"{name}.weight"]).numpy()
        for output in range(error.shape[1]):
            for source in range(below[name].shape[1]):
                product = error[:, output].mean() * below[name][:, source].mean()
                cut += abs(product) > clamp
                expected = 0.5 * min(max(product, -clamp), clamp)
                np.testing.assert_allclose(change[output, source], expected, rtol=1e-3, atol=1e-6)
    assert (cut > 0) == (clamp == 0.01)


def test_outer_product_by_hand():
    # means over batch and positions: errors 2 and -1, inputs .5, 0 and -.004
    error = torch.tensor([[[[1.0, 3.0]], [[-2.0, 0.0]]]])
    inputs = torch.tensor([[[[1.0, 0.0]], [[3.0, -3.0]], [[-0.004, -0.004]]]])
    expected = torch.tensor([[1.0, 0.0, -0.008], [-0.5, 0.0, 0.004]])
    torch.testing.assert_close(outer_product(error, inputs, 10.0), expected)
    clamped = torch.tensor([[0.01, 0.0, -0.008], [-0.01, 0.0, 0.004]])
    torch.testing.assert_close(outer_product(error, inputs, 0.01), clamped)


def test_pc_leaves_conv3_norm_scales_and_prediction_weights_bit_for_bit():
    rule = make_rule(PublishedPredictiveCoding, weight_rate=1.0)
    before, predictions = copied(rule.network), copy.deepcopy(rule.prediction)
    for seed in range(3):
        rule.step(*some_batch(seed=seed))
    after = rule.network.state_dict()
    kept = ["conv3.weight", *(f"norm{n}.{what}" for n in (1, 2, 3) for what in ("weight", "bias"))]
    for name in kept:
        assert torch.equal(after[name], before[name]), name
    for name in ("conv1.weight", "conv2.weight", "fc1.weight", "fc2.bias", "norm3.running_mean"):
        assert not torch.equal(after[name], before[name]), name
    for name, weight in predictions.items():
        assert torch.equal(rule.prediction[name], weight)


def test_pc_readout_learns_by_adam_from_its_exact_gradient():
    rule = make_rule(PublishedPredictiveCoding, dropout=0.0)
    images, labels = some_batch()
    twin = copy.deepcopy(rule.network)
    features = twin.maps(images)["conv3"].detach()
    hidden = functional.linear(features.flatten(1), twin.fc1.weight, twin.fc1.bias).relu()
    functional.cross_entropy(twin.fc2(hidden), labels).backward()
    rule.step(images, labels)
    for name in ("fc1", "fc2"):
        ours, exact = rule.network.get_submodule(name), twin.get_submodule(name)
        torch.testing.assert_close(ours.weight.grad, exact.weight.grad)
        # Adam's first step: rate times g / (|g| + 1e-8)
        gradient = exact.weight.grad
        step = 0.01 * gradient / (gradient.abs() + 1e-8)
        torch.testing.assert_close(ours.weight, exact.weight - step, rtol=1e-3, atol=1e-5)


def test_norm_statistics_are_updated_once_a_step():
    for kind in SETTINGS:
        rule = make_rule(kind)
        rule.step(*some_batch())
        assert rule.network.norm2.num_batches_tracked == 1


def test_prediction_weights_depend_on_label_and_seed_and_leave_the_random_state_alone():
    before = torch.get_rng_state()
    first, same = (make_rule(PublishedPredictiveCoding) for _ in range(2))
    others = (
        make_rule(PublishedPredictiveCoding, label="b"),
        make_rule(PublishedPredictiveCoding, seed=4),
    )
    assert torch.equal(torch.get_rng_state(), before)
    for name, weight in first.prediction.items():
        assert torch.equal(weight, same.prediction[name])
        for other in others:
            assert not torch.equal(weight, other.prediction[name])


# stdp_2026


def settings_of_stdp(**changes):
    return PublishedSTDP.Settings.model_validate(SETTINGS[PublishedSTDP] | changes)


@pytest.mark.parametrize(
    ("interval", "expected"),
    # by hand: .003 exp(-5/20) = .003 x .77880078 = .00233640, less .003; and the other way round
    [(5.0, -0.00066360), (-5.0, 0.00066360), (0.0, 0.0), (10.0, -0.00118041)],
)
def test_published_kernel_by_hand(interval, expected):
    found = published_kernel(torch.tensor(interval), settings_of_stdp()).item()
    assert found == pytest.approx(expected, abs=1e-8)


def test_published_kernel_tells_its_constants_apart():
    settings = settings_of_stdp(a_plus=0.004, a_minus=0.001, tau_plus=10.0, tau_minus=5.0)
    found = published_kernel(torch.tensor([10.0, 0.0, -10.0]), settings)
    # .004 e^-1 - .001; .004 - .001; .004 - .001 e^-2
    expected = torch.tensor([0.00047152, 0.003, 0.00386466])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=0)


def test_published_kernel_and_that_of_stdp_have_opposite_signs_at_every_interval():
    settings = settings_of_stdp()
    intervals = torch.cat([torch.arange(-20.0, 0.0), torch.arange(1.0, 21.0)])
    published = published_kernel(intervals, settings)
    right = stdp_kernel(
        intervals, settings.a_plus, settings.a_minus, settings.tau_plus, settings.tau_minus
    )
    # an input that spiked before its unit, dt > 0, is to be strengthened
    assert (right[intervals > 0] > 0).all()
    assert (published[intervals > 0] < 0).all()
    assert torch.equal(right.sign(), -published.sign())


def test_published_kernel_is_bi_and_poos_with_the_sign_reversed_and_grows_with_the_interval():
    def bi_and_poo(interval):
        strength = 0.003 * math.exp(-abs(interval) / 20)
        return strength if interval > 0 else -strength

    for interval in (-10, -5, -1, 1, 5, 10):
        found = published_kernel(torch.tensor(float(interval)), settings_of_stdp()).item()
        assert found * bi_and_poo(interval) < 0
    sizes = published_kernel(torch.arange(0.0, 30.0), settings_of_stdp()).abs()
    assert (sizes.diff() > 0).all()
    assert all(abs(bi_and_poo(dt + 1)) < abs(bi_and_poo(dt)) for dt in range(1, 29))


def test_first_spikes_are_those_of_the_drawn_trains():
    rates = torch.tensor([[0.05, 0.5, 0.9], [0.0, 0.2, 1.0]])
    torch.manual_seed(3)
    found = first_spikes(rates, 10)
    torch.manual_seed(3)
    drawn = torch.rand(10, 2, 3)
    for image in range(2):
        for channel in range(3):
            spikes = [t for t in range(10) if drawn[t, image, channel] < rates[image, channel]]
            assert found[image, channel] == (spikes[0] if spikes else 10)
    assert found[1].tolist()[::2] == [10, 0]


def test_first_spikes_come_as_often_as_their_rates_say():
    torch.manual_seed(0)
    times = first_spikes(torch.full((40000,), 0.3), 4)
    # the first spike in step t: .7^t .3; none in four steps: .7^4; standard error below .0025
    for step, expected in enumerate([0.3, 0.21, 0.147, 0.1029, 0.2401]):
        assert (times == step).float().mean() == pytest.approx(expected, abs=0.01)


def test_mean_kernel_equals_plain_loops():
    generator = torch.Generator().manual_seed(2)
    pre = torch.randint(0, 11, (5, 3), generator=generator)
    post = torch.randint(0, 11, (5, 4), generator=generator)
    settings = settings_of_stdp(a_minus=0.002, tau_minus=7.0)
    found = mean_kernel(pre, post, settings)
    for output in range(4):
        for source in range(3):
            total = 0.0
            for image in range(5):
                interval = int(post[image, output]) - int(pre[image, source])
                total += 0.003 * math.exp(-max(interval, 0) / 20)
                total -= 0.002 * math.exp(min(interval, 0) / 7)
            assert found[output, source].item() == pytest.approx(total / 5, abs=1e-8)


@pytest.mark.parametrize("clamp", [2e-4, 0.002])
def test_stdp_step_changes_conv_weights_as_plain_loops_do(clamp):
    rule = make_rule(PublishedSTDP, dropout=0.0, clamp=clamp, learning_rate=1.0)
    images, labels = some_batch()
    before, twin = copied(rule.network), copy.deepcopy(rule.network)
    torch.manual_seed(11)
    rule.step(images, labels)
    torch.manual_seed(11)
    values, largest = images, 0.0
    for name, conv, norm in twin.blocks():
        output = conv(values)
        pre, post = values.mean(dim=(2, 3)).sigmoid(), output.mean(dim=(2, 3)).sigmoid()
        pre_times, post_times = first_spikes(pre, 10), first_spikes(post, 10)
        change = rule.network.get_submodule(name).weight.detach() - before[f"{name}.weight"]
        for to in range(post.shape[1]):
            for source in range(pre.shape[1]):
                intervals = (post_times[:, to] - pre_times[:, source]).tolist()
                terms = [
                    0.003 * math.exp(-max(dt, 0) / 20) - 0.003 * math.exp(min(dt, 0) / 20)
                    for dt in intervals
                ]
                mean = sum(terms) / len(terms)
                largest = max(largest, abs(mean))
                expected = torch.full((3, 3), min(max(mean, -clamp), clamp))
                torch.testing.assert_close(change[to, source], expected, rtol=0, atol=3e-7)
        values = functional.max_pool2d(norm(output).relu(), 2)
    # the clamp acts at the smaller value, and cannot act as published
    assert (largest > clamp) == (clamp == 2e-4)


def test_norm_scales_and_readout_get_autograds_gradient_and_conv_weights_none():
    rule = make_rule(PublishedSTDP, dropout=0.0)
    images, labels = some_batch()
    twin = copy.deepcopy(rule.network)
    functional.cross_entropy(twin(images), labels).backward()
    start = copied(rule.network)
    rule.step(images, labels)
    for name, parameter in rule.network.named_parameters():
        exact = dict(twin.named_parameters())[name].grad
        if name.startswith("conv"):
            assert parameter.grad is None
        else:
            torch.testing.assert_close(parameter.grad, exact)
            step = 0.01 * exact / (exact.abs() + 1e-8)
            torch.testing.assert_close(parameter, start[name] - step, rtol=1e-3, atol=1e-4)
    # the error went through conv2 and conv3 to reach the first norm layer
    assert rule.network.norm1.weight.grad.abs().max() > 0


def test_hooks_are_gone_after_a_step():
    rule = make_rule(PublishedSTDP)
    rule.step(*some_batch())
    assert all(not conv._forward_hooks for _, conv, _ in rule.network.blocks())


# both


@BOTH
def test_reading_changes_nothing(kind):
    rule = make_rule(kind)
    rule.step(*some_batch())
    rule.network.eval()
    network, state = copied(rule.network), copy.deepcopy(rule.state_dict())
    random = torch.get_rng_state()
    images, _ = some_batch(4, 224)
    with torch.inference_mode():
        together, logits = rule.layers(images), rule.classify(images)
        alone = rule.layers(images[:1])
    for name, values in together.items():
        torch.testing.assert_close(alone[name], values[:1], rtol=1e-4, atol=1e-5)
    assert logits.shape == (4, 10)
    assert torch.equal(torch.get_rng_state(), random)
    for name, value in rule.network.state_dict().items():
        assert torch.equal(value, network[name]), name
    for name, value in state.get("prediction", {}).items():
        assert torch.equal(rule.prediction[name], value)


@BOTH
def test_one_run_equals_a_resumed_one(kind):
    def train(rule, epochs):
        for epoch in epochs:
            rule.network.train()
            rule.start_epoch(epoch)
            for batch in range(2):
                rule.step(*some_batch(seed=10 * epoch + batch))

    torch.manual_seed(5)
    whole = make_rule(kind)
    train(whole, range(2))
    torch.manual_seed(5)
    first = make_rule(kind)
    train(first, [0])
    kept = io.BytesIO()
    torch.save((first.network.state_dict(), first.state_dict(), torch.get_rng_state()), kept)
    kept.seek(0)
    network, state, random = torch.load(kept, weights_only=True)
    torch.manual_seed(99)
    resumed = make_rule(kind)
    resumed.network.load_state_dict(network)
    resumed.load_state_dict(state)
    torch.set_rng_state(random)
    train(resumed, [1])
    for name, value in whole.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], value), name


def test_prediction_weights_are_taken_from_the_state_that_is_loaded():
    rule = make_rule(PublishedPredictiveCoding)
    zeros = {name: torch.zeros_like(weight) for name, weight in rule.prediction.items()}
    rule.load_state_dict(rule.state_dict() | {"prediction": zeros})
    rule.network.eval()
    images, _ = some_batch(2)
    with torch.inference_mode():
        # nothing is predicted: all states but that of conv3 decay, ten times by 2%
        expected = rule.network.maps(images)["conv1"] * 0.98**10
        torch.testing.assert_close(rule.layers(images)["conv1"], expected)


@BOTH
def test_local_rates_follow_the_schedule(kind):
    changes = {}
    for epoch in (0, 3):
        rule = make_rule(kind)
        rule.start_epoch(epoch)
        torch.manual_seed(0)
        update = rule.probe(*some_batch()).update
        changes[epoch] = update["conv2.weight"]
        assert rule.optimizer.param_groups[0]["lr"] == pytest.approx(0.01 / (1, 2)[epoch == 3])
    # half of a cosine over 6 epochs; the changes are 1e-6, the weights 1e-1 in float32
    assert changes[0].norm() == pytest.approx(2 * changes[3].norm().item(), rel=0.05)


@BOTH
def test_probe_gives_the_change_of_the_step(kind):
    rate = {"weight_rate": 0.1} if kind is PublishedPredictiveCoding else {"learning_rate": 1.0}
    rule = make_rule(kind, dropout=0.0, **rate)
    before, twin = copied(rule.network), copy.deepcopy(rule)
    torch.manual_seed(4)
    probe = twin.probe(*some_batch())
    torch.manual_seed(4)
    rule.step(*some_batch())
    for name, parameter in rule.network.named_parameters():
        if name.startswith("conv"):
            change = parameter.detach() - before[name]
            torch.testing.assert_close(probe.update[name], change, rtol=1e-3, atol=1e-7)
        elif parameter.grad is not None:
            torch.testing.assert_close(probe.update[name], -parameter.grad)
    assert (set(probe.update) - set(before), probe.errors) == (set(), {})


@BOTH
def test_divergence_stops_training_and_names_the_remedy(kind):
    rule = make_rule(kind)
    images, labels = some_batch()
    with pytest.raises(GuardError, match=r"rule 'published', seed 3, epoch 1.*rate"):
        rule.step(images * float("nan"), labels)
