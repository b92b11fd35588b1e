"""Orthogonalised steps against a plain SVD, a restatement by hand, and PyTorch's own optimisers."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from complete_studies import complete
from rulealign.config.load import load_study
from rulealign.errors import ConfigurationError
from rulealign.learning.gradient import GradientSettings, make_optimizer
from rulealign.learning.muon import Muon, muon, orthogonalised

SHAPES = [(64, 27), (32, 288), (48, 48)]


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_vectors_are_kept_and_singular_values_lie_near_1(shape):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        matrix = rng.normal(size=shape) * 10 ** rng.uniform(-6, 3)
        left, values, right = np.linalg.svd(matrix, full_matrices=False)
        found = orthogonalised(torch.tensor(matrix, dtype=torch.float32)).numpy().astype(float)
        inner = left.T @ found @ right.T  # diagonal, if the singular vectors are the same
        kept = values / values.max() > 0.02  # a square matrix has some that are nearly 0
        assert np.diag(inner)[kept].min() > 0.5
        assert np.diag(inner).max() < 1.5
        assert np.abs(inner - np.diag(np.diag(inner))).max() < 1e-4
        outside = found - left @ inner @ right
        assert np.abs(outside).max() < 1e-4


def test_a_gradient_of_zeros_makes_no_step():
    assert not orthogonalised(torch.zeros(4, 6)).any()


def newton_schulz(matrix):
    """Map each singular value by the five quintics of the published code."""
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    values = values / np.sqrt(np.square(values).sum())
    for _ in range(5):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    return left @ np.diag(values) @ right


@pytest.mark.parametrize("out", [6, 40])
def test_steps_of_a_kernel_follow_their_equations_by_hand(out):
    generator = torch.Generator().manual_seed(out)
    kernel = torch.randn(out, 2, 3, 3, generator=generator, dtype=torch.float64)
    expected = kernel.reshape(out, 18).numpy().copy()
    rule = Muon([kernel], [], rate=0.02, lr=1.0, weight_decay=0.1)
    mean = np.zeros_like(expected)
    for _ in range(3):
        kernel.grad = torch.randn(kernel.shape, generator=generator, dtype=torch.float64)
        gradient = kernel.grad.reshape(out, 18).numpy()
        mean = 0.95 * mean + 0.05 * gradient
        update = newton_schulz(0.95 * mean + 0.05 * gradient)
        expected = (1 - 0.02 * 0.1) * expected - 0.02 * max(1, out / 18) ** 0.5 * update
        rule.step()
        np.testing.assert_allclose(kernel.reshape(out, 18).numpy(), expected, rtol=0, atol=1e-6)


def test_a_linear_layer_is_stepped_as_by_pytorch():
    generator = torch.Generator().manual_seed(1)
    own = torch.randn(30, 20, generator=generator)
    theirs = own.clone()
    rule = Muon([own], [], rate=0.02, lr=1.0, weight_decay=0.1)
    # PyTorch orthogonalises in bfloat16, of 8 bits
    oracle = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.1, adjust_lr_fn="original")
    for _ in range(3):
        own.grad = torch.randn(30, 20, generator=generator)
        theirs.grad = own.grad.clone()
        before = own.clone(), theirs.clone()
        rule.step()
        oracle.step()
        steps = own - before[0], theirs - before[1]
        assert (steps[0] - steps[1]).norm() < 0.03 * steps[1].norm()


class Small(nn.Module):
    """Two convolutions, a hidden layer, and logits."""

    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.conv2, self.norm2 = nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6)
        self.fc1, self.fc2 = nn.Linear(6 * 16, 8), nn.Linear(8, 10)

    def forward(self, images):
        values = self.norm2(self.conv2(self.norm1(self.conv1(images)).relu())).relu()
        return self.fc2(self.fc1(values.flatten(1)).relu())


def small():
    torch.manual_seed(0)
    return Small()


@pytest.mark.parametrize(
    ("layers", "named"), [("conv", {"conv2.weight"}), ("all", {"conv2.weight", "fc1.weight"})]
)
def test_first_conv_logits_biases_and_norms_are_left_to_adamw(layers, named):
    network, other = small(), small()
    own = muon(network, layers, rate=0.02, lr=1e-3, weight_decay=0.01)
    oracle = torch.optim.AdamW(other.parameters(), lr=1e-3, weight_decay=0.01)
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        for one, two in zip(network.parameters(), other.parameters(), strict=True):
            one.grad = torch.randn(one.shape, generator=generator)
            two.grad = one.grad.clone()
        own.step()
        oracle.step()
    pairs = zip(network.named_parameters(), other.parameters(), strict=True)
    differ = {name for (name, one), two in pairs if not torch.equal(one, two)}
    assert differ == named


def steps_of(optimizer, network, seeds):
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        images = torch.randn(5, 3, 8, 8, generator=generator)
        optimizer.zero_grad()
        functional.cross_entropy(network(images), torch.arange(5)).backward()
        optimizer.step()


def test_taking_up_the_state_equals_not_having_stopped():
    network = small()
    optimizer = muon(network, "all", rate=0.02, lr=1e-3, weight_decay=0.01)
    steps_of(optimizer, network, range(2))
    state = copy.deepcopy((network.state_dict(), optimizer.state_dict()))
    again = small()
    again.load_state_dict(state[0])
    later = muon(again, "all", rate=0.02, lr=1e-3, weight_decay=0.01)
    later.load_state_dict(state[1])
    steps_of(optimizer, network, range(2, 5))
    steps_of(later, again, range(2, 5))
    for name, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_the_schedule_lowers_both_rates(checkpoint_settings):
    from oracles.test_backpropagation import make_rule

    rule = make_rule(
        checkpoint_settings("bp"), optimizer="muon", learning_rate=0.01, muon={"rate": 0.04}
    )
    rule.start_epoch(3)  # the half of schedule_epochs
    rates = [group["lr"] for group in rule.optimizer.param_groups]
    assert rates == pytest.approx([0.005, 0.02])


def test_the_section_chooses_rate_and_layers():
    settings = GradientSettings(kind="bp", init="default", optimizer="muon", muon={"layers": "all"})
    groups = make_optimizer(small(), settings).param_groups
    assert [len(group["params"]) for group in groups] == [10, 2]
    assert groups[1]["lr"] == 0.02


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"optimizer": "muon", "momentum": 0.9}, r"momentum: 0\.9 has no meaning for muon; put 0"),
        ({"muon": {"rate": 0.1}}, "muon: has no meaning for adam; remove it, or set optimizer"),
        ({"optimizer": "muon", "muon": {"rat": 1}}, r"muon\.rat: unknown key .* mean `rate`"),
    ],
)
def test_what_belongs_to_one_optimiser_is_given_to_no_other(project, changed, message):
    study = complete(project / "workflow_config.yaml")
    study["rules"]["bp"] |= changed
    with pytest.raises(ConfigurationError, match=rf"rules\.bp\.{message}"):
        load_study(study)
