"""`untrained_bn`: statistics that training makes, or those of the images and the size it names.

Answers are numpy's, in float64, with a convolution written as a sum; and those of a network whose
conv layers do not learn.
"""

import copy
import os
import shutil
from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image
from torchvision import transforms

from changed_study import EXPLAINED, messages
from complete_studies import complete
from helpers.snakemake_calls import Call
from rule_settings import altered
from rulealign.config.load import load_study
from rulealign.data.check import refuse_compared
from rulealign.data.images.stimulus_images import (
    read_stimuli,
    stimulus_groups,
    write_stimuli,
)
from rulealign.data.images.stimulus_sets import stimulus_images
from rulealign.data.images.training_split import load_split
from rulealign.data.simulated.images import image_table, write_folder
from rulealign.errors import ConfigurationError, DataError, GuardError
from rulealign.learning import checkpoint as checkpoints
from rulealign.learning import trainer
from rulealign.learning.batches import Epochs, training_images
from rulealign.learning.rules.untrained_bn import UntrainedBatchNormSettings
from rulealign.learning.weights import build_network, initial_network, weights_hash
from rulealign.plan.settings.images import SimulatedImagesSettings, StimuliSettings
from rulealign.plan.settings.training import CheckpointSettings
from rulealign.provenance import derive_seed, fingerprint
from rulealign.store import read_csv, write_h5
from shown_stimuli import told

SEED = 5
GENERATED = {"count": 24, "image_size": 40, "background": "grey", "as_shown": False}
OBJECTS = told("synthetic-objects", seed=7, **GENERATED)


def stimuli_file(folder, name, images, size=16):
    path = folder / f"stim-{name}_px-{size}_images.h5"
    arrays = {"images": np.stack(list(images.values()))}
    write_h5(path, arrays, ids={"stimulus": list(images)}, settings={})
    return path


def pictures(names, seed, size=16):
    rng = np.random.default_rng(seed)
    return {name: rng.integers(0, 256, (size, size, 3), dtype=np.uint8) for name in names}


@pytest.fixture(scope="session")
def objects(tmp_path_factory):
    """Give a function: size -> file of 24 generated objects, prepared as the pipeline does it."""
    folder = tmp_path_factory.mktemp("objects")

    def prepared(size):
        path = folder / f"stim-objects_px-{size}_images.h5"
        if not path.exists():
            write_stimuli(OBJECTS, size, None, path, {})
        return path

    return prepared


@pytest.fixture
def calibrated(checkpoint_settings, small_training_set, tmp_path):
    """Give a function: rule settings -> the checkpoint of epoch 0, its network and its log."""

    def make(calibration_set=None, compared=None, kind="untrained_bn", **rule):
        settings = checkpoint_settings(kind)
        settings = altered(settings, rule=rule)
        paths = tmp_path / "0.pt", tmp_path / "0.csv"
        if compared is None:
            size = getattr(settings.rule, "size", 16)
            compared = [stimuli_file(tmp_path, "compared", pictures(["one"], 0, size), size)]
        trainer.initial_checkpoint(
            settings, SEED, small_training_set, *paths, calibration_set, compared
        )
        loaded = checkpoints.load(
            paths[0], rule=kind, seed=SEED, epoch=0, settings_hash=fingerprint(settings.plain())
        )
        network = build_network(settings.network, 10)
        network.load_state_dict(loaded.network)
        return network.eval(), read_csv(paths[1]).iloc[-1], settings

    return make


