"""Diagnostics of learning: closed forms, hand-computed numbers, and planted faults."""

import math
from contextlib import nullcontext
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from rule_settings import altered
from rulealign.errors import DataError, GuardError
from rulealign.learning import diagnostics, measures, trainer
from rulealign.learning.batches import LabelledImages
from rulealign.learning.rule import LearningRule, Probe
from rulealign.learning.run import start_run
from rulealign.store import read_csv

SEED = 5
LAYERS = ["conv1", "conv2", "conv3", "fc1", "fc2"]
CPU = torch.device("cpu")


@pytest.fixture
def shown():
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(12, 3, 32, 32, generator=generator)
    held_out = torch.randint(0, 256, (20, 32, 32, 3), generator=generator, dtype=torch.uint8)
    return diagnostics.Shown(images, torch.arange(12) % 10, held_out, 11)


def a_run(settings, **network):
    settings = altered(settings, network=network)
    return start_run(settings, SEED, CPU, classes=10)


def angles(run, shown, state=None):
    state = state or run.network.state_dict()
    exact = diagnostics.plain_gradient(run, state, shown)
    own = diagnostics.rule_probe(run, 0, shown)
    return {name: measures.angle(own.update[name], exact.update[name]) for name in exact.update}


# --- effective rank -------------------------------------------------------------------------------


def test_errors_along_one_direction_have_rank_1():
    errors = torch.outer(torch.linspace(-1, 2, 9), torch.arange(40.0))
    assert measures.effective_rank(errors) == pytest.approx(1, abs=1e-6)
    assert measures.effective_rank(errors * 1e-9) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("count", [2, 5, 9])
@pytest.mark.parametrize("wide", [True, False])
def test_k_equal_orthogonal_directions_have_rank_k(count, wide):
    basis, _ = torch.linalg.qr(torch.randn(50, count, generator=torch.Generator().manual_seed(2)))
    errors = torch.zeros(9, 50)
    errors[:count] = 3 * basis.T
    for rank in (measures.effective_rank, measures.stable_rank):
        assert rank(errors if wide else errors.T) == pytest.approx(count, rel=1e-5)


def test_unequal_directions_have_the_exponential_of_their_entropy():
    errors = torch.diag(torch.tensor([6.0, 3.0, 1.0]))
    shares = np.array([0.6, 0.3, 0.1])
    expected = np.exp(-(shares * np.log(shares)).sum())
    assert measures.effective_rank(errors) == pytest.approx(expected, rel=1e-6)
    drawn = torch.randn(8, 3000, generator=torch.Generator().manual_seed(3))
    shares = np.linalg.svd(drawn.numpy().astype(float), compute_uv=False)
    shares /= shares.sum()
    expected = np.exp(-(shares * np.log(shares)).sum())
    assert measures.effective_rank(drawn) == pytest.approx(expected, rel=1e-9)


def test_the_stable_rank_is_the_squared_norms_ratio():
    errors = torch.diag(torch.tensor([6.0, 3.0, 1.0]))
    assert measures.stable_rank(errors) == pytest.approx((36 + 9 + 1) / 36, rel=1e-9)
    drawn = torch.randn(8, 3000, generator=torch.Generator().manual_seed(3)).numpy()
    expected = (np.linalg.norm(drawn.astype(float)) / np.linalg.norm(drawn.astype(float), 2)) ** 2
    assert measures.stable_rank(torch.from_numpy(drawn)) == pytest.approx(expected, rel=1e-9)


def test_no_errors_have_no_rank():
    for rank in (measures.effective_rank, measures.stable_rank):
        assert math.isnan(rank(None))
        assert math.isnan(rank(torch.zeros(4, 6)))


# --- angles ---------------------------------------------------------------------------------------


def test_angles_by_hand():
    one = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    for degrees in (0, 1e-5, 30, 90, 150, 180):
        radians = math.radians(degrees)
        other = torch.tensor([[math.cos(radians), math.sin(radians)], [0, 0]]).double() * 7
        assert measures.angle(one, other) == pytest.approx(degrees, rel=1e-6, abs=1e-12)
    assert math.isnan(measures.angle(one, torch.zeros(2, 2)))
    assert math.isnan(measures.angle(None, one))


