"""Training sets hold exactly the pixels and labels of their source, and draws from them."""

import hashlib
import io
import pickle
import tarfile
from dataclasses import replace

import h5py
import numpy as np
import pytest
from scipy import stats

from rule_settings import altered
from rulealign.data.images.training_set import build
from rulealign.data.images.training_split import load_split
from rulealign.data.training_sets.cifar10 import Cifar10
from rulealign.data.training_sets.cifar100 import Cifar100
from rulealign.data.training_sets.synthetic_objects import SyntheticObjects
from rulealign.errors import DataError, StoreError
from rulealign.plan.settings.training import TrainingSetSettings
from rulealign.provenance import derive_seed
from rulealign.store import read_ids, write_h5


def pack(files, place):
    """Pack files (name -> bytes) as the publisher of CIFAR-10 does."""
    path = place / "cifar.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, contents in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(contents)
            archive.addfile(member, io.BytesIO(contents))
    return path


CIFAR = TrainingSetSettings(
    training_set=Cifar10(kind="cifar10", train_images=10, held_out_images=2),
    study_seed=1,
    copies_explained=None,
)
NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def cifar_rows(first, count):
    """Write rows as the publisher defines them: 1024 red, 1024 green, 1024 blue, row by row."""
    red = np.repeat(np.arange(32), 32)
    green = np.tile(np.arange(32), 32)
    blue = [np.full(1024, place) for place in range(first, first + count)]
    return np.stack([np.concatenate([red, green, b]) for b in blue]).astype(np.uint8)


@pytest.fixture
def fake_cifar(tmp_path, monkeypatch):
    """Pack a small archive in CIFAR-10's form, and let torchvision expect its checksums."""
    from torchvision.datasets import CIFAR10

    def batch(first, count):
        labels = [place % 3 for place in range(first, first + count)]
        return {"data": cifar_rows(first, count), "labels": labels}

    parts = {f"data_batch_{place}": batch(2 * place - 2, 2) for place in range(1, 6)}
    parts |= {"test_batch": batch(100, 2), "batches.meta": {"label_names": NAMES}}
    parts = {name: pickle.dumps(value) for name, value in parts.items()}
    md5 = {name: hashlib.md5(contents).hexdigest() for name, contents in parts.items()}
    monkeypatch.setattr(
        CIFAR10, "train_list", [[name, md5[name]] for name in md5 if name.startswith("data")]
    )
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", md5["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": md5["batches.meta"]})
    inside = {f"cifar-10-batches-py/{name}": contents for name, contents in parts.items()}
    return pack(inside, tmp_path), inside


def test_cifar10_is_read_pixel_by_pixel_as_published(fake_cifar, tmp_path):
    source, _ = fake_cifar
    # what a killed process leaves
    (tmp_path / "made/.cifar10.x0_y1z2a/half").mkdir(parents=True)
    build(CIFAR, source, tmp_path / "made/images.h5")
    with h5py.File(tmp_path / "made/images.h5") as file:
        assert read_ids(file, "class") == NAMES
        images, labels = file["train/images"][()], file["train/labels"][()]
        assert labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
        assert file["test/images"][1, 5, 7].tolist() == [5, 7, 101]
    for place, row, column in np.ndindex(10, 32, 32):
        assert images[place, row, column].tolist() == [row, column, place]
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["images.h5"]


def test_cifar100_is_read_with_its_fine_classes(tmp_path, monkeypatch):
    from torchvision.datasets import CIFAR100

    fine = [f"fine_{place:03d}" for place in range(100)]
    parts = {
        "train": {"data": cifar_rows(0, 3), "fine_labels": [99, 5, 0], "coarse_labels": [1, 2, 3]},
        "test": {"data": cifar_rows(50, 2), "fine_labels": [7, 8], "coarse_labels": [0, 0]},
        "meta": {"fine_label_names": fine, "coarse_label_names": ["coarse"] * 20},
    }
    parts = {name: pickle.dumps(value) for name, value in parts.items()}
    md5 = {name: hashlib.md5(contents).hexdigest() for name, contents in parts.items()}
    monkeypatch.setattr(CIFAR100, "train_list", [["train", md5["train"]]])
    monkeypatch.setattr(CIFAR100, "test_list", [["test", md5["test"]]])
    monkeypatch.setattr(CIFAR100, "meta", {**CIFAR100.meta, "md5": md5["meta"]})
    source = pack({f"cifar-100-python/{name}": one for name, one in parts.items()}, tmp_path)
    made = tmp_path / "made/images.h5"
    build(
        altered(CIFAR, training_set=Cifar100(kind="cifar100", train_images=3, held_out_images=2)),
        source,
        made,
    )
    with h5py.File(made) as file:
        assert read_ids(file, "class") == fine
        assert file["train/labels"][()].tolist() == [99, 5, 0]
        assert file["test/images"][1, 5, 7].tolist() == [5, 7, 51]


