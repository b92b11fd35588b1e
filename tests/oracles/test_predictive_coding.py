"""Predictive coding: its inference, its learning and its locality, against independent answers."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional

from made_rule import made_rule
from rule_settings import NETWORK, RULES
from rulealign.errors import DataError, GuardError
from rulealign.learning.generative import Hierarchy, run_block
from rulealign.learning.weights import initial_network

SETTINGS = {"kind": "pc", "init": "default", **RULES["pc"]}
CONVS = ("conv1", "conv2", "conv3")


@pytest.fixture(autouse=True)
def one_thread():
    """Compute on one thread: threads cost more than these small tensors."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def make_rule(seed=3, network=NETWORK, dtype=torch.float32, **changes):
    return made_rule(SETTINGS | changes, network, seed, dtype=dtype)


def some_images(count=6, side=16, dtype=torch.float32, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, side, side, generator=generator, dtype=torch.float64).to(dtype)


def some_hierarchy(seed, side=8, strength=1.0):
    """Give a hierarchy of 3, 2, 3 and 2 channels, with images and feed-forward values; float64."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    channels = [3, 2, 3, 2]
    pairs = list(zip(channels[1:], channels[:-1], strict=True))
    hierarchy = Hierarchy(
        [strength * draw(above, below, 2, 2) for above, below in pairs],
        [draw(below) for _, below in pairs],
        [1.3, 0.4, 0.9],
        0.6,
    )
    forward = [
        draw(2, above, side >> level, side >> level) for level, above in enumerate((2, 3, 2), 1)
    ]
    return hierarchy, draw(2, 3, side, side), forward


def energy_by_hand(images, states, weights, biases, forward, precision, prior):
    """Compute F from its definition, with a matrix for every 2x2 patch instead of a convolution."""
    total = 0.0
    below = images
    for level, state in enumerate(states):
        patches = torch.einsum("bchw,cdyx->bdhywx", state, weights[level])
        predicted = patches.reshape(below.shape) + biases[level][:, None, None]
        total = total + precision[level] * (below - predicted).square().sum()
        total = total + prior * (state - forward[level]).square().sum()
        below = state
    return total / 2 / len(images)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rate", [0.3, 1.0, 1.9])
def test_inference_lowers_the_energy_at_every_step(seed, rate):
    # predictions from weak to so strong that they rule the curvature
    hierarchy, images, forward = some_hierarchy(seed, strength=10.0 ** (seed - 3))
    energies = hierarchy.settle(images, forward, 10, rate).energies
    assert energies[1] < energies[0]
    # where it has settled, F stays the same to rounding
    assert np.all(np.diff(energies) < 1e-14 * energies[0])


def test_the_energy_is_what_the_rule_says_it_is():
    hierarchy, images, forward = some_hierarchy(0)
    settled = hierarchy.settle(images, forward, 3, 1.0)
    parts = (hierarchy.weights, hierarchy.biases, forward, hierarchy.precision, hierarchy.prior)
    for energy, states in (
        (settled.energies[0], forward),
        (settled.energies[-1], settled.states[1:]),
    ):
        assert energy == pytest.approx(energy_by_hand(images, states, *parts).item(), rel=1e-12)


def test_the_gradient_of_the_states_is_autograds():
    hierarchy, images, forward = some_hierarchy(1)
    states = [state.clone().requires_grad_() for state in some_hierarchy(2)[2]]
    parts = (hierarchy.weights, hierarchy.biases, forward, hierarchy.precision, hierarchy.prior)
    expected = torch.autograd.grad(energy_by_hand(images, states, *parts), states)
    values = [images, *(state.detach() for state in states)]
    ours = hierarchy.state_gradients(values, hierarchy.errors(values), forward)
    for gradient, exact in zip(ours, expected, strict=True):
        torch.testing.assert_close(gradient / len(images), exact, rtol=1e-10, atol=1e-12)


def test_settled_states_solve_the_linear_equations():
    hierarchy, images, forward = some_hierarchy(3)
    shapes = [value.shape[1:] for value in forward]
    sizes = [shape.numel() for shape in shapes]

    def energy(flat):
        states = [
            part.reshape(1, *shape) for part, shape in zip(flat.split(sizes), shapes, strict=True)
        ]
        start = [value[:1] for value in forward]
        parts = (hierarchy.weights, hierarchy.biases, start, hierarchy.precision, hierarchy.prior)
        return energy_by_hand(images[:1], states, *parts)

    # F is quadratic: at its minimum H r = -gradient at 0
    zero = torch.zeros(sum(sizes), dtype=torch.float64)
    curvature = torch.autograd.functional.hessian(energy, zero)
    slope = torch.autograd.functional.jacobian(energy, zero)
    solution = torch.linalg.solve(curvature, -slope)
    settled = hierarchy.settle(images, forward, 3000, 1.5)
    reached = torch.cat([state[0].flatten() for state in settled.states[1:]])
    torch.testing.assert_close(reached, solution, rtol=1e-8, atol=1e-8)
    # and the bound on the curvature is one: D - H has no negative eigenvalue
    bounds = np.repeat(hierarchy.curvatures(), sizes)
    assert np.linalg.eigvalsh(np.diag(bounds) - curvature.numpy()).min() > 0


def fixed_statistics_output(below, weight):
    """Compute a block as a function of its weights, with BatchNorm's statistics held constant."""
    mapped = functional.conv2d(below, weight, padding=1)
    constant = mapped.detach()
    mean, variance = constant.mean((0, 2, 3)), constant.var((0, 2, 3), unbiased=False)
    normed = (mapped - mean[:, None, None]) / (variance + 1e-5).sqrt()[:, None, None]
    return functional.max_pool2d(functional.relu(normed), 2)