def test_backpropagation_is_at_0_degrees_to_itself_whatever_the_dropout(checkpoint_settings, shown):
    found = angles(a_run(checkpoint_settings("bp"), dropout=0.5), shown)
    assert set(found.values()) == {0.0}


class Ascent(LearningRule):
    """Proposes the gradient itself: uphill; and draws random numbers before it does."""

    def probe(self, images, labels):
        torch.rand(7)
        self.network.zero_grad()
        functional.cross_entropy(self.network(images), labels).backward()
        return Probe({n: 5 * value.grad for n, value in self.network.named_parameters()}, {})


def test_a_rule_that_climbs_is_at_180_degrees_though_it_draws_other_numbers_first(
    checkpoint_settings, shown
):
    run = a_run(checkpoint_settings("bp"), dropout=0.5)
    object.__setattr__(run, "rule", Ascent(run.network, run.rule.settings, run.rule.course))
    found = angles(run, shown)
    assert all(value == pytest.approx(180, abs=1e-4) for value in found.values())
    # without the shared dropout mask, the two are not opposite
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagnostics, "same_dropout", lambda *_: nullcontext())
        assert min(angles(run, shown).values()) < 179


def test_a_rule_is_asked_at_its_rates_of_that_epoch_and_of_the_last_one_at_the_end(
    checkpoint_settings, shown
):
    for epoch, expected in ((0, 0), (4, 4), (6, 5)):  # schedule_epochs is 6: its rate there is 0
        run = a_run(checkpoint_settings("bp"))
        diagnostics.rule_probe(run, epoch, shown)
        assert run.rule.epoch == expected
        assert run.rule.optimizer.param_groups[0]["lr"] > 0


def test_feedback_through_the_weights_themselves_is_at_0_degrees(checkpoint_settings, shown):
    run = a_run(checkpoint_settings("fa"))
    random = angles(run, shown)
    run = a_run(checkpoint_settings("fa"))
    for name in run.rule.feedback:
        run.rule.feedback[name] = run.network.get_submodule(name).weight.detach().clone()
    aligned = angles(run, shown)
    for name in ("conv1.weight", "conv2.weight", "conv3.weight", "fc1.weight"):
        assert aligned[name] < 0.01
        assert random[name] > 20
    # the last layer's error is the same under both
    assert random["fc2.weight"] == pytest.approx(0, abs=0.01)


def test_dropout_is_shared_and_the_random_state_left_alone(checkpoint_settings):
    network = a_run(checkpoint_settings("bp"), dropout=0.5).network
    ones, masks = torch.ones(4, 16), []
    for before in (0, 3):
        torch.manual_seed(before)
        expected = torch.get_rng_state()
        with diagnostics.same_dropout(network, 11):
            masks += [network.dropout(ones), network.dropout(ones)]
        assert torch.equal(torch.get_rng_state(), expected)
    assert all(torch.equal(mask, masks[0]) for mask in masks)
    assert 0 < int((masks[0] == 0).sum()) < 64
    assert not torch.equal(network.dropout(ones), network.dropout(ones))


# --- movement, dead units, drift ------------------------------------------------------------------


def test_weight_change_by_hand():
    initial = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    now = torch.tensor([[3.0, 1.0], [2.0, 2.0]])
    # |W - W0| = sqrt(1 + 4 + 4) = 3, |W0| = 5
    assert measures.weight_change(now, initial) == pytest.approx(0.6, rel=1e-12)
    assert measures.weight_change(initial, initial) == 0


def test_planted_dead_channels_are_counted(checkpoint_settings, shown):
    settings = checkpoint_settings("bp")
    run = a_run(settings)
    alive = measures.dead_units(run.rule, shown.held_out, settings.training, "a network")
    assert alive["conv1"] == alive["conv2"] == 0
    with torch.no_grad():
        for channel in (1, 4, 5):
            run.network.norm2.weight[channel], run.network.norm2.bias[channel] = 0, -1
        run.network.fc1.weight[:4], run.network.fc1.bias[:4] = 0, -1
        # a unit that one image in 20 wakes up is not dead
        run.network.fc1.weight[4:], run.network.fc1.bias[4:] = 0, 1
    dead = measures.dead_units(run.rule, shown.held_out, settings.training, "a network")
    assert (dead["conv1"], dead["conv2"], dead["fc1"]) == (0, 3 / 6, 4 / 16)
    assert sorted(dead) == ["conv1", "conv2", "conv3", "fc1"]
    assert run.network.training


