"""Rules with losses of their own: each loss by its formula, and which errors cross which blocks."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional

from rulealign.errors import ConfigurationError, GuardError
from rulealign.learning.networks.resnet18 import ResNet18
from rulealign.learning.rules import rule_class
from rulealign.learning.rules.forward_forward import label_patterns
from rulealign.learning.two_views import vicreg_loss

KINDS = ("local_supervised", "forward_forward", "vicreg", "vicreg_local")
LABELLED = KINDS[:2]


def batch(count=12, size=16):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, 3, size, size, generator=generator), torch.arange(count) % 10


def probed(rule, images, labels):
    torch.manual_seed(4)
    return copy.deepcopy(rule).probe(images, labels).update


def written_out(network, values, detach, only=None):
    """Maps of every block, or of one whose input is given, from plain operations."""
    for _, conv, norm in network.blocks() if only is None else network.blocks()[only : only + 1]:
        below = values.detach() if detach else values
        mapped = functional.conv2d(below, conv.weight, padding=1)
        scaled = functional.batch_norm(mapped, None, None, norm.weight, norm.bias, training=True)
        values = functional.max_pool2d(scaled, 2).relu()
        yield values


def averaged(values):
    count, channels, height, width = values.shape
    return values.reshape(count, channels, 2, height // 2, 2, width // 2).mean((3, 5)).flatten(1)


def test_each_block_descends_the_cross_entropy_of_its_own_classifier(make_rule):
    rule = make_rule("local_supervised")
    images, labels = batch()
    update = probed(rule, images, labels)
    for place, (name, conv, norm) in enumerate(rule.network.blocks()):
        values = list(written_out(rule.network, images, detach=True))[place]
        head = rule.heads[name]
        logits = averaged(values) @ head.weight.T + head.bias
        surprise = torch.logsumexp(logits, 1) - logits[torch.arange(12), labels]
        wanted = torch.autograd.grad(surprise.mean(), (conv.weight, norm.weight))
        torch.testing.assert_close(update[f"{name}.weight"], -wanted[0], rtol=1e-3, atol=1e-6)
        torch.testing.assert_close(
            update[f"norm{place + 1}.weight"], -wanted[1], rtol=1e-3, atol=1e-6
        )


def test_the_loss_of_two_views_is_that_of_plain_loops():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 7, 5)) * [0.2, 0.5, 1, 2, 3]
    expected = 25 * np.mean((one - other) ** 2)
    for z in (one, other):
        for unit in range(5):
            spread = np.sqrt(np.var(z[:, unit], ddof=1) + 1e-4)
            expected += 25 / 2 * max(0, 1 - spread) / 5
        covariance = np.cov(z.T)
        expected += sum(covariance[i, j] ** 2 for i in range(5) for j in range(5) if i != j) / 5
    loss = vicreg_loss(torch.from_numpy(one), torch.from_numpy(other)).item()
    assert loss == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("kind", ["vicreg", "vicreg_local"])
def test_the_conv_stack_descends_the_loss_of_two_views(make_rule, kind):
    rule = make_rule(kind)
    images, labels = batch()
    update = probed(rule, images, labels)
    torch.manual_seed(4)
    views = images, rule.second_view(images)
    pairs = zip(
        *(written_out(rule.network, one, kind == "vicreg_local") for one in views), strict=True
    )
    names = [name for name, _, _ in rule.network.blocks()]
    embedded = {
        name: [rule.heads[name](averaged(one)) for one in pair]
        for name, pair in zip(names, pairs, strict=True)
        if name in rule.heads
    }
    assert list(embedded) == (names[-1:] if kind == "vicreg" else names)
    loss = sum(vicreg_loss(*pair) for pair in embedded.values())
    weights = [conv.weight for _, conv, _ in rule.network.blocks()]
    for name, wanted in zip(names, torch.autograd.grad(loss, weights), strict=True):
        torch.testing.assert_close(update[f"{name}.weight"], -wanted, rtol=1e-3, atol=1e-5)


def test_labels_are_waves_whose_mean_is_no_pattern_and_wrong_ones_are_wrong(make_rule):
    patterns = label_patterns(10, 16)
    assert patterns.sum(0).abs().max() < 1e-5
    assert patterns.square().mean().item() == pytest.approx(1)
    distances = torch.cdist(patterns.flatten(1), patterns.flatten(1))
    assert (distances + 100 * torch.eye(10)).min() > 8  # of patterns of length 16
    images, labels = batch(40)
    torch.manual_seed(0)
    shown = make_rule("forward_forward", label_amplitude=0.3).labelled(images, labels)
    added = (shown - images.repeat(2, 1, 1, 1)).mean(1)
    found = (added[:, None] - 0.3 * patterns).abs().amax((2, 3)).argmin(1)
    assert torch.equal(found[:40], labels)
    assert (found[40:] != labels).all()
    assert len(found[40:][labels == 3].unique()) > 1


@pytest.mark.parametrize("form", ["contrast", "channels"])
def test_each_block_descends_the_loss_of_its_own_goodness(make_rule, form):
    rule = make_rule("forward_forward", form="contrast", threshold=1.5)
    rule.settings = rule.settings.model_copy(update={"form": form})
    rule.classes = 10 if form == "contrast" else 3
    images, labels = batch()
    labels = labels % rule.classes
    torch.manual_seed(4)
    losses, _ = copy.deepcopy(rule).losses(images, labels)
    torch.manual_seed(4)
    values = rule.labelled(images, labels) if form == "contrast" else images
    for place, block in enumerate(rule.network.blocks()):
        values = next(written_out(rule.network, values, detach=True, only=place))
        squares = values.detach().double() ** 2
        terms = []
        for image in range(12):
            if form == "contrast":
                right, wrong = squares[image].mean(), squares[12 + image].mean()
                terms += [((1.5 - right).exp() + 1).log() / 2, ((wrong - 1.5).exp() + 1).log() / 2]
            else:
                goodness = torch.stack([squares[image, k::3].mean() for k in range(3)])
                terms += [-goodness.log_softmax(0)[labels[image]]]
        assert losses[block.name].item() == pytest.approx(sum(terms).item() / 12, rel=1e-4)
        values = values / values.square().mean((1, 2, 3), keepdim=True).sqrt()


@pytest.mark.parametrize("kind", KINDS)
def test_errors_cross_blocks_and_labels_reach_them_only_where_the_rule_says_so(make_rule, kind):
    rule = make_rule(kind)
    images, labels = batch()
    before = probed(rule, images, labels)
    relabelled = probed(rule, images, labels.flip(0))
    with torch.no_grad():
        rule.network.conv3.weight.mul_(-1)
        rule.network.fc2.weight.mul_(-1)
    above = probed(rule, images, labels)
    for name in ("conv1.weight", "norm1.bias", "conv2.weight"):
        assert torch.equal(before[name], relabelled[name]) == (kind not in LABELLED)
        assert torch.equal(before[name], above[name]) == (kind != "vicreg")


def test_second_views_are_crops_flips_and_colours_of_the_first(make_rule):
    images, _ = batch(40)
    still = make_rule("vicreg", smallest_crop=1, jitter=0, grey=0).second_view(images)
    mirrored = (still - images.flip(3)).abs().amax((1, 2, 3)) < 1e-4
    same = (still - images).abs().amax((1, 2, 3)) < 1e-4
    assert (mirrored ^ same).all()
    assert 8 < mirrored.sum() < 32
    # in a picture whose value is the column, a crop's values are evenly spaced columns
    slope = torch.arange(16.0).expand(40, 3, 16, 16)
    cut = make_rule("vicreg", smallest_crop=0.5, jitter=0, grey=0).second_view(slope)
    steps = cut[:, 0, 0].diff(dim=1)[:, 2:-2].abs()
    assert (steps.std(1) < 1e-4).all()
    assert 0.5 - 1e-4 < steps.min() < 0.6
    assert 0.9 < steps.max() < 1 + 1e-4
    assert cut.min() >= 0
    assert cut.max() <= 15
    grey = make_rule("vicreg", grey=0.5).second_view(images)
    colourless = (grey - grey[:, :1]).abs().amax((1, 2, 3)) < 1e-6
    assert 8 < colourless.sum() < 32


@pytest.mark.parametrize("kind", KINDS)
def test_running_statistics_are_those_of_one_pass_of_the_images_as_dealt(make_rule, kind):
    rule = make_rule(kind)
    twin = copy.deepcopy(rule.network)
    rule.step(*batch())
    with torch.no_grad():
        twin(batch()[0])
    for name, expected in twin.named_buffers():
        torch.testing.assert_close(rule.network.get_buffer(name), expected, msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_losses_fall_and_a_saved_rule_goes_on(make_rule, kind):
    rule = make_rule(kind)
    images, labels = batch(40)
    torch.manual_seed(3)
    losses = [rule.step(images, labels) for _ in range(20)]
    for name in rule.heads or ("conv1", "conv2", "conv3"):
        start, end = (
            sum(one[f"loss_{name}"] for one in losses[at]) for at in (slice(3), slice(-3, None))
        )
        assert end < 0.99 * start, name
    again = make_rule(kind)
    again.network.load_state_dict(rule.network.state_dict())
    again.load_state_dict(copy.deepcopy(rule.state_dict()))
    for which in (rule, again):
        torch.manual_seed(5)
        which.step(images, labels)
    for name, weight in rule.network.named_parameters():
        assert torch.equal(weight, again.network.get_parameter(name)), name


def test_a_loss_that_is_not_finite_is_blamed_on_its_block(make_rule):
    rule = make_rule("local_supervised")
    with torch.no_grad():
        rule.network.conv2.weight[0, 0, 0, 0] = torch.inf
    with pytest.raises(GuardError, match=r"layer 'conv2': loss_conv2 is nan.*lower the rule's lea"):
        rule.step(*batch())


@pytest.mark.parametrize("kind", KINDS)
def test_networks_without_blocks_and_impossible_settings_are_refused(make_rule, kind):
    other = ResNet18(kind="resnet18", width=1 / 8)
    assert "chain of conv blocks" in rule_class(kind).cannot_teach(other)
    with pytest.raises(ValueError, match="learning_rate"):
        make_rule(kind, learning_rate=0)
    if kind == "forward_forward":
        wider = "a channel per class, and a conv block has 4 for 10 classes; widen"
        with pytest.raises(ConfigurationError, match=wider):
            make_rule(kind, form="channels")
        for key in ("threshold", "label_amplitude"):
            with pytest.raises(ValueError, match=f"{key}: has no meaning for form channels"):
                make_rule(kind, form="channels", **{key: 3})
    if kind not in LABELLED:
        for key, value in {"smallest_crop": 1.2, "jitter": -0.1, "grey": 1, "embedding": 1}.items():
            with pytest.raises(ValueError, match=key):
                make_rule(kind, **{key: value})