def test_every_weight_descends_the_same_energy():
    rule = make_rule(dtype=torch.float64)
    images = some_images(dtype=torch.float64)
    blocks, settled = rule.infer(images)
    ours = [change for group in rule.local_changes(blocks, settled) for change in group]
    convs = [conv.weight.detach().clone().requires_grad_() for conv in rule.convs]
    weights = [value.clone().requires_grad_() for value in rule.hierarchy.weights]
    biases = [value.clone().requires_grad_() for value in rule.hierarchy.biases]
    below = [images, *(block.output.detach() for block in blocks[:-1])]
    forward = [
        fixed_statistics_output(values, weight) for values, weight in zip(below, convs, strict=True)
    ]
    energy = energy_by_hand(
        images, settled.states[1:], weights, biases, forward, SETTINGS["precision"], 0.7
    )
    assert settled.energies[-1] == pytest.approx(energy.item(), rel=1e-9)
    everything = [*convs, *weights, *biases]
    for change, gradient in zip(ours, torch.autograd.grad(energy, everything), strict=True):
        assert change.abs().max() > 0
        torch.testing.assert_close(change, -gradient, rtol=1e-8, atol=1e-12)


def test_the_changes_are_products_of_what_is_at_the_synapse():
    rule = make_rule(dtype=torch.float64)
    images = some_images(count=2, side=8, dtype=torch.float64)
    blocks, settled = rule.infer(images)
    convs, weights, biases = rule.local_changes(blocks, settled)

    error, state = settled.errors[0].numpy(), settled.states[1].numpy()
    expected, expected_bias = np.zeros((4, 3, 2, 2)), np.zeros(3)
    for image, row, column in np.ndindex(2, 8, 8):
        expected_bias += error[image, :, row, column] / 2
        outer = np.outer(state[image, :, row // 2, column // 2], error[image, :, row, column])
        expected[:, :, row % 2, column % 2] += outer / 2
    np.testing.assert_allclose(weights[0].numpy(), expected, rtol=1e-10)
    np.testing.assert_allclose(biases[0].numpy(), expected_bias, rtol=1e-10)

    block = blocks[0]
    post = 0.7 * (settled.states[1] - block.output).detach().numpy()
    normed, scale = block.normed.detach().numpy(), block.scale.numpy()
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)))
    expected = np.zeros((4, 3, 3, 3))
    for image, channel, row, column in np.ndindex(2, 4, 4, 4):
        window = normed[image, channel, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        if window.max() > 0:
            down, right = np.unravel_index(window.argmax(), (2, 2))
            top, left = 2 * row + down, 2 * column + right
            met = padded[image, :, top : top + 3, left : left + 3]
            expected[channel] += post[image, channel, row, column] * scale[channel] * met / 2
    np.testing.assert_allclose(convs[0].numpy(), expected, rtol=1e-9, atol=1e-14)


def test_with_a_strong_prior_the_conv_change_is_the_gradient_of_the_prediction_errors():
    rule = make_rule(dtype=torch.float64)
    images = some_images(dtype=torch.float64)
    blocks, settled = rule.infer(images)
    parts = (rule.hierarchy.weights, rule.hierarchy.biases)
    states = [block.output.detach().requires_grad_() for block in blocks]
    errors = energy_by_hand(images, states, *parts, states, SETTINGS["precision"], 0.0)
    at_states = torch.autograd.grad(errors, states)
    angles = []
    for prior in (0.1, 10.0, 1e5):
        rule.hierarchy.prior = prior
        settled = rule.infer(images)[1]
        angles.append(
            [
                functional.cosine_similarity((state - value).flatten(), -exact.flatten(), 0).item()
                for state, value, exact in zip(settled.states[1:], states, at_states, strict=True)
            ]
        )
    assert np.all(np.diff(angles, axis=0) > 0)
    np.testing.assert_allclose(angles[-1], 1, atol=1e-6)


def test_the_forward_pass_is_the_networks_and_updates_statistics_once():
    network = initial_network(NETWORK, 7, 3, classes=10).train()
    twin = copy.deepcopy(network)
    images = some_images()
    expected = twin.maps(images)
    values = images
    for name, conv, norm in network.blocks():
        values = run_block(conv, norm, values).output
        torch.testing.assert_close(values, expected[name])
    for name, value in twin.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value)
    rule = make_rule(network=twin)
    torch.testing.assert_close(rule.learn_features(images)[0], expected["conv3"])
    assert [norm.num_batches_tracked.item() for _, _, norm in twin.blocks()] == [2, 2, 2]


