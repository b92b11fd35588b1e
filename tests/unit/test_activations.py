"""Activations: what is written is what the frozen network computes, whatever the batch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rulealign import store
from rulealign.activations import describe, write_activations
from rulealign.arm import Arm
from rulealign.errors import DataError, GuardError
from rulealign.learning import checkpoint as checkpoints
from rulealign.learning import trainer
from rulealign.learning.chain import Chain
from rulealign.learning.rules.bp import Backpropagation
from rulealign.learning.trainer import use_threads
from rulealign.learning.weights import build_network
from rulealign.plan.settings.activations import ActivationSettings
from rulealign.provenance import fingerprint

SEED = 5
IDS = [f"image_{number:02d}" for number in range(11)]


@pytest.fixture
def trained(checkpoint_settings, small_training_set, tmp_path):
    """Give the settings and path of a trained checkpoint."""
    settings = checkpoint_settings("bp")
    paths = [tmp_path / f"{epoch}.pt" for epoch in (0, 1)]
    logs = [path.with_suffix(".csv") for path in paths]
    trainer.initial_checkpoint(settings, SEED, small_training_set, paths[0], logs[0])
    trainer.train_stretch(settings, SEED, paths[0], 0, 1, small_training_set, paths[1], logs[1])
    return settings, paths[1]


def activation_settings(settings, **changes):
    usual = ActivationSettings(
        checkpoint_settings_hash=fingerprint(settings.plain()),
        mean=settings.training.mean,
        std=settings.training.std,
        layers=["conv1", "conv3", "fc1"],
        descriptors=["global-average", "grid-4"],
        batch_size=4,
        device="cpu",
    )
    return replace(usual, **changes)


KNOWN = {"arm": Arm("cnn3", "bp"), "seed": SEED, "epoch": 1, "size": 24}
"""Of which network and at which size."""


def write_stimuli(folder, label="grey_1", size=24, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (11, size, size, 3), dtype=np.uint8)
    path = folder / f"stim-{label}_px-{size}_images.h5"
    store.write_h5(path, {"images": pixels}, ids={"stimulus": IDS}, settings={})
    return path, pixels


def output_path(folder, label="grey_1", size=24):
    return folder / f"rule-bp_seed-5_epoch-1_stim-{label}_px-{size}.h5"


def test_written_activations_equal_a_plain_forward_pass(trained, tmp_path):
    settings, checkpoint = trained
    stimuli, pixels = write_stimuli(tmp_path)
    told = activation_settings(settings)
    write_activations(checkpoint, [stimuli], [output_path(tmp_path)], told, **KNOWN)

    network = build_network(settings.network, 10)
    network.load_state_dict(torch.load(checkpoint, weights_only=True)["network"])
    mean, std = (np.array(one) for one in (settings.training.mean, settings.training.std))
    shown = ((pixels / 255 - mean) / std).transpose(0, 3, 1, 2).astype(np.float32)
    with torch.no_grad():
        layers = network.eval().layers(torch.from_numpy(shown))
    conv1, conv3 = layers["conv1"].numpy(), layers["conv3"].numpy()
    expected = {
        "conv1/global-average": conv1.mean((2, 3)),
        # 12 x 12 positions in 4 x 4 regions of 3 x 3
        "conv1/grid-4": conv1.reshape(11, 4, 4, 3, 4, 3).mean((3, 5)).reshape(11, -1),
        "conv3/global-average": conv3.mean((2, 3)),
        # 3 x 3 positions: fewer than the grid has, so kept as they are
        "conv3/grid-4": conv3.reshape(11, -1),
        "fc1/vector": layers["fc1"].numpy(),
    }
    with store.open_h5(output_path(tmp_path)) as file:
        found = [f"{layer}/{name}" for layer in file if layer != "ids" for name in file[layer]]
        assert sorted(found) == sorted(expected)
        for name, values in expected.items():
            assert file[name].dtype == np.float32
            np.testing.assert_allclose(file[name], values, rtol=1e-4, atol=1e-6, err_msg=name)
        assert store.read_ids(file, "stimulus") == IDS
        assert store.read_settings(file) == activation_settings(settings).plain()
        attributes = {
            name: file.attrs[name] for name in ("rule", "seed", "epoch", "stimuli", "size")
        }
        assert attributes == {"rule": "bp", "seed": 5, "epoch": 1, "stimuli": "grey_1", "size": 24}
        assert file.attrs["grid:conv1/grid-4"] == "4 x 4"
        assert file.attrs["grid:conv3/grid-4"] == "3 x 3"
        assert file.attrs["state_hash"] == torch.load(checkpoint)["state_hash"]


def test_a_network_that_changes_while_it_is_read_is_stopped(trained, tmp_path, monkeypatch):
    settings, checkpoint = trained
    stimuli, _ = write_stimuli(tmp_path)
    layers = Chain.layers

    def moving(self, images):
        read = layers(self, images)
        self.norm2.running_mean += 1e-6  # too little for features to differ
        return read

    monkeypatch.setattr(Chain, "layers", moving)
    output = output_path(tmp_path)
    message = r"rule 'bp', seed 5, epoch 1, .*grey_1.* the network, first 'norm2\.running_mean'"
    with pytest.raises(GuardError, match=message):
        write_activations(checkpoint, [stimuli], [output], activation_settings(settings), **KNOWN)
    assert not output.exists()


def test_a_rule_that_changes_while_it_is_read_is_stopped(trained, tmp_path, monkeypatch):
    settings, checkpoint = trained
    stimuli, _ = write_stimuli(tmp_path)

    def learning(self, images):
        self.optimizer.state_dict()["state"][0]["exp_avg"].add_(1e-6)
        return self.network.layers(images)

    monkeypatch.setattr(Backpropagation, "layers", learning)
    output = output_path(tmp_path)
    message = r"rule 'bp', .* the rule's state, first 'optimizer\.state\.0\.exp_avg'"
    with pytest.raises(GuardError, match=message):
        write_activations(checkpoint, [stimuli], [output], activation_settings(settings), **KNOWN)
    assert not output.exists()


def test_grid_of_maps_that_do_not_divide_averages_overlapping_regions():
    values = torch.randn(2, 3, 7, 5)
    found = describe(values, "grid-3").reshape(2, 3, 3, 3)
    for row, rows in enumerate([slice(0, 3), slice(2, 5), slice(4, 7)]):
        for column, columns in enumerate([slice(0, 2), slice(1, 4), slice(3, 5)]):
            expected = values[:, :, rows, columns].mean((2, 3))
            torch.testing.assert_close(found[:, :, row, column], expected)


def test_each_axis_shorter_than_the_grid_keeps_its_length():
    values = torch.randn(2, 3, 2, 8)
    expected = values.reshape(2, 3, 2, 4, 2).mean(4).flatten(1)
    torch.testing.assert_close(describe(values, "grid-4"), expected)


def correlation_rdm(values):
    return (1 - np.corrcoef(values))[np.triu_indices(len(values), 1)]


def test_batch_size_and_threads_do_not_change_dissimilarities(trained, tmp_path):
    settings, checkpoint = trained
    stimuli, _ = write_stimuli(tmp_path)
    read = []
    before = torch.get_num_threads()
    for batch_size, threads in ((1, 1), (4, 1), (11, 2)):
        folder = tmp_path / f"{batch_size}_{threads}"
        folder.mkdir()
        use_threads(threads)
        write_activations(
            checkpoint,
            [stimuli],
            [output_path(folder)],
            activation_settings(settings, batch_size=batch_size),
            **KNOWN,
        )
        with store.open_h5(output_path(folder)) as file:
            read.append({name: file[name][()] for name in ("conv1/grid-4", "fc1/vector")})
    use_threads(before)
    for other in read[1:]:
        for name, values in read[0].items():
            np.testing.assert_allclose(
                correlation_rdm(other[name]), correlation_rdm(values), atol=1e-5
            )


def test_same_input_gives_the_same_bytes(trained, tmp_path):
    settings, checkpoint = trained
    stimuli, _ = write_stimuli(tmp_path)
    written = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        write_activations(
            checkpoint, [stimuli], [output_path(folder)], activation_settings(settings), **KNOWN
        )
        written.append(output_path(folder).read_bytes())
    assert written[0] == written[1]


def test_several_stimulus_sets_are_read_from_one_network(trained, tmp_path):
    settings, checkpoint = trained
    labels = ("grey", "white")
    sets = [write_stimuli(tmp_path, label, seed=place)[0] for place, label in enumerate(labels)]
    outputs = [output_path(tmp_path, label) for label in labels]
    write_activations(checkpoint, sets, outputs, activation_settings(settings), **KNOWN)
    values = []
    for output, label in zip(outputs, labels, strict=True):
        with store.open_h5(output) as file:
            assert file.attrs["stimuli"] == label
            values.append(file["fc1/vector"][()])
    assert not np.array_equal(*values)
    with pytest.raises(DataError, match="does not belong to"):
        write_activations(checkpoint, sets, outputs[::-1], activation_settings(settings), **KNOWN)


@pytest.mark.parametrize(
    "wrong",
    [{"arm": Arm("cnn3", "fa")}, {"seed": 6}, {"epoch": 2}, {"hash": "0" * 16}],
)
def test_another_networks_checkpoint_is_not_read(trained, tmp_path, wrong):
    settings, checkpoint = trained
    stimuli, _ = write_stimuli(tmp_path)
    output = output_path(tmp_path)
    expected = fingerprint(settings.plain())
    told = activation_settings(settings, checkpoint_settings_hash=wrong.pop("hash", expected))
    with pytest.raises(GuardError, match="it is another network's"):
        write_activations(checkpoint, [stimuli], [output], told, **(KNOWN | wrong))
    assert not output.exists()


def test_stimuli_of_another_size_are_refused(trained, tmp_path):
    settings, checkpoint = trained
    stimuli, _ = write_stimuli(tmp_path)
    with pytest.raises(DataError, match="expected \\(11, 32, 32, 3\\)"):
        write_activations(
            checkpoint,
            [stimuli],
            [output_path(tmp_path)],
            activation_settings(settings),
            **(KNOWN | {"size": 32}),
        )


def test_a_network_that_eval_does_not_reach_is_not_read(trained, tmp_path, monkeypatch):
    settings, checkpoint = trained
    stimuli, _ = write_stimuli(tmp_path)
    monkeypatch.setattr("rulealign.learning.chain.Chain.eval", lambda self: self)
    with pytest.raises(GuardError, match="'norm1' is in training mode"):
        write_activations(
            checkpoint, [stimuli], [output_path(tmp_path)], activation_settings(settings), **KNOWN
        )


def test_batch_statistics_in_the_forward_pass_are_caught(trained, tmp_path, monkeypatch):
    settings, checkpoint = trained
    stimuli, _ = write_stimuli(tmp_path)
    monkeypatch.setattr(
        torch.nn.BatchNorm2d,
        "forward",
        lambda self, maps: torch.nn.functional.batch_norm(maps, None, None, training=True),
    )
    with pytest.raises(GuardError, match="other features alone than in a batch"):
        write_activations(
            checkpoint, [stimuli], [output_path(tmp_path)], activation_settings(settings), **KNOWN
        )


def test_activations_that_are_not_finite_name_layer_and_stimulus(trained, tmp_path, monkeypatch):
    settings, checkpoint = trained
    stimuli, _ = write_stimuli(tmp_path)
    honest = build_network(settings.network, 10).layers.__func__

    def layers(self, images):
        read = honest(self, images)
        if len(images) == 3:  # the last batch: stimuli 8 to 10
            read["conv3"][1, 0, 0, 0] = float("inf")
        return read

    monkeypatch.setattr("rulealign.learning.chain.Chain.layers", layers)
    with pytest.raises(GuardError, match="conv3/global-average is not finite for .*'image_09'"):
        write_activations(
            checkpoint, [stimuli], [output_path(tmp_path)], activation_settings(settings), **KNOWN
        )
    assert not output_path(tmp_path).exists()


def test_a_checkpoint_of_any_settings_is_read_only_when_that_is_said(trained, tmp_path):
    settings, checkpoint = trained
    stimuli, _ = write_stimuli(tmp_path)
    free = activation_settings(settings, checkpoint_settings_hash=None)
    write_activations(checkpoint, [stimuli], [output_path(tmp_path)], free, **KNOWN)
    loaded = checkpoints.load(checkpoint, rule="bp", seed=SEED, epoch=1, settings_hash=None)
    with store.open_h5(output_path(tmp_path)) as file:
        assert file.attrs["state_hash"] == loaded.state_hash