def test_a_unit_that_one_image_wakes_is_alive(checkpoint_settings):
    settings = checkpoint_settings("bp")
    run = a_run(settings)
    values = torch.zeros(40, 3)
    values[5, 0], values[37, 1] = 0.1, 0.1  # in the first and in the last batch of 16
    shown = iter(values.split(16))
    run.network.layers = lambda images: {"fc1": next(shown)}
    images = torch.zeros(40, 8, 8, 3, dtype=torch.uint8)
    dead = measures.dead_units(run.rule, images, settings.training, "a network")
    assert dead == {"fc1": 1 / 3}


def test_a_unit_is_dead_by_its_relu_also_under_a_rule_that_reads_settled_states(
    checkpoint_settings,
):
    settings = checkpoint_settings("pc_2026")
    run = a_run(settings)
    with torch.no_grad():
        run.network.norm1.weight[:3], run.network.norm1.bias[:3] = 0, -1
    images = torch.randint(0, 256, (20, 16, 16, 3), dtype=torch.uint8)
    run.network.eval()
    with torch.no_grad():
        states = run.rule.layers(diagnostics.normalise(images, settings.training))["conv1"]
    assert (states != 0).all(0).flatten(1).any(1).all()  # nothing looks dead in the states
    dead = measures.dead_units(run.rule, images, settings.training, "a network")
    assert dead["conv1"] == 3 / 4


def test_reading_that_changes_the_network_is_refused(checkpoint_settings, shown):
    settings = checkpoint_settings("bp")
    run = a_run(settings)
    read = run.network.layers

    def careless(images):
        run.network.norm1.running_mean += 1
        return read(images)

    run.network.layers = careless
    with pytest.raises(GuardError, match=r"a network: the measurement changed.*norm1"):
        measures.dead_units(run.rule, shown.held_out, settings.training, "a network")
    run = a_run(settings)
    read = run.network.layers

    def learning(images):
        run.rule.optimizer.param_groups[0]["lr"] /= 2
        return read(images)

    run.network.layers = learning
    with pytest.raises(GuardError, match=r"the rule's state, first 'optimizer.*0\.lr"):
        measures.dead_units(run.rule, shown.held_out, settings.training, "a network")
    run = a_run(settings)
    run.network.norm3.train = lambda mode=True: run.network.norm3
    with pytest.raises(GuardError, match="norm3"):
        measures.dead_units(run.rule, shown.held_out, settings.training, "a network")


def test_norm_drift_by_hand(checkpoint_settings):
    network = a_run(checkpoint_settings("bp")).network
    norm = network.norm1
    norm.eps = 0.0

    def state(means, variances):
        norm.running_mean.copy_(torch.tensor(means))
        norm.running_var.copy_(torch.tensor(variances))
        return {name: value.clone() for name, value in network.state_dict().items()}

    before = state([0.0, 1.0, 2.0, 3.0], [4.0, 1.0, 0.25, 1.0])
    now = state([2.0, 0.0, 2.0, 3.0], [4.0, math.e, 0.25 / math.e, 1.0])
    # 2 / 2, 1 / 1, 0, 0; and |ln| of 1, e, 1 / e, 1
    found = measures.norm_drift(network, norm, now, before)
    assert found == pytest.approx((0.5, 0.5), rel=1e-6)
    assert all(map(math.isnan, measures.norm_drift(network, norm, now, None)))


# --- guard 15 -------------------------------------------------------------------------------------


def test_the_same_gradient_twice_is_the_same_on_the_cpu(checkpoint_settings, shown):
    run = a_run(checkpoint_settings("bp"), dropout=0.5)
    found = diagnostics._directions(run, 0, run.network.state_dict(), shown)
    assert {row["rerun_drift"] for row in found.values()} == {0.0}