def test_cifar10_with_another_checksum_is_refused(fake_cifar, tmp_path):
    _, inside = fake_cifar
    contents = inside["cifar-10-batches-py/data_batch_3"]
    changed = {**inside, "cifar-10-batches-py/data_batch_3": contents[:-1] + b" "}
    source = pack(changed, tmp_path)
    with pytest.raises(DataError, match="not the official archive of CIFAR-10"):
        build(CIFAR, source, tmp_path / "made/images.h5")
    assert list((tmp_path / "made").iterdir()) == []


def test_cifar10_that_would_leave_its_folder_is_refused(fake_cifar, tmp_path):
    _, inside = fake_cifar
    source = pack({**inside, "../../outside": b"x"}, tmp_path)
    with pytest.raises(DataError, match="outside"):
        build(CIFAR, source, tmp_path / "made/images.h5")
    assert not (tmp_path / "outside").exists()


def test_a_disk_that_fills_while_cifar10_is_unpacked_is_named(fake_cifar, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "extractall", full)
    with pytest.raises(StoreError, match="the disk is full"):
        build(CIFAR, fake_cifar[0], tmp_path / "made/images.h5")
    assert list((tmp_path / "made").iterdir()) == []


def test_cifar10_at_another_size_is_refused():
    with pytest.raises(ValueError, match="must be 32, the pixels per side of cifar10's images"):
        altered(CIFAR, training_set={"image_size": 64})


def test_generated_objects_differ_between_the_splits_and_repeat_with_the_seed(tmp_path):
    objects = SyntheticObjects(
        kind="synthetic-objects",
        image_size=16,
        pool_images=40,
        train_images=30,
        held_out_images=20,
    )
    settings = TrainingSetSettings(training_set=objects, study_seed=1, copies_explained=None)
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        build(replace(settings, study_seed=seed), None, tmp_path / f"{name}.h5")
    contents = {name: (tmp_path / f"{name}.h5").read_bytes() for name in ("one", "again", "other")}
    assert contents["one"] == contents["again"] != contents["other"]
    with h5py.File(tmp_path / "one.h5") as file:
        train = {image.tobytes() for image in file["train/images"]}
        test = {image.tobytes() for image in file["test/images"]}
        assert (len(train), len(test), len(train & test)) == (40, 20, 0)
        assert np.bincount(file["train/labels"]).tolist() == [4] * 10
        assert len(read_ids(file, "class")) == 10


@pytest.fixture(scope="module")
def numbered(tmp_path_factory):
    """Give a training set whose image i has i in its first two pixels, 600 images of 10 classes."""
    images = np.zeros((600, 8, 8, 3), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0] = np.divmod(np.arange(600), 256)
    arrays = {"train/images": images, "train/labels": np.arange(600) % 10}
    path = tmp_path_factory.mktemp("numbered") / "images.h5"
    write_h5(path, arrays, ids={"class": list("abcdefghij")}, settings={})
    return path


def numbers(images):
    return images[:, 0, 0, 0].astype(int) * 256 + images[:, 0, 1, 0]


def test_a_draw_repeats_with_its_seed_and_has_no_image_twice(numbered):
    images, labels = load_split(numbered, "train", 200, 7)
    again, _ = load_split(numbered, "train", 200, 7)
    np.testing.assert_array_equal(images, again)
    assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
    assert len(set(numbers(images))) == 200
    np.testing.assert_array_equal(numbers(images) % 10, labels)


def test_other_seeds_draw_other_images_and_a_larger_draw_begins_with_the_smaller(numbered):
    one, two = (numbers(load_split(numbered, "train", 200, seed)[0]) for seed in (7, 8))
    # two independent draws of 200 from 600 share 67 on average (sd 5.4)
    assert 40 < len(set(one) & set(two)) < 95
    np.testing.assert_array_equal(numbers(load_split(numbered, "train", 300, 7)[0])[:200], one)


def test_every_image_is_drawn_equally_often_over_seeds(numbered):
    draws = [
        numbers(load_split(numbered, "train", 60, derive_seed(1, seed, "images"))[0])
        for seed in range(300)
    ]
    counts = np.bincount(np.concatenate(draws), minlength=600)
    assert stats.chisquare(counts).pvalue > 0.001
    first = np.array([draw[0] for draw in draws])
    assert stats.kstest(first / 600, "uniform").pvalue > 0.001


def test_a_draw_of_all_images_holds_each_once_and_more_are_refused(numbered):
    images, _ = load_split(numbered, "train", 600, 1)
    assert sorted(numbers(images)) == list(range(600))
    with pytest.raises(DataError, match="'train' has 600 images, 601 are asked for"):
        load_split(numbered, "train", 601, 1)
    with pytest.raises(DataError, match="no split 'val'"):
        load_split(numbered, "val", 1, 1)