def convolve(maps, weight):
    """3 x 3, padding 1: the sum over the kernel's nine places."""
    height, width = maps.shape[-2:]
    padded = np.pad(maps, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return sum(
        np.einsum(
            "nihw,oi->nohw",
            padded[:, :, row : row + height, column : column + width],
            weight[:, :, row, column].astype(np.float64),
        )
        for row in range(3)
        for column in range(3)
    )


def pooled(maps):
    """2 x 2 max-pooling and ReLU."""
    n, channels, height, width = maps.shape
    pairs = maps[:, :, : height // 2 * 2, : width // 2 * 2]
    return np.maximum(pairs.reshape(n, channels, height // 2, 2, width // 2, 2).max((3, 5)), 0)


def statistics(images, network, training):
    """Compute mean and variance of the input of norm1, norm2 and norm3 from pixels."""
    maps = (images / 255 - training.mean) / training.std
    maps = maps.transpose(0, 3, 1, 2)
    found = []
    for _, conv, _ in network.blocks():
        maps = convolve(maps, conv.weight.detach().numpy())
        mean, var = maps.mean((0, 2, 3)), maps.var((0, 2, 3), ddof=1)
        found.append((mean, var))
        maps = pooled((maps - mean[:, None, None]) / np.sqrt(var + 1e-5)[:, None, None])
    return found


def require_statistics(network, images, training):
    for (_, _, norm), (mean, var) in zip(
        network.blocks(), statistics(images, network, training), strict=True
    ):
        np.testing.assert_allclose(norm.running_mean, mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(norm.running_var, var, rtol=1e-4)


def drawn_for_training(small_training_set, size):
    """Draw the seed's 50 training images, resized by torchvision."""
    images, _ = load_split(small_training_set, "train", 50, derive_seed(7, SEED, "training images"))
    resize = transforms.Compose([transforms.Resize(size), transforms.CenterCrop(size)])
    return np.stack([np.asarray(resize(Image.fromarray(image))) for image in images])


@pytest.mark.parametrize("size", [16, 40])
@pytest.mark.parametrize("count", ["all", 30])
def test_statistics_of_training_images_at_their_own_and_another_size(
    calibrated, small_training_set, size, count
):
    network, log, settings = calibrated(size=size, count=count)
    images = drawn_for_training(small_training_set, size)
    images = images if count == "all" else images[:count]
    require_statistics(network, images, settings.training)
    untrained = initial_network(settings.network, settings.study_seed, SEED, classes=10)
    assert weights_hash(network) == weights_hash(untrained) == log["initial_hash"]


@pytest.mark.parametrize("size", [16, 40])
def test_statistics_of_other_images_at_either_size(calibrated, objects, size):
    network, log, settings = calibrated(objects(size), images="objects", size=size)
    resize = transforms.Compose([transforms.Resize(size), transforms.CenterCrop(size)])
    shown = [np.asarray(resize(image)) for _, image in read_stimuli(OBJECTS, None, {})]
    assert len(shown) == 24
    require_statistics(network, np.stack(shown), settings.training)
    _, untrained, _ = calibrated(kind="untrained")
    assert log["initial_hash"] == untrained["initial_hash"]
    assert log["state_hash"] != untrained["state_hash"]


def test_some_of_the_other_images_are_drawn_by_the_seed(calibrated, objects):
    network, _, settings = calibrated(objects(16), images="objects", size=16, count=10)
    places = np.random.default_rng(derive_seed(7, SEED, "calibration images")).permutation(24)[:10]
    with h5py.File(objects(16)) as file:
        require_statistics(network, file["images"][()][places], settings.training)


def test_the_batch_size_does_not_matter(calibrated, objects):
    path = objects(40)
    one, other = (
        calibrated(path, images="objects", size=40, batch_size=size)[0] for size in (5, 24)
    )
    for name, value in one.named_buffers():
        torch.testing.assert_close(value, other.get_buffer(name), rtol=1e-5, atol=1e-6, msg=name)


def test_half_of_the_images_give_nearly_the_statistics_of_all_at_a_large_size(calibrated, objects):
    path = objects(64)
    all_of_them, half = (
        calibrated(path, images="objects", size=64, count=count)[0] for count in ("all", 12)
    )
    for (_, _, full), (_, _, few) in zip(all_of_them.blocks(), half.blocks(), strict=True):
        spread = full.running_var.sqrt()
        shift = ((few.running_mean - full.running_mean) / spread).abs()
        assert 0 < shift.max() < 0.35
        assert (few.running_var.sqrt() / spread - 1).abs().max() < 0.35


def test_the_four_calibrations_differ(calibrated, objects):
    states = {calibrated(size=size)[1]["state_hash"] for size in (16, 40)}
    states |= {
        calibrated(objects(size), images="objects", size=size)[1]["state_hash"] for size in (16, 40)
    }
    assert len(states) == 4


def test_a_set_that_is_not_given_of_another_size_or_too_small_is_named(
    calibrated, objects, tmp_path
):
    with pytest.raises(ConfigurationError, match=r"'untrained_bn'.*'objects', which was not given"):
        calibrated(images="objects", size=16)
    with pytest.raises(DataError, match=r"is calibrated on stim-objects_px-40_images\.h5, not"):
        calibrated(objects(16), images="objects", size=40)
    with pytest.raises(DataError, match=r"px-16.*'untrained_bn' asks for 25 images.*there are 24"):
        calibrated(objects(16), images="objects", size=16, count=25)
    with pytest.raises(DataError, match="asks for 51 images .* there are 50"):
        calibrated(count=51)
    path = tmp_path / "stim-objects_px-40_images.h5"
    shutil.copyfile(objects(16), path)
    with pytest.raises(DataError, match="not 40 px a side"):
        calibrated(path, images="objects", size=40)


# Guard 12: no image that is compared


@pytest.fixture
def compared(tmp_path):
    """Give two compared sets of three images each, the same ids on other backgrounds."""
    ids = ["image_01", "image_02", "image_03"]
    return [
        stimuli_file(tmp_path, "grey", pictures(ids, 1)),
        stimuli_file(tmp_path, "white", pictures(ids, 2)),
    ]


def test_images_that_are_not_compared_pass(compared, tmp_path):
    refuse_compared(stimuli_file(tmp_path, "others", pictures(["a", "b"], 3)), compared)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        # the very image under another name, in the second of the compared sets
        ({"b": pictures(["image_01", "image_02", "image_03"], 2)["image_03"]}, "'b'.*'image_03'"),
        # another copy of a compared object
        ({"image_02": pictures(["x"], 4)["x"]}, "'image_02' has the id of a compared image"),
    ],
)
def test_a_compared_image_among_them_is_refused_by_name(compared, tmp_path, fault, message):
    others = stimuli_file(tmp_path, "others", pictures(["a"], 3) | fault)
    with pytest.raises(GuardError, match=f"stim-others_px-16_images.*{message}"):
        refuse_compared(others, compared)


def test_a_network_is_not_made_with_a_compared_image(calibrated, objects, tmp_path):
    with h5py.File(objects(16)) as file:
        stolen = pictures(["one"], 1) | {"two": file["images"][20]}
    path = stimuli_file(tmp_path, "shown", stolen)
    with pytest.raises(GuardError, match=r"objects_px-16.*'generated_0021' .* 'two' in .*shown"):
        calibrated(objects(16), [path], images="objects", size=16)
    assert not (tmp_path / "0.pt").exists()


def test_without_stimuli_of_the_same_size_the_check_is_refused(compared, tmp_path):
    others = stimuli_file(tmp_path, "others", pictures(["a"], 3, size=20), size=20)
    with pytest.raises(DataError, match=r"images of 20 px, .*stim-grey_px-16_images.h5 of 16"):
        refuse_compared(others, compared)
    with pytest.raises(DataError, match="no stimuli to check"):
        refuse_compared(others, [])


@pytest.mark.mirror
def test_the_objects_on_white_may_not_calibrate_for_those_on_grey(mirror, tmp_path):
    cichy = mirror / "cichy92"
    mat = told("mat", key="stimuli_92objs", ids="image_{:02d}")
    grey, white = (tmp_path / f"stim-{name}_px-32_images.h5" for name in ("grey", "white"))
    write_stimuli(mat, 32, cichy / "Kriegeskorte_Neuron2008_supplementalData.mat", grey, {})
    write_stimuli(told("folder"), 32, cichy / "92images", white, {})
    with pytest.raises(GuardError, match="'image_01' has the id of a compared image"):
        refuse_compared(white, [grey])


def test_the_other_images_of_the_brain_data_are_all_that_are_not_compared(tmp_path):
    counts = {"concepts": 10, "exemplars": 2, "repeated_images": 15}
    settings = SimulatedImagesSettings(study_seed=1, image_size=8, **counts)
    images = image_table(settings)
    write_folder(settings, images, tmp_path / "images")
    shown = pd.concat([images, images[images["trial_type"] == "test"]])
    trial = range(len(shown))
    shown.assign(session=1, run=trial, subject_id=1, trial_id=trial).to_csv(
        tmp_path / "trials.csv", index=False
    )
    every = {path.name for path in (tmp_path / "images").rglob("*.jpg")}
    for stimulus_set, count in (("test-repeats", 20), ("first-exemplar", 25)):
        asked = replace(told("brain-others"), stimulus_set=stimulus_set)
        others = stimulus_groups(asked, tmp_path / "trials.csv")
        assert len(others) == count
        compared = stimulus_images(tmp_path / "trials.csv", stimulus_set)
        assert set(others) == every - set(compared)
        read = read_stimuli(asked, tmp_path / "images", others)
        assert [name for name, _ in read] == sorted(others)


# Statistics as training makes them


EPOCHS = 44
"""Of 3 batches each: as many as leave a millionth of the initial statistics (0.9^132)."""


@pytest.fixture
def augmented(calibrated):
    """Give the network of `untrained_bn` with `augment`, and its settings."""
    network, _, settings = calibrated(compared=[], augment=True, size=None, batch_size=16)
    return network, settings


def test_augmented_statistics_are_those_of_a_network_whose_conv_layers_do_not_learn(
    augmented, checkpoint_settings, small_training_set, tmp_path
):
    settings = checkpoint_settings("readout")
    start, end = tmp_path / "start.pt", tmp_path / "end.pt"
    trainer.initial_checkpoint(settings, SEED, small_training_set, start, tmp_path / "0.csv")
    stretch = (SEED, start, 0, EPOCHS, small_training_set, end, tmp_path / "1.csv")
    trainer.train_stretch(settings, *stretch)
    told = {"rule": "readout", "seed": SEED, "epoch": EPOCHS}
    trained = checkpoints.load(end, **told, settings_hash=fingerprint(settings.plain())).network
    network, _ = augmented
    for name, value in network.state_dict().items():
        assert torch.equal(value, trained[name]) != name.startswith("fc"), name


def test_augmented_statistics_are_running_means_of_those_of_padded_batches(
    augmented, small_training_set
):
    network, settings = augmented
    images = training_images(small_training_set, settings, SEED, torch.device("cpu"))
    running = [(0.0, 1.0)] * 3
    for epoch in range(EPOCHS):
        for batch, _ in Epochs(images, settings, SEED).batches(epoch):
            maps, blocks = batch.numpy().astype(np.float64), network.blocks()
            for place, (_, conv, _) in enumerate(blocks):
                maps = convolve(maps, conv.weight.detach().numpy())
                mean, var = maps.mean((0, 2, 3)), maps.var((0, 2, 3), ddof=1)
                before = running[place]
                running[place] = (0.9 * before[0] + 0.1 * mean, 0.9 * before[1] + 0.1 * var)
                spread = np.sqrt(maps.var((0, 2, 3)) + 1e-5)
                maps = pooled((maps - mean[:, None, None]) / spread[:, None, None])
    for (_, _, norm), (mean, var) in zip(network.blocks(), running, strict=True):
        np.testing.assert_allclose(norm.running_mean, mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(norm.running_var, var, rtol=1e-4)


def test_another_border_is_that_of_a_study_with_it_and_means_or_variances_stand_alone(
    calibrated, checkpoint_settings, small_training_set, tmp_path
):
    def statistics_of(training=None, **rule):
        settings = checkpoint_settings("untrained_bn", **(training or {}))
        told = UntrainedBatchNormSettings(kind="untrained_bn", **rule)
        settings = altered(settings, rule=told)
        path = tmp_path / "made.pt"
        trainer.initial_checkpoint(settings, SEED, small_training_set, path, tmp_path / "m.csv")
        told = {"rule": "untrained_bn", "seed": SEED, "epoch": 0}
        state = checkpoints.load(path, **told, settings_hash=fingerprint(settings.plain())).network
        return [state[f"norm{n}.running_{what}"] for n in "123" for what in ("mean", "var")]

    border = {"crop_padding": 4, "padding_mode": "reflect"}
    plain, other = statistics_of(), statistics_of(**border)
    for one, same, differs in zip(other, statistics_of(border), plain, strict=True):
        assert torch.equal(one, same)
        assert not torch.equal(one, differs)
    means, variances = statistics_of(keep="means"), statistics_of(keep="variances")
    assert all(torch.equal(one, both) for one, both in zip(means[::2], plain[::2], strict=True))
    assert all((one == 1).all() for one in means[1::2])
    assert all(
        torch.equal(one, both) for one, both in zip(variances[1::2], plain[1::2], strict=True)
    )
    assert all((one == 0).all() for one in variances[::2])


# The configuration and what each stage is given


@pytest.fixture
def values(project):
    study = complete(project / "workflow_config.yaml")
    study["calibration"] = {
        "others": {"kind": "brain-others", "background": "1/f noise", "as_shown": True},
        "objects": {"kind": "synthetic-objects"} | GENERATED,
    }
    bn = study["rules"]["untrained_bn"] | {"augment": False}
    study["rules"]["bn_others"] = bn | {"images": "others", "size": 96}
    study["rules"]["bn_objects"] = bn | {"images": "objects", "size": 32, "count": "all"}
    return study


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"size": 64}, r"rules\.bn_others\.size: there is no 64.*\[32, 96\]"),
        ({"images": "else"}, r"bn_others\.images: there is no 'else'.*'training', 'others', 'obje"),
        ({"images": "shown"}, r"bn_others\.images: there is no 'shown'"),
        ({"images": "training", "count": 2001}, r"bn_others\.count: 2001 images of 2000"),
        ({"images": "objects", "count": 25}, r"bn_others\.count: 25 images of 24"),
        ({"padding_mode": "mean"}, r"bn_others\.padding_mode: images as they are have no border"),
        ({"count": "some"}, r"bn_others\.count: must be 'all'"),
    ],
)
def test_a_calibration_that_cannot_be_is_refused_with_rule_and_key(values, rule, message):
    values["rules"]["bn_others"] |= rule
    with pytest.raises(ConfigurationError, match=message):
        load_study(values)


