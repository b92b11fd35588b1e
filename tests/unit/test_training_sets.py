"""The room of training sets: any number of classes trains, and nobody else knows the kinds."""

import itertools
import re

import numpy as np
import pytest
from PIL import Image

from rule_settings import altered
from rulealign.activations import write_activations
from rulealign.arm import Arm
from rulealign.data.images.training_set import build
from rulealign.data.images.training_split import class_names, load_split
from rulealign.data.training_sets import REGISTRY, training_set_class
from rulealign.data.training_sets.image_folder import ImageFolder
from rulealign.data.training_sets.synthetic_objects import SyntheticObjects
from rulealign.errors import ConfigurationError, DataError, GuardError
from rulealign.learning import checkpoint as checkpoints
from rulealign.learning import trainer
from rulealign.learning.diagnostics import write_diagnostics
from rulealign.learning.tables import LoggedNetwork, diagnostics_table, training_table
from rulealign.learning.verdict import above_chance
from rulealign.plan.settings.activations import ActivationSettings
from rulealign.plan.settings.training import TrainingSetSettings
from rulealign.provenance import fingerprint
from rulealign.store import open_h5, read_csv, read_ids, write_h5

CLASSES, PX, SEED = 12, 16, 5
COUNTS = {"train": 8, "test": 5}
"""Images of each class."""

TWELVE = ImageFolder(
    kind="image-folder", source="./images", image_size=PX, train_images=96, held_out_images=60
)

SHARED_WITH_STIMULI = {"synthetic-objects"}
"""Kinds of training sets that are kinds of stimuli, too."""