def conv_weights(rule):
    return {name: rule.network.get_submodule(name).weight.detach().clone() for name in CONVS}


def test_neither_label_nor_readout_reaches_the_conv_stack():
    images = some_images()
    first, second = make_rule(), make_rule()
    with torch.no_grad():
        second.network.fc1.weight.neg_()
    for _ in range(2):
        first.step(images, torch.arange(6))
        second.step(images, torch.arange(6) + 4)
    for name, weight in conv_weights(first).items():
        assert torch.equal(weight, conv_weights(second)[name])
    assert not torch.equal(first.network.fc2.weight, second.network.fc2.weight)


@pytest.mark.parametrize(("steps", "reached"), [(1, False), (2, True)])
def test_an_error_travels_one_level_per_inference_step(steps, reached):
    images = some_images()
    changes = []
    for strength in (1.0, 3.0):
        rule = make_rule(inference_steps=steps)
        rule.hierarchy.curvatures = lambda: [10.0, 10.0, 10.0]
        with torch.no_grad():
            # r_3 predicts r_2 in another way: e_2 changes, two levels above the image's error
            rule.hierarchy.weights[2].mul_(strength)
        changes.append(rule.local_changes(*rule.infer(images))[0])
    same = [torch.equal(one, other) for one, other in zip(*changes, strict=True)]
    assert same == [not reached, False, False]


def test_conv3_does_not_matter_to_conv1_within_one_step():
    images = some_images()
    changes = []
    for sign in (1, -1):
        rule = make_rule(inference_steps=1)
        with torch.no_grad():
            rule.network.conv3.weight.mul_(sign)
        changes.append(rule.local_changes(*rule.infer(images))[0])
    assert torch.equal(changes[0][0], changes[1][0])
    assert not torch.equal(changes[0][1], changes[1][1])


def test_every_layer_learns_and_batch_norm_keeps_its_affine():
    rule = make_rule()
    before = {name: value.clone() for name, value in rule.network.state_dict().items()}
    predictions = [value.clone() for value in rule.hierarchy.weights]
    for batch in range(20):
        rule.step(some_images(seed=batch), torch.arange(6))
    for name in (*CONVS, "fc1", "fc2"):
        weight = rule.network.get_submodule(name).weight
        old = before[f"{name}.weight"]
        assert (weight - old).norm() > 0.01 * old.norm(), name
    for old, new in zip(predictions, rule.hierarchy.weights, strict=True):
        assert (new - old).norm() > 0.01 * old.norm()
    for _, _, norm in rule.network.blocks():
        assert torch.all(norm.weight == 1)
        assert torch.all(norm.bias == 0)


def test_learning_lowers_the_settled_energy():
    rule = make_rule()
    images = functional.interpolate(some_images(side=4), scale_factor=4.0)
    settled = []
    for _ in range(60):
        logged = rule.step(images, torch.arange(6))
        energies = [logged[f"energy_{step}"] for step in range(5)]
        assert np.all(np.diff(energies) < 0)
        settled.append(energies[-1])
    assert settled[-1] < 0.5 * settled[0]
    # the forward pass comes closer to what inference finds, too
    assert energies[0] < 0.5 * settled[0]