@pytest.mark.parametrize("label", ["training", "shown"])
def test_a_label_that_means_other_images_is_refused(values, label):
    values["calibration"][label] = values["calibration"]["objects"]
    with pytest.raises(ConfigurationError, match=rf"calibration\.{label}: the label is"):
        load_study(values)


def test_other_images_of_brain_data_need_brain_data_with_images(project, values):
    study = complete(project / "studies/cichy92.yaml")
    study["calibration"] = {"others": values["calibration"]["others"]}
    with pytest.raises(ConfigurationError, match=r"calibration\.others\.kind: 'brain-others'"):
        load_study(study)


def test_a_set_belongs_to_the_checkpoints_of_the_rules_that_ask_for_it_and_no_others(values):
    before = load_study(copy.deepcopy(values))
    assert before.calibration_set("bn_others") == ("others", 96)
    assert before.calibration_set("untrained_bn") is None
    assert StimuliSettings.of(before, "others").stimulus_set == "test-repeats"
    values["calibration"]["others"]["background"] = "grey"
    after = load_study(values)
    changed = {
        arm.rule
        for arm in before.arms
        if CheckpointSettings.of(before, arm) != CheckpointSettings.of(after, arm)
    }
    assert changed == {"bn_others"}


@pytest.mark.workflow
def test_the_pipeline_makes_the_set_for_that_rule_alone(project, values, tmp_path):
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(values | {"study": "planned"}, sort_keys=False))
    command = ["--snakefile", project / "Snakefile", "--directory", tmp_path]
    command += ["--configfile", study, "--cores", "1", "--dry-run"]

    def prepared(*targets):
        done = Call([*command, "--", *targets], project, {**os.environ, **EXPLAINED}).ended()
        assert done.returncode == 0, done.stdout + done.stderr
        start = "Prepare the stimulus set "
        return {job.removeprefix(start) for job in messages(done.stdout) if start in job}

    assert prepared() == {"shown at 32 px", "shown at 96 px", "others at 96 px", "objects at 32 px"}
    checkpoints = {
        rule: f"results/planned/checkpoints/net-cnn3_rule-{rule}" for rule in values["rules"]
    }
    own = checkpoints.pop("bn_others")
    assert prepared(f"{own}_seed-42_epoch-0.pt", f"{own}_seed-123_epoch-0.pt") == {
        *("others at 96 px", "shown at 96 px")  # what it is compared with
    }
    assert "others at 96 px" not in prepared(
        *(f"{one}_seed-42_epoch-0.pt" for one in checkpoints.values())
    )
