"""Training: stretches equal one run, images are what they should be, measuring changes nothing."""

import copy
import io

import numpy as np
import pandas as pd
import pytest
import torch

from rule_settings import altered
from rulealign import store
from rulealign.data.images.training_split import load_split
from rulealign.errors import ConfigurationError, DataError, GuardError
from rulealign.learning import checkpoint as checkpoints
from rulealign.learning import trainer
from rulealign.learning.batches import Epochs, LabelledImages, crop, normalise
from rulealign.learning.gradient import GradientRule
from rulealign.learning.rule import LearningRule
from rulealign.learning.rules.bp import Backpropagation
from rulealign.learning.rules.fa import FeedbackAlignment
from rulealign.learning.weights import initial_network
from rulealign.provenance import derive_seed, fingerprint, state_hash

SEED = 5


@pytest.fixture
def chain(tmp_path, small_training_set):
    """Give a function that trains from epoch to epoch; returns the checkpoints' paths."""

    def run(settings, epochs, folder):
        paths = [tmp_path / folder / f"{epoch}.pt" for epoch in epochs]
        logs = [path.with_suffix(".csv") for path in paths]
        trainer.initial_checkpoint(settings, SEED, small_training_set, paths[0], logs[0])
        for place in range(1, len(epochs)):
            torch.manual_seed(place)  # what happened before must not matter
            trainer.train_stretch(
                settings,
                SEED,
                paths[place - 1],
                *epochs[place - 1 : place + 1],
                small_training_set,
                paths[place],
                logs[place],
            )
        return paths

    return run


def load(path, settings, epoch):
    return checkpoints.load(
        path,
        rule=settings.arm.rule,
        seed=SEED,
        epoch=epoch,
        settings_hash=fingerprint(settings.plain()),
    )


def test_a_chain_of_stretches_equals_one_run_bit_for_bit(checkpoint_settings, chain, trained_kind):
    settings = checkpoint_settings(trained_kind)
    whole = chain(settings, [0, 5], "whole")
    parts = chain(settings, [0, 1, 2, 5], "parts")
    assert load(whole[-1], settings, 5).state_hash == load(parts[-1], settings, 5).state_hash
    assert whole[-1].read_bytes() == parts[-1].read_bytes()
    assert whole[0].read_bytes() == parts[0].read_bytes()
    logs = [pd.read_csv(path.with_suffix(".csv")) for path in parts[1:]]
    one_log = pd.read_csv(whole[-1].with_suffix(".csv"))
    assert pd.concat(logs)["loss"].tolist() == one_log["loss"].tolist()


def test_a_killed_stretch_leaves_nothing_and_is_repeated_exactly(
    checkpoint_settings, chain, small_training_set, tmp_path, monkeypatch
):
    settings = checkpoint_settings("fa")
    undisturbed = chain(settings, [0, 2, 4], "undisturbed")
    output = tmp_path / "again" / "4.pt"
    stretch = (settings, SEED, undisturbed[1], 2, 4, small_training_set, output)
    steps = []

    def step_until_killed(self, images, labels):
        steps.append(labels)
        if len(steps) == 5:
            raise KeyboardInterrupt
        return GradientRule.step(self, images, labels)

    with monkeypatch.context() as patch:
        patch.setattr(FeedbackAlignment, "step", step_until_killed)
        with pytest.raises(KeyboardInterrupt):
            trainer.train_stretch(*stretch, output.with_suffix(".csv"))
    assert not output.parent.exists()
    trainer.train_stretch(*stretch, output.with_suffix(".csv"))
    assert output.read_bytes() == undisturbed[-1].read_bytes()


def test_training_lowers_the_loss_and_a_log_says_how(checkpoint_settings, chain):
    settings = checkpoint_settings("bp")
    paths = chain(settings, [0, 1, 6], "run")
    first = store.read_csv(paths[0].with_suffix(".csv"))
    assert first["epoch"].tolist() == [0]
    assert first[["loss", "learning_rate"]].isna().all(axis=None)
    assert 0 <= first["held_out_accuracy"].item() <= 1
    log = store.read_csv(paths[2].with_suffix(".csv"))
    assert list(log) == [
        "epoch",
        "learning_rate",
        "loss",
        "gradient_norm",
        "held_out_accuracy",
        "held_out_images",
        "initial_hash",
        "state_hash",
    ]
    assert log["epoch"].tolist() == [2, 3, 4, 5, 6]
    expected = [0.005 * (1 + np.cos(np.pi * epoch / 6)) for epoch in range(1, 6)]
    np.testing.assert_allclose(log["learning_rate"], expected, rtol=1e-9)
    untaught = store.read_csv(paths[1].with_suffix(".csv"))["loss"].item()
    assert log["loss"].iloc[-1] < untaught - 0.2
    assert log["held_out_accuracy"].isna().tolist() == [True] * 4 + [False]
    assert log["held_out_images"].iloc[-1] == 30
    assert log["state_hash"].iloc[-1] == load(paths[2], settings, 6).state_hash