def colour(label):
    """Give the one colour of a class: 12 corners and edges of the RGB cube."""
    return np.array([(label % 3) * 100, (label // 3 % 2) * 200, (label // 6) * 200])


@pytest.fixture(scope="module")
def twelve(tmp_path_factory):
    """Give a training set of 12 classes, made of a folder of images."""
    folder, rng = tmp_path_factory.mktemp("twelve"), np.random.default_rng(0)
    for split, count in COUNTS.items():
        for label in range(CLASSES):
            place = folder / "images" / split / f"class-{label:02d}"
            place.mkdir(parents=True)
            for number in range(count):
                noise = rng.integers(0, 40, (PX, PX, 3))
                image = (colour(label) + noise).astype(np.uint8)
                Image.fromarray(image).save(place / f"{number}.png")
    settings = TrainingSetSettings(training_set=TWELVE, study_seed=1, copies_explained=False)
    build(settings, folder / "images", folder / "images.h5")
    return folder / "images.h5"


@pytest.fixture
def settings(checkpoint_settings):
    """Give a function: kind of a rule -> settings of its checkpoints, on the twelve classes."""

    def made(kind):
        return altered(checkpoint_settings(kind), training_set=TWELVE)

    return made


def train(settings, images, folder, epochs):
    """Train from epoch to epoch; returns epoch -> checkpoint and log."""
    paths = {epoch: (folder / f"{epoch}.pt", folder / f"{epoch}.csv") for epoch in epochs}
    trainer.initial_checkpoint(settings, SEED, images, *paths[0])
    for before, epoch in itertools.pairwise(epochs):
        trainer.train_stretch(
            settings, SEED, paths[before][0], before, epoch, images, *paths[epoch]
        )
    return paths


def test_a_folder_of_twelve_classes_is_kept_with_their_names(twelve):
    assert class_names(twelve) == [f"class-{label:02d}" for label in range(CLASSES)]
    images, labels = load_split(twelve, "test", 60, 0)
    assert np.bincount(labels).tolist() == [5] * CLASSES
    # the mean colour of an image is that of its class, and half of the noise's 39
    means = images.reshape(60, -1, 3).mean(axis=1)
    assert np.abs(means - [colour(label) + 19.5 for label in labels]).max() < 3


@pytest.mark.parametrize("kind", ["bp", "dfa", "pc_supervised", "pc", "stdp_2026"])
def test_twelve_classes_are_told_apart_by_twelve_outputs(twelve, settings, tmp_path, kind):
    paths = train(settings(kind), twelve, tmp_path, (0, 1))
    for epoch, (path, _) in paths.items():
        about = {"rule": kind, "seed": SEED, "epoch": epoch}
        loaded = checkpoints.load(path, **about, settings_hash=fingerprint(settings(kind).plain()))
        assert loaded.classes == CLASSES
        assert loaded.network["fc2.weight"].shape == (CLASSES, 16)
        assert loaded.network["fc2.bias"].shape == (CLASSES,)


def test_a_rule_learns_twelve_classes_and_chance_is_one_in_twelve(twelve, settings, tmp_path):
    paths = train(settings("bp"), twelve, tmp_path, (0, 6))
    measured, table = tmp_path / "measured.csv", tmp_path / "training.csv"
    write_diagnostics(
        settings("bp"),
        SEED,
        {e: p for e, (p, _) in paths.items()},
        twelve,
        measured,
        tmp_path / "f.h5",
    )
    logs = [log for _, log in paths.values()]
    networks = [LoggedNetwork("cnn3", "bp", "bp", "default", SEED, epoch, True) for epoch in paths]
    training_table(logs, networks, table)
    count = len(class_names(twelve))
    diagnostics_table([measured], table, count, tmp_path / "diagnostics.csv")
    rows = read_csv(tmp_path / "diagnostics.csv")
    assert rows["chance"].tolist() == pytest.approx([1 / 12] * len(rows))
    last = read_csv(table).set_index("epoch").loc[6]
    # three standard errors of a share of 1 / 12 among 60 images lie below .2
    assert last["held_out_accuracy"] > 0.2 > above_chance(1 / 12, 60) > 0.18


def test_activations_are_read_from_a_network_of_twelve_classes(twelve, settings, tmp_path):
    path = train(settings("bp"), twelve, tmp_path, (0,))[0][0]
    stimuli, output = tmp_path / "stim-a_px-16_images.h5", tmp_path / "x_stim-a_px-16.h5"
    images = np.random.default_rng(1).integers(0, 255, (6, PX, PX, 3), dtype=np.uint8)
    write_h5(stimuli, {"images": images}, ids={"stimulus": list("abcdef")}, settings={})
    told = ActivationSettings(
        checkpoint_settings_hash=fingerprint(settings("bp").plain()),
        mean=settings("bp").training.mean,
        std=settings("bp").training.std,
        layers=["fc1"],
        descriptors=["global-average"],
        batch_size=4,
        device="cpu",
    )
    write_activations(
        path, [stimuli], [output], told, arm=Arm("cnn3", "bp"), seed=SEED, epoch=0, size=PX
    )
    with open_h5(output) as file:
        assert file["fc1/vector"].shape == (6, 16)
        assert read_ids(file, "stimulus") == list("abcdef")


def test_a_network_of_other_classes_is_not_trained_on(twelve, settings, tmp_path):
    path = train(settings("bp"), twelve, tmp_path, (0,))[0][0]
    ten = tmp_path / "ten.h5"
    arrays = {}
    for split, count in {"train": 96, "test": 60}.items():
        arrays[f"{split}/images"] = np.zeros((count, PX, PX, 3), dtype=np.uint8)
        arrays[f"{split}/labels"] = np.arange(count) % 10
    write_h5(ten, arrays, ids={"class": list("abcdefghij")}, settings={})
    rest = (path, 0, 1, ten, tmp_path / "1.pt", tmp_path / "1.csv")
    with pytest.raises(GuardError, match="expected classes 10, found 12"):
        trainer.train_stretch(settings("bp"), SEED, *rest)


# --- the room -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", REGISTRY)
def test_no_kind_of_training_set_decides_anything_outside_its_file(project, kind):
    own = "src/" + REGISTRY[kind].partition(":")[0].replace(".", "/") + ".py"
    registry = "src/rulealign/data/training_sets/__init__.py"
    named = rf"[\"']{kind}[\"']"
    asked = rf"training_set\W.*kind\W*\s*(==|!=|in\b).*{named}"
    pattern = re.compile(asked if kind in SHARED_WITH_STIMULI else named)
    found = []
    for folder in ("src", "rules", "scripts"):
        for path in sorted((project / folder).rglob("*")):
            place = path.relative_to(project).as_posix()
            if path.suffix in (".py", ".smk", ".html") and place not in (own, registry):
                lines = path.read_text().splitlines()
                registry = place.endswith("data/training_sets/__init__.py")
                found += [
                    f"{place}: {line}" for line in lines if pattern.search(line) and not registry
                ]
    assert found == []


@pytest.mark.parametrize("kind", REGISTRY)
def test_each_kind_says_what_it_is_for_the_report(kind):
    words = training_set_class(kind).words.format_map({"source": "./there"})
    assert words.endswith(".")
    assert "{" not in words


def test_a_training_set_that_is_not_there_is_named_with_those_there_are():
    with pytest.raises(ConfigurationError, match=r"no training set 'imagenet'.*'image-folder'"):
        training_set_class("imagenet")


def test_other_classes_than_the_kind_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(SyntheticObjects, "classes", ("a", "b"))
    sizes = {"image_size": PX, "train_images": 10, "held_out_images": 10, "pool_images": 10}
    objects = SyntheticObjects(kind="synthetic-objects", **sizes)
    settings = TrainingSetSettings(training_set=objects, study_seed=1, copies_explained=None)
    with pytest.raises(DataError, match=r"has the classes .*, not \['a', 'b'\]"):
        build(settings, None, tmp_path / "x.h5")
