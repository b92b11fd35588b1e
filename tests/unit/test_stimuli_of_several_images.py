"""Stimuli that are several images: how they are written, averaged and guarded."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from edited_h5 import edited_h5
from rulealign import store
from rulealign.activations import write_activations
from rulealign.arm import Arm
from rulealign.data.check import check_inputs, refuse_compared
from rulealign.data.images.resize import prepare
from rulealign.data.images.stimulus_images import write_stimuli
from rulealign.errors import DataError, GuardError
from rulealign.learning import trainer
from rulealign.learning.chain import Chain
from rulealign.plan.settings.activations import ActivationSettings
from rulealign.provenance import fingerprint
from shown_stimuli import one_each, told

PX = 16
BRAIN = told("brain", background="photograph", as_shown=True)
GROUPS = {
    "ant": ["ant_01b.png", "ant_07s.png", "ant_09s.png"],
    "dog": ["dog_02s.png"],
    "ice_cream": [f"ice_cream_{n:02d}n.png" for n in range(1, 8)],
}
NAMES = [name for images in GROUPS.values() for name in images]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in NAMES:
        path = tmp_path / "images" / name.rpartition("_")[0] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (24, 31, 3), dtype=np.uint8)).save(path)
    return tmp_path / "images"


@pytest.fixture
def stimuli(folder, tmp_path):
    path = tmp_path / f"stim-mean_px-{PX}_images.h5"
    write_stimuli(BRAIN, PX, folder, path, GROUPS)
    return path


def prepared(folder, name):
    with Image.open(folder / name.rpartition("_")[0] / name) as image:
        return prepare(image, PX)


def test_the_file_has_every_image_and_says_whose_it_is(folder, stimuli):
    with h5py.File(stimuli) as file:
        assert sorted(file) == ["ids", "images", "stimulus_of_image"]
        assert file["ids/stimulus"].asstr()[()].tolist() == list(GROUPS)
        assert file["ids/image"].asstr()[()].tolist() == NAMES
        assert file["stimulus_of_image"].dtype == np.int64
        for name, place, image in zip(
            NAMES, file["stimulus_of_image"], file["images"], strict=True
        ):
            assert name in GROUPS[list(GROUPS)[place]]
            assert np.array_equal(image, prepared(folder, name))


def test_stimuli_of_one_image_give_the_bytes_of_a_plain_set(folder, tmp_path):
    write_stimuli(BRAIN, PX, folder, tmp_path / "groups.h5", one_each(NAMES))
    with h5py.File(tmp_path / "groups.h5") as file:
        reason = file.attrs["no_silhouettes"]
    assert "11 of 11 images have no uniform background" in reason
    store.write_h5(
        tmp_path / "plain.h5",
        {"images": np.stack([prepared(folder, name) for name in NAMES])},
        ids={"stimulus": NAMES},
        settings=BRAIN.plain(),
        attributes={"kind": "brain", "size": PX, "background": "photograph", "as_shown": True}
        | {"no_silhouettes": reason},
    )
    assert (tmp_path / "groups.h5").read_bytes() == (tmp_path / "plain.h5").read_bytes()


def test_a_concept_of_one_image_is_still_called_by_its_concept(folder, tmp_path):
    write_stimuli(BRAIN, PX, folder, tmp_path / "one.h5", {"dog": ["dog_02s.png"]})
    with store.open_h5(tmp_path / "one.h5") as file:
        assert store.read_ids(file, "stimulus") == ["dog"]
        assert store.read_ids(file, "image") == ["dog_02s.png"]


@pytest.fixture
def network(checkpoint_settings, small_training_set, tmp_path):
    """Give settings of activations and a checkpoint of an untrained network."""
    settings = checkpoint_settings("bp")
    path = tmp_path / "0.pt"
    trainer.initial_checkpoint(settings, 5, small_training_set, path, tmp_path / "0.csv")
    shown = ActivationSettings(
        checkpoint_settings_hash=fingerprint(settings.plain()),
        mean=settings.training.mean,
        std=settings.training.std,
        layers=["conv1", "fc1"],
        descriptors=["global-average", "grid-2"],
        batch_size=4,
        device="cpu",
    )
    return shown, path


def show(network, stimuli, folder, **changes):
    settings, checkpoint = network
    folder.mkdir(exist_ok=True)
    output = folder / f"rule-bp_seed-5_epoch-0_{stimuli.stem.removesuffix('_images')}.h5"
    known = {"arm": Arm("cnn3", "bp"), "seed": 5, "epoch": 0, "size": PX}
    write_activations(checkpoint, [stimuli], [output], replace(settings, **changes), **known)
    with store.open_h5(output) as file:
        names = ("conv1/global-average", "conv1/grid-2", "fc1/vector")
        return {name: file[name][()] for name in names}, store.read_ids(file, "stimulus")


def test_features_are_averaged_over_the_images_of_each_stimulus(network, stimuli, tmp_path):
    shuffled = np.random.default_rng(1).permutation(len(NAMES))
    with store.open_h5(stimuli) as file:
        pixels, places = file["images"][()][shuffled], file["stimulus_of_image"][()][shuffled]
    names = [NAMES[place] for place in shuffled]
    mixed, single = (tmp_path / f"stim-{one}_px-{PX}_images.h5" for one in ("mixed", "single"))
    arrays = {"images": pixels, "stimulus_of_image": places}
    store.write_h5(mixed, arrays, ids={"stimulus": list(GROUPS), "image": names}, settings={})
    store.write_h5(single, {"images": pixels}, ids={"stimulus": names}, settings={})
    alone, ids = show(network, single, tmp_path / "out")
    assert ids == names
    for averaged, stimulus_ids in (
        show(network, mixed, tmp_path / "out"),
        show(network, mixed, tmp_path / "again", batch_size=3),
    ):
        assert stimulus_ids == list(GROUPS)
        for feature, values in alone.items():
            assert averaged[feature].dtype == np.float32
            for row, images in enumerate(GROUPS.values()):
                total = [0.0] * values.shape[1]
                for image in images:
                    for place, value in enumerate(values[names.index(image)].tolist()):
                        total[place] += value
                mean = [value / len(images) for value in total]
                np.testing.assert_allclose(averaged[feature][row], mean, rtol=1e-5, atol=1e-6)


def test_a_mean_is_rounded_once(network, stimuli, tmp_path):
    alone = tmp_path / f"stim-single_px-{PX}_images.h5"
    with store.open_h5(stimuli) as file:
        store.write_h5(alone, {"images": file["images"][()]}, ids={"stimulus": NAMES}, settings={})
    averaged, _ = show(network, stimuli, tmp_path / "out")
    values, _ = show(network, alone, tmp_path / "out")
    start = 0
    for row, images in enumerate(GROUPS.values()):
        for feature in averaged:
            part = values[feature][start : start + len(images)].astype(np.float64)
            assert np.array_equal(averaged[feature][row], np.float32(part.sum(0) / len(images)))
        start += len(images)


def test_an_image_without_finite_features_is_named(network, stimuli, tmp_path, monkeypatch):
    honest = Chain.layers

    def layers(self, images):
        read = honest(self, images)
        if len(images) == 3:  # the last batch: images 8 to 10
            read["fc1"][1, 0] = float("nan")
        return read

    monkeypatch.setattr(Chain, "layers", layers)
    with pytest.raises(GuardError, match="fc1/vector is not finite for .*'ice_cream_06n.png'"):
        show(network, stimuli, tmp_path / "out")


def test_guards_run_on_the_single_images(network, stimuli, tmp_path, monkeypatch):
    monkeypatch.setattr(
        torch.nn.BatchNorm2d,
        "forward",
        lambda self, maps: torch.nn.functional.batch_norm(maps, None, None, training=True),
    )
    with pytest.raises(GuardError, match="other features alone than in a batch"):
        show(network, stimuli, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    "wrong", [[0] * 11, [0, 0, 0, 1, *[3] * 7], [-1, 0, 0, 1, *[2] * 7], [0, 1, 2], [0.0, 1, 2]]
)
def test_a_file_that_does_not_say_whose_each_image_is_is_refused(network, stimuli, tmp_path, wrong):
    with edited_h5(stimuli) as file:
        del file["stimulus_of_image"]
        file["stimulus_of_image"] = np.array(wrong)
    with pytest.raises(DataError, match="mean_px-16_images.h5: 'stimulus_of_image' does not give"):
        show(network, stimuli, tmp_path / "out")


def test_the_check_of_inputs_compares_stimuli_not_images(stimuli, tmp_path):
    rdm = tmp_path / "rdm.h5"
    store.write_h5(rdm, {"rdm": np.ones(3)}, ids={"stimulus": list(GROUPS)}, settings={})
    check_inputs([stimuli], [rdm], [], tmp_path / "inputs.csv", {})
    assert store.read_csv(tmp_path / "inputs.csv")["n_stimuli"].tolist() == [3, 3]
    store.write_h5(rdm, {"rdm": np.ones(3)}, ids={"stimulus": list(GROUPS)[::-1]}, settings={})
    with pytest.raises(DataError, match="at place 0 'ice_cream' and 'ant'.*brain.ids"):
        check_inputs([stimuli], [rdm], [], tmp_path / "inputs.csv", {})


@pytest.mark.parametrize("same", ["pixels", "name"])
def test_an_image_of_a_concept_may_not_calibrate(folder, stimuli, tmp_path, same):
    rng = np.random.default_rng(7)
    other = rng.integers(0, 256, (2, PX, PX, 3), dtype=np.uint8)
    names, path = ["emu_01b.png", "owl_01b.png"], tmp_path / "calibration.h5"
    store.write_h5(path, {"images": other}, ids={"stimulus": names}, settings={})
    refuse_compared(path, [stimuli])
    if same == "pixels":
        other[1] = prepared(folder, "ice_cream_07n.png")
    else:
        names[1] = "ice_cream_07n.png"
    store.write_h5(path, {"images": other}, ids={"stimulus": names}, settings={})
    with pytest.raises(GuardError, match="ice_cream_07n.png"):
        refuse_compared(path, [stimuli])


def test_a_calibration_image_that_is_there_twice_is_told(stimuli, tmp_path, capsys):
    other = np.random.default_rng(4).integers(0, 256, (3, PX, PX, 3), dtype=np.uint8)
    path = tmp_path / "calibration.h5"
    for again in (2, 0):
        other[2] = other[again]
        names = {"stimulus": ["emu", "owl", "yak"]}
        store.write_h5(path, {"images": other}, ids=names, settings={})
        refuse_compared(path, [stimuli])
        told = capsys.readouterr().out
        assert ("yak is the same image as emu, and counts twice" in told) is (again == 0)