def test_rules_of_one_seed_start_from_the_same_weights_and_differ_after(checkpoint_settings, chain):
    first = {
        kind: load(chain(checkpoint_settings(kind), [0], kind)[0], checkpoint_settings(kind), 0)
        for kind in ("untrained", "untrained_bn", "bp", "fa")
    }
    assert len({one.initial_hash for one in first.values()}) == 1
    states = {kind: one.state_hash for kind, one in first.items()}
    assert states["untrained"] == states["bp"] == states["fa"] != states["untrained_bn"]


def test_only_training_rules_are_trained(checkpoint_settings, chain):
    with pytest.raises(ConfigurationError, match="does not train"):
        chain(checkpoint_settings("untrained"), [0, 1], "run")


def test_held_out_accuracy_is_the_share_of_right_answers_in_evaluation_mode(checkpoint_settings):
    settings = checkpoint_settings("bp")
    network = initial_network(settings.network, 7, 3, classes=10)
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (37, 16, 16, 3), generator=generator, dtype=torch.uint8)
    network.norm1.running_mean += 0.3
    frozen = copy.deepcopy(network).eval()
    with torch.no_grad():
        answers = [int(frozen(normalise(one[None], settings.training)).argmax()) for one in pixels]
    labels = torch.tensor(answers)
    labels[:10] = (labels[:10] + 1) % 10
    before = state_hash(network.state_dict())
    measured = trainer.held_out_accuracy(
        LearningRule(network, None, None),
        LabelledImages(pixels, labels),
        settings.training,
        "test",
    )
    assert measured == pytest.approx(27 / 37)
    assert state_hash(network.state_dict()) == before
    assert network.training


def test_pixels_are_scaled_and_normalised_per_channel(checkpoint_settings):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    values = normalise(torch.from_numpy(pixels), checkpoint_settings("bp").training)
    expected = (pixels / 255 - [0.5, 0.4, 0.3]) / [0.2, 0.25, 0.3]
    np.testing.assert_allclose(values, expected.transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-6)
    assert values.dtype == torch.float32
    assert values.is_contiguous(memory_format=torch.channels_last)


BORDERS = {
    "zero": {"mode": "constant"},
    "reflect": {"mode": "reflect"},
    "replicate": {"mode": "edge"},
}


