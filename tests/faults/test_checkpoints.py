"""Checkpoints: what is another network's, truncated or changed is refused by name."""

import dataclasses

import pytest
import torch

from helpers.flipped import flips
from rulealign.errors import GuardError, StoreError
from rulealign.learning import checkpoint as checkpoints
from rulealign.learning import trainer
from rulealign.learning.run import adopt, start_run
from rulealign.provenance import fingerprint, state_hash

SEED = 5


@pytest.fixture
def made(checkpoint_settings, small_training_set, tmp_path):
    """Give settings and path of a trained checkpoint."""
    settings = checkpoint_settings("bp")
    for epoch in (0, 1):
        output = tmp_path / f"{epoch}.pt"
        log = output.with_suffix(".csv")
        if epoch == 0:
            trainer.initial_checkpoint(settings, SEED, small_training_set, output, log)
        else:
            trainer.train_stretch(
                settings, SEED, tmp_path / "0.pt", 0, 1, small_training_set, output, log
            )
    return settings, output


def load(path, settings, **changes):
    expected = {
        "rule": "bp",
        "seed": SEED,
        "epoch": 1,
        "settings_hash": fingerprint(settings.plain()),
    }
    return checkpoints.load(path, **(expected | changes))


def test_what_is_saved_is_what_is_loaded(made):
    settings, path = made
    loaded = load(path, settings)
    assert (loaded.rule, loaded.kind, loaded.seed, loaded.epoch) == ("bp", "bp", SEED, 1)
    assert loaded.state_hash == state_hash(loaded.network)
    assert set(loaded.rule_state) == {"optimizer"}
    assert set(loaded.rule_state["optimizer"]["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}
    assert list(loaded.random) == ["cpu"]
    assert load(path, settings, settings_hash=None).state_hash == loaded.state_hash


def test_saving_again_under_another_name_gives_the_same_bytes(made, tmp_path):
    settings, path = made
    again = tmp_path / "another_name.pt"
    checkpoints.save(again, load(path, settings))
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("name", "value"),
    [("rule", "fa"), ("seed", 6), ("epoch", 2), ("classes", 12), ("settings_hash", "0" * 16)],
)
def test_another_networks_checkpoint_is_refused(made, name, value):
    settings, path = made
    with pytest.raises(GuardError, match=f"expected {name} {value!r}, found") as caught:
        load(path, settings, **{name: value})
    assert str(path) in str(caught.value)


def test_training_does_not_continue_from_another_networks_checkpoint(
    made, checkpoint_settings, small_training_set, tmp_path
):
    settings, path = made
    rest = (1, 2, small_training_set, tmp_path / "2.pt", tmp_path / "2.csv")
    with pytest.raises(GuardError, match="expected seed 6"):
        trainer.train_stretch(settings, 6, path, *rest)
    with pytest.raises(GuardError, match="expected rule 'fa'"):
        trainer.train_stretch(checkpoint_settings("fa"), SEED, path, *rest)
    changed = checkpoint_settings("bp", batch_size=8)
    with pytest.raises(GuardError, match="expected settings_hash"):
        trainer.train_stretch(changed, SEED, path, *rest)
    assert not (tmp_path / "2.pt").exists()


def test_a_checkpoint_that_started_from_other_weights_is_not_adopted(
    made, small_training_set, tmp_path
):
    settings, path = made
    run = start_run(settings, SEED, torch.device("cpu"), classes=10)
    before = state_hash(run.network.state_dict())
    checkpoints.save(path, dataclasses.replace(load(path, settings), initial_hash="0" * 16))
    message = rf"seed 5: rules 'of this run' .*different weights \({run.initial_hash} and 0{{16}}\)"
    with pytest.raises(GuardError, match=message):
        adopt(run, load(path, settings))
    assert state_hash(run.network.state_dict()) == before
    rest = (1, 2, small_training_set, tmp_path / "2.pt", tmp_path / "2.csv")
    with pytest.raises(GuardError, match="started from different weights"):
        trainer.train_stretch(settings, SEED, path, *rest)
    assert not (tmp_path / "2.pt").exists()


@pytest.mark.parametrize("share", [0.0, 0.4, 0.99])
def test_a_truncated_checkpoint_is_named_with_the_remedy(made, share):
    settings, path = made
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(StoreError, match="delete it and rerun the command") as caught:
        load(path, settings)
    assert str(path) in str(caught.value)


def plain(value):
    """Write all that a checkpoint holds as lists and numbers."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.tolist() if isinstance(value, torch.Tensor) else value


def test_a_flipped_bit_is_refused_or_changes_nothing(made):
    settings, path = made
    before = plain(vars(load(path, settings)))
    refusals = []
    for place in flips(path, 400):
        try:
            found = plain(vars(load(path, settings)))
        except StoreError as error:
            refusals.append(str(error))
        else:  # of the zip's padding, or of what it says twice
            assert found == before, place
    assert len(refusals) > 300
    for said in refusals:
        assert said.startswith(f"{path}: cannot be read as a checkpoint")
        assert "rerun the command" in said


def test_a_missing_checkpoint_is_named(checkpoint_settings, tmp_path):
    with pytest.raises(StoreError, match=r"gone\.pt: cannot be read"):
        load(tmp_path / "gone.pt", checkpoint_settings("bp"))


def test_a_file_that_is_no_checkpoint_is_refused(checkpoint_settings, tmp_path):
    path = tmp_path / "other.pt"
    torch.save({"weights": torch.ones(3)}, path)
    with pytest.raises(StoreError, match="cannot be read as a checkpoint"):
        load(path, checkpoint_settings("bp"))
    torch.save(torch.ones(3), path)
    with pytest.raises(StoreError, match="cannot be read as a checkpoint"):
        load(path, checkpoint_settings("bp"))


def test_a_checkpoint_that_would_run_code_is_refused(checkpoint_settings, tmp_path):
    path, mark = tmp_path / "bad.pt", tmp_path / "ran"

    class Bad:
        def __reduce__(self):
            return (mark.touch, ())

    torch.save({"network": Bad()}, path)
    with pytest.raises(StoreError, match="cannot be read as a checkpoint"):
        load(path, checkpoint_settings("bp"))
    assert not mark.exists()


def test_weights_changed_after_training_are_noticed(made):
    settings, path = made
    loaded = load(path, settings)
    loaded.network["fc2.bias"][0] += 1
    checkpoints.save(path, dataclasses.replace(loaded))
    with pytest.raises(GuardError, match="the file was changed"):
        load(path, settings)