def test_conv_weights_alone_lower_the_energy_of_the_forward_pass():
    rule = make_rule(prediction_learning_rate=1e-12)
    images = functional.interpolate(some_images(side=4), scale_factor=4.0)
    energies = [rule.step(images, torch.arange(6))["energy_0"] for _ in range(40)]
    assert energies[-1] < 0.9 * energies[0]


def test_too_large_a_rate_is_stopped_by_name():
    rule = make_rule(inference_rate=40.0)
    rule.start_epoch(2)
    with pytest.raises(
        GuardError, match=r"rule 'pc', seed 3, epoch 3: layer 'conv\d'.*inference_rate"
    ):
        rule.step(some_images(), torch.arange(6))


def test_an_energy_that_is_not_finite_is_stopped():
    rule = make_rule()
    with torch.no_grad():
        rule.network.conv2.weight[0, 0, 0, 0] = torch.nan
    with pytest.raises(GuardError, match="layer 'conv2', feed-forward value"):
        rule.step(some_images(), torch.arange(6))
    rule = make_rule()
    rule.hierarchy.weights[1][0, 0, 0, 0] = torch.nan
    with pytest.raises(GuardError, match="nan"):
        rule.step(some_images(), torch.arange(6))


def test_images_that_pooling_would_crop_are_refused():
    with pytest.raises(DataError, match=r"20 x 20.*multiples of 8"):
        make_rule().step(some_images(side=20), torch.arange(6))


def test_same_seed_same_weights_and_predictions_of_their_own():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, same, other = make_rule(), make_rule(), make_rule(seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    for level in range(3):
        weight = first.hierarchy.weights[level]
        assert weight.abs().max() <= len(weight) ** -0.5
        assert not torch.equal(weight, other.hierarchy.weights[level])
    for rule in (first, same):
        torch.manual_seed(1)
        for batch in range(3):
            rule.step(some_images(seed=batch), torch.arange(6))
    for name, value in first.network.state_dict().items():
        assert torch.equal(value, same.network.state_dict()[name])


def test_a_run_that_is_taken_up_again_continues_the_same(tmp_path):
    def train(rule, batches):
        for batch in batches:
            torch.manual_seed(batch)
            rule.step(some_images(seed=batch), torch.arange(6))

    through = make_rule()
    train(through, range(4))
    stopped = make_rule()
    train(stopped, range(2))
    kept = {"rule": stopped.state_dict(), "network": stopped.network.state_dict()}
    torch.save(kept, tmp_path / "state.pt")
    loaded = torch.load(tmp_path / "state.pt", weights_only=True)
    resumed = make_rule(seed=9)
    resumed.network.load_state_dict(loaded["network"])
    resumed.load_state_dict(loaded["rule"])
    resumed.start_epoch(0)
    train(resumed, range(2, 4))
    for name, value in through.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name
    for one, other in zip(through.hierarchy.weights, resumed.hierarchy.weights, strict=True):
        assert torch.equal(one, other)


def test_all_rates_follow_the_schedule():
    rule = make_rule()
    rule.start_epoch(3)
    rates = [learner.param_groups[0]["lr"] for learner, _ in rule.learners.values()]
    # half of a cosine of 6 epochs
    assert rates == pytest.approx([0.5e-3, 0.5e-2])


def test_the_probe_shows_the_hebbian_change_and_leaves_the_weights():
    rule = make_rule()
    images, labels = some_images(), torch.arange(6)
    before = {name: value.detach().clone() for name, value in rule.network.named_parameters()}
    update, errors = rule.probe(images, labels)
    for name, value in rule.network.named_parameters():
        assert torch.equal(value, before[name])
    assert update.keys() == before.keys()
    blocks, settled = rule.infer(images)
    for name, change, state, block in zip(
        CONVS, rule.local_changes(blocks, settled)[0], settled.states[1:], blocks, strict=True
    ):
        torch.testing.assert_close(update[f"{name}.weight"], change)
        torch.testing.assert_close(errors[name], (state - block.output).detach().flatten(1))
    # fc2's bias: mean of (one-hot - probability), so it sums to 0 and rises for the shown labels
    assert update["fc2.bias"].sum().abs() < 1e-6
    assert update["fc2.bias"][:6].sum() > 0
    assert torch.all(update["norm1.weight"] == 0)
