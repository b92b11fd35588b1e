"""Rules of one seed share initial weights, and the hash in the log is that of the weights."""

import pytest
import torch

from rulealign.errors import GuardError
from rulealign.learning import trainer
from rulealign.learning.chain import Chain
from rulealign.learning.rules.bp import Backpropagation
from rulealign.learning.weights import initial_network, weights_hash
from rulealign.store import read_csv


def first_epoch(settings, seed, training_set, folder):
    """Make epoch 0 and return its log and checkpoint."""
    paths = folder / f"{seed}.pt", folder / f"{seed}.csv"
    trainer.initial_checkpoint(settings, seed, training_set, *paths)
    return read_csv(paths[1]).iloc[-1], paths[0]


def test_the_hash_of_the_log_is_that_of_the_initial_weights_and_differs_between_seeds(
    checkpoint_settings, small_training_set, tmp_path
):
    settings = checkpoint_settings("bp")
    logged = {
        seed: first_epoch(settings, seed, small_training_set, tmp_path)[0]["initial_hash"]
        for seed in (5, 6)
    }
    for seed, found in logged.items():
        network = initial_network(settings.network, settings.study_seed, seed, classes=10)
        assert found == weights_hash(network)
    assert logged[5] != logged[6]


def test_a_rule_whose_preparation_changes_weights_is_stopped(
    checkpoint_settings, small_training_set, tmp_path, monkeypatch
):
    def prepare(self, images):
        with torch.no_grad():
            self.network.conv2.weight[0, 0, 0, 0] += 1e-6

    monkeypatch.setattr(Backpropagation, "prepare", prepare)
    settings = checkpoint_settings("bp")
    with pytest.raises(GuardError, match="seed 5, epoch 0: preparing the network changed"):
        first_epoch(settings, 5, small_training_set, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_network_whose_norm_layers_stay_frozen_is_not_trained(
    checkpoint_settings, small_training_set, tmp_path, monkeypatch
):
    settings = checkpoint_settings("bp")
    _, checkpoint = first_epoch(settings, 5, small_training_set, tmp_path)
    frozen = torch.nn.Module.train
    monkeypatch.setattr(Chain, "train", lambda self, mode=True: frozen(self, False))
    output = tmp_path / "1.pt"
    with pytest.raises(GuardError, match="seed 5, epoch 1: norm layer 'norm1' is in evaluation"):
        trainer.train_stretch(
            settings, 5, checkpoint, 0, 1, small_training_set, output, tmp_path / "1.csv"
        )
    assert not output.exists()