def test_a_gradient_that_differs_from_run_to_run_is_seen(checkpoint_settings, shown, monkeypatch):
    run = a_run(checkpoint_settings("bp"))
    exact, calls = diagnostics.probe_gradient, []

    def restless(*arguments):
        probe = exact(*arguments)
        calls.append(1)
        probe.update["conv2.weight"][0, 0, 0, 0] += 0.25 * len(calls)
        return probe

    monkeypatch.setattr(diagnostics, "probe_gradient", restless)
    found = diagnostics._directions(run, 0, run.network.state_dict(), shown)
    drifts = {name: row["rerun_drift"] for name, row in found.items()}
    assert drifts.pop("conv2") == pytest.approx(0.25, rel=1e-5)
    assert set(drifts.values()) == {0.0}


def test_the_largest_drift_of_a_network_is_in_the_log(
    checkpoint_settings, chain, small_training_set, tmp_path, monkeypatch, capsys
):
    settings = checkpoint_settings("bp")
    paths = chain(settings, [0, 1])
    written(settings, paths, small_training_set, tmp_path)
    assert "seed 5: the same gradient computed twice differs by 0 at" in capsys.readouterr().out
    exact, calls = diagnostics.probe_gradient, []

    def restless(*arguments):  # called by us twice per epoch, then by the rule from elsewhere
        probe = exact(*arguments)
        calls.append(1)
        probe.update["conv2.weight"][0, 0, 0, 0] += 2.0 ** len(calls)
        return probe

    monkeypatch.setattr(diagnostics, "probe_gradient", restless)
    written(settings, paths, small_training_set, tmp_path)
    expected = "twice differs by 8 at most (layer 'conv2', epoch 1)"  # 2^4 - 2^3; at 0: 2^2 - 2
    assert expected in capsys.readouterr().out


# --- the whole table ------------------------------------------------------------------------------


@pytest.fixture
def chain(tmp_path, small_training_set):
    def run(settings, epochs):
        paths = {epoch: tmp_path / f"{settings.arm.rule}_{epoch}.pt" for epoch in epochs}
        log = tmp_path / "log.csv"
        trainer.initial_checkpoint(settings, SEED, small_training_set, paths[0], log)
        for before, now in pairwise(epochs):
            where = (paths[before], before, now, small_training_set, paths[now], log)
            trainer.train_stretch(settings, SEED, *where)
        return paths

    return run


def written(settings, paths, training_set, folder, name="d.csv"):
    diagnostics.write_diagnostics(
        settings, SEED, paths, training_set, folder / name, folder / f"{name}.h5"
    )
    return read_csv(folder / name)


FROZEN = {"readout": ["conv1", "conv2", "conv3"], "pc_2026": ["conv3"]}
"""Rule -> layers that it leaves as they are."""

OTHER_FEEDBACK = ("fa", "dfa", "sign_symmetry", "kolen_pollack", "weight_mirror", "burst")
"""Rules that send other errors below fc2 than bp."""

WITH_ERRORS = ("bp", *OTHER_FEEDBACK, "pc_supervised", "pc_error", "target_propagation")
OF_THEIR_OWN = ("local_supervised", "forward_forward", "vicreg", "vicreg_local")
"""Rules whose conv blocks have losses of their own, and errors from them."""

ERRORS = dict.fromkeys((*WITH_ERRORS, *OF_THEIR_OWN), LAYERS)
ERRORS["pc"] = ["conv1", "conv2", "conv3"]
"""Rule -> layers that have an error signal."""

NOT_OF_THE_FORWARD_PASS = ("pc_2026", "stdp", "pc_supervised", "pc_error")
"""Rules whose readout learns from other features, or another error, than bp's at these weights."""