@pytest.mark.parametrize("padding_mode", [*BORDERS, "mean"])
def test_augmentation_equals_a_loop_over_images(checkpoint_settings, padding_mode):
    added = {"crop_padding": 3, "padding_mode": padding_mode}
    settings = checkpoint_settings("bp", **added, batch_size=7)
    pixels = torch.randint(1, 256, (30, 16, 16, 3), dtype=torch.uint8)
    labels = torch.arange(30)
    dealt = list(Epochs(LabelledImages(pixels, labels), settings, SEED).batches(2))

    order, augmentation = (
        torch.Generator().manual_seed(derive_seed(7, SEED, 2, purpose))
        for purpose in ("order", "augmentation")
    )
    shuffled = torch.randperm(30, generator=order).tolist()
    corners = torch.randint(0, 7, (2, 30), generator=augmentation).tolist()
    mirrored = (torch.rand(30, generator=augmentation) < 0.5).tolist()
    assert len(dealt) == 4  # 28 of 30 images, the partial batch dropped
    for place in range(28):
        image, width = pixels[shuffled[place]].numpy(), ((3, 3), (3, 3), (0, 0))
        if padding_mode == "mean":  # of a checkpoint's settings: .5 .4 .3
            whole = np.full((22, 22, 3), (128, 102, 76), dtype=np.uint8)
            whole[3:19, 3:19] = image
            image = whole
        else:
            image = np.pad(image, width, **BORDERS[padding_mode])
        top, left = corners[0][place], corners[1][place]
        image = image[top : top + 16, left : left + 16]
        image = image[:, ::-1] if mirrored[place] else image
        images, told = dealt[place // 7]
        expected = normalise(torch.from_numpy(image.copy())[None], settings.training)[0]
        assert torch.equal(images[place % 7], expected)
        assert told[place % 7] == shuffled[place]
    assert any(mirrored)
    assert not all(mirrored)


def test_without_padding_and_mirroring_images_are_dealt_as_they_are(checkpoint_settings):
    settings = checkpoint_settings("bp", crop_padding=0, horizontal_flip=False, batch_size=10)
    pixels = torch.randint(0, 256, (20, 16, 16, 3), dtype=torch.uint8)
    dealt = Epochs(LabelledImages(pixels, torch.arange(20)), settings, SEED)
    for images, labels in dealt.batches(0):
        assert torch.equal(images, normalise(pixels[labels], settings.training))


def test_each_epoch_and_seed_has_its_own_order_and_all_rules_share_it(checkpoint_settings):
    pixels, labels = torch.zeros(48, 16, 16, 3, dtype=torch.uint8), torch.arange(48)

    def order(kind, seed, epoch):
        epochs = Epochs(LabelledImages(pixels, labels), checkpoint_settings(kind), seed)
        return torch.cat([told for _, told in epochs.batches(epoch)]).tolist()

    assert order("bp", 1, 0) == order("fa", 1, 0)
    assert sorted(order("bp", 1, 0)) == list(range(48))
    assert order("bp", 1, 0) != order("bp", 1, 1)
    assert order("bp", 1, 0) != order("bp", 2, 0)


def test_crop_cuts_where_it_is_told():
    image = torch.arange(5 * 6).reshape(1, 5, 6, 1)
    cut = crop(image, torch.tensor([1]), torch.tensor([2]), torch.tensor([True]), 3)
    assert cut[0, :, :, 0].tolist() == [[10, 9, 8], [16, 15, 14], [22, 21, 20]]


def test_images_of_a_seed_are_those_that_its_number_draws(
    checkpoint_settings, small_training_set, monkeypatch, tmp_path
):
    seen = []
    monkeypatch.setattr(Backpropagation, "prepare", lambda self, images: seen.append(images))
    settings = checkpoint_settings("bp")
    trainer.initial_checkpoint(
        settings, SEED, small_training_set, tmp_path / "0.pt", tmp_path / "0.csv"
    )
    drawn, _ = load_split(small_training_set, "train", 50, derive_seed(7, SEED, "training images"))
    shown = torch.cat(list(seen[0].split(20)))
    assert torch.equal(shown, normalise(torch.from_numpy(drawn), settings.training))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": 32}, "image_size is 32"),
        ({"train_images": 15}, "fewer than one batch of 16"),
        ({"train_images": 61}, "61"),
        ({"held_out_images": 41}, "41"),
    ],
)
def test_training_images_that_do_not_fit_are_refused(
    checkpoint_settings, small_training_set, tmp_path, changes, message
):
    settings = checkpoint_settings("bp")
    settings = altered(settings, training_set=changes)
    with pytest.raises(DataError, match=message):
        trainer.initial_checkpoint(
            settings, SEED, small_training_set, tmp_path / "0.pt", tmp_path / "0.csv"
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("label", [-1, 10])
def test_a_label_that_is_none_of_the_classes_is_refused(checkpoint_settings, tmp_path, label):
    rng = np.random.default_rng(0)
    path = tmp_path / "images.h5"
    arrays = {}
    for split in ("train", "test"):
        arrays[f"{split}/images"] = rng.integers(0, 9, (60, 16, 16, 3), dtype=np.uint8)
        arrays[f"{split}/labels"] = np.where(np.arange(60) == 7, label, np.arange(60) % 10)
    store.write_h5(path, arrays, ids={"class": [str(label) for label in range(10)]}, settings={})
    with pytest.raises(DataError, match=f"label {label}, but there are 10 classes, 0 to 9"):
        trainer.initial_checkpoint(
            checkpoint_settings("bp"), SEED, path, tmp_path / "0.pt", tmp_path / "0.csv"
        )


def test_a_diverging_run_names_rule_seed_and_epoch_and_writes_nothing(checkpoint_settings, chain):
    settings = checkpoint_settings("bp")
    settings = altered(settings, rule={"optimizer": "sgd", "learning_rate": 1e30})
    with pytest.raises(GuardError, match=r"rule 'bp', seed 5, epoch 1: .*diverged") as caught:
        chain(settings, [0, 1], "run")
    assert "learning_rate" in str(caught.value)


def test_a_gpu_that_is_not_there_is_refused_not_replaced(
    checkpoint_settings, small_training_set, tmp_path, monkeypatch
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    settings = altered(checkpoint_settings("bp"), device="cuda")
    with pytest.raises(ConfigurationError, match="finds no GPU"):
        trainer.initial_checkpoint(
            settings, SEED, small_training_set, tmp_path / "0.pt", tmp_path / "0.csv"
        )


def test_training_leaves_the_global_random_state_and_algorithms_alone(checkpoint_settings, chain):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    chain(checkpoint_settings("bp"), [0], "run")
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.are_deterministic_algorithms_enabled()


def test_progress_and_loss_are_shown(checkpoint_settings, chain, monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr("sys.stderr", shown)
    chain(checkpoint_settings("bp"), [0, 2], "run")
    assert "epoch 1: 100%" in shown.getvalue()
    assert "epoch 2: 100%" in shown.getvalue()
    assert "loss=" in shown.getvalue()


def test_momentum_for_adam_is_refused():
    known = {"optimizer": "adam", "learning_rate": 1e-3, "weight_decay": 0, "clip_norm": 1}
    with pytest.raises(ValueError, match=r"momentum: 0\.9 has no meaning for adam"):
        Backpropagation.Settings(
            kind="bp", init="default", momentum=0.9, schedule="constant", **known
        )