def test_a_chain_gives_a_row_per_epoch_and_layer(
    checkpoint_settings, chain, small_training_set, tmp_path, trained_kind
):
    kind = trained_kind
    settings = checkpoint_settings(kind)
    paths = chain(settings, [0, 1, 6])
    table = written(settings, paths, small_training_set, tmp_path)
    assert not table.duplicated(["rule", "seed", "epoch", "layer"]).any()
    assert len(table) == 3 * 5
    states = {epoch: torch.load(path, weights_only=True) for epoch, path in paths.items()}
    by = table.set_index(["epoch", "layer"])
    for (epoch, layer), row in by.iterrows():
        one, other = (states[e]["network"][f"{layer}.weight"].numpy() for e in (epoch, 0))
        expected = np.linalg.norm(one - other) / np.linalg.norm(other)
        assert row["weight_change"] == pytest.approx(expected, rel=1e-5)
    norms = by["norm_mean_drift"].unstack("layer")
    assert norms.loc[0].isna().all()
    means = {epoch: state["network"]["norm2.running_mean"] for epoch, state in states.items()}
    spread = (states[1]["network"]["norm2.running_var"] + 1e-5).sqrt()
    expected = float(((means[6] - means[1]).abs() / spread).mean())  # since 1, not since 0
    assert norms.loc[6, "conv2"] == pytest.approx(expected, rel=1e-5)
    assert norms[["fc1", "fc2"]].isna().all(axis=None)
    assert (table["rerun_drift"] == 0).all()
    angle = by["angle_to_bp"].unstack("layer")
    frozen = FROZEN.get(kind, [])
    learning = [layer for layer in LAYERS if layer not in frozen]
    assert angle[frozen].isna().all(axis=None)
    assert angle[learning].notna().all(axis=None)  # also at the schedule's end
    assert (by.loc[6].loc[frozen, "weight_change"] == 0).all()
    assert (by.loc[6].loc[learning, "weight_change"] > 0).all()
    ranks = by["effective_rank"].unstack("layer")
    assert (ranks[ERRORS.get(kind, [])] >= 1).all(axis=None)
    assert ranks.notna().sum().sum() == 3 * len(ERRORS.get(kind, []))
    if kind == "bp":
        assert (angle == 0).all(axis=None)
    elif kind not in NOT_OF_THE_FORWARD_PASS:  # fc2's own gradient is exact in all of these
        assert (angle["fc2"] < 0.01).all()
        assert (angle["fc1"] < 0.01).all() == (kind not in OTHER_FEEDBACK)


def test_a_rule_that_does_not_train_has_no_direction(
    checkpoint_settings, chain, small_training_set, tmp_path
):
    settings = checkpoint_settings("untrained_bn")
    table = written(settings, chain(settings, [0]), small_training_set, tmp_path)
    assert list(table["layer"]) == ["conv1", "conv2", "conv3", "fc1", "fc2"]
    assert (table["weight_change"] == 0).all()
    of_errors = ["angle_to_bp", "effective_rank", "stable_rank", "rerun_drift"]
    assert table[of_errors].isna().all(axis=None)
    assert table["dead_units"].notna().sum() == 4


def test_the_same_checkpoints_give_the_same_bytes_and_the_random_state_stays(
    checkpoint_settings, chain, small_training_set, tmp_path
):
    settings = checkpoint_settings("fa")
    paths = chain(settings, [0, 2])
    before = torch.get_rng_state()
    written(settings, paths, small_training_set, tmp_path, "one.csv")
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    written(settings, dict(reversed(paths.items())), small_training_set, tmp_path, "two.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_without_epoch_0_or_with_another_networks_checkpoint_nothing_is_written(
    checkpoint_settings, chain, small_training_set, tmp_path
):
    settings = checkpoint_settings("bp")
    paths = chain(settings, [0, 1])
    with pytest.raises(DataError, match="epoch 0"):
        written(settings, {1: paths[1]}, small_training_set, tmp_path)
    with pytest.raises(GuardError, match="expected epoch 2, found 1"):
        written(settings, {0: paths[0], 2: paths[1]}, small_training_set, tmp_path)
    assert not (tmp_path / "d.csv").exists()


def test_the_batch_is_the_seeds_first_images_as_they_are(
    checkpoint_settings, small_training_set, monkeypatch
):
    settings = checkpoint_settings("bp")
    drawn = diagnostics.training_images(small_training_set, settings, SEED, CPU)
    assert isinstance(drawn, LabelledImages)
    shown = diagnostics._shown(settings, SEED, small_training_set, CPU)
    assert torch.equal(shown.labels, drawn.labels[:16])
    pixel = drawn.images[3, 5, 6].numpy() / 255
    expected = (pixel - np.array([0.5, 0.4, 0.3])) / np.array([0.2, 0.25, 0.3])
    np.testing.assert_allclose(shown.images[3, :, 5, 6].numpy(), expected, rtol=1e-5)
    assert len(shown.held_out) == 30
    monkeypatch.setattr(diagnostics, "DEAD_UNIT_IMAGES", 7)
    assert len(diagnostics._shown(settings, SEED, small_training_set, CPU).held_out) == 7
    assert pd.isna(measures.angle(None, None))
