"""Images in folders are read as they are, however they are packed; what is wrong is named."""

import io
import stat
import tarfile
import zipfile

import h5py
import numpy as np
import pytest
from PIL import Image

from rule_settings import altered
from rulealign.data.images import archives
from rulealign.data.images.training_set import build
from rulealign.data.training_sets.image_folder import ImageFolder
from rulealign.errors import DataError
from rulealign.plan.settings.training import TrainingSetSettings
from rulealign.store import read_ids

PX = 16
FOLDER = TrainingSetSettings(
    training_set=ImageFolder(
        kind="image-folder", source="./images", image_size=PX, train_images=9, held_out_images=3
    ),
    study_seed=1,
    copies_explained=False,
)


def encoded(pixels, kind="PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def pixels():
    """Give images by name, in no order: 3 classes x 3 for training, 3 classes x 1 for testing."""
    rng = np.random.default_rng(0)
    names = [f"train/{c}/{n}.png" for n in ("9", "10", "a") for c in ("dog", "ant", "Bee")]
    names += [f"test/{c}/1.png" for c in ("ant", "dog", "Bee")]
    return {name: rng.integers(0, 256, (PX, PX, 3), dtype=np.uint8) for name in names}


@pytest.fixture
def files(pixels):
    return {name: encoded(image) for name, image in pixels.items()}


def pack(kind, files, place):
    """Pack files (name -> bytes) as a folder or archive, in the order given."""
    path = place / f"images.{kind}"
    if kind == "folder":
        for name, contents in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(contents)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, contents in files.items():
                archive.writestr(name, contents)
    else:
        with tarfile.open(path, "w:" + kind.removeprefix("tar").removeprefix(".")) as archive:
            for name, contents in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(contents)
                archive.addfile(member, io.BytesIO(contents))
    return path


def refused(source, tmp_path, match, **changes):
    output = tmp_path / "refused.h5"
    with pytest.raises(DataError, match=match) as error:
        build(altered(FOLDER, training_set=changes), source, output)
    assert not output.exists()
    return str(error.value)


def test_images_and_labels_are_those_of_the_files_sorted_by_class_and_name(pixels, files, tmp_path):
    build(FOLDER, pack("tar.xz", files, tmp_path), tmp_path / "images.h5")
    order = [f"train/{c}/{n}.png" for c in ("Bee", "ant", "dog") for n in ("10", "9", "a")]
    with h5py.File(tmp_path / "images.h5") as file:
        assert read_ids(file, "class") == ["Bee", "ant", "dog"]
        assert file["train/labels"][()].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
        assert file["test/labels"][()].tolist() == [0, 1, 2]
        for place, name in enumerate(order):
            np.testing.assert_array_equal(file["train/images"][place], pixels[name])
        np.testing.assert_array_equal(file["test/images"][1], pixels["test/ant/1.png"])


def test_folder_zip_and_tars_in_any_order_give_the_same_bytes(files, tmp_path):
    backwards = dict(reversed(files.items()))
    made = set()
    for kind in ("folder", "zip", "tar", "tar.gz", "tar.bz2", "tar.xz"):
        order = backwards if kind in ("tar.xz", "zip") else files
        build(FOLDER, pack(kind, order, tmp_path), tmp_path / "images.h5")
        made.add((tmp_path / "images.h5").read_bytes())
    assert len(made) == 1


def test_other_splits_and_hidden_files_are_left_out_and_said(files, tmp_path, capsys):
    more = {"val/cat/1.png": b"", "train/ant/.DS_Store": b"", "__MACOSX/train/ant/1.png": b""}
    more |= {"Thumbs.db": b"", "test/bee/THUMBS.DB": b"", "train/ant/._1.png": b""}
    build(FOLDER, pack("zip", {**files, **more}, tmp_path), tmp_path / "more.h5")
    build(FOLDER, pack("folder", files, tmp_path), tmp_path / "plain.h5")
    assert (tmp_path / "more.h5").read_bytes() == (tmp_path / "plain.h5").read_bytes()
    said = capsys.readouterr().out
    assert "1 files of the split 'val' are not used" in said
    assert "5 hidden files left out" in said


@pytest.mark.parametrize("name", ["../train/ant/1.png", "/train/ant/1.png", "train/../../a/1.png"])
@pytest.mark.parametrize("kind", ["zip", "tar", "tar.xz"])
def test_names_that_leave_the_archive_are_refused(files, tmp_path, kind, name):
    source = pack(kind, {**files, name: b"x"}, tmp_path)
    assert name in refused(source, tmp_path, "would lie outside")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    with tarfile.open(tmp_path / "images.tar", "w") as archive:
        member = tarfile.TarInfo("train/ant/1.png")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    refused(tmp_path / "images.tar", tmp_path, r"'train/ant/1\.png' is a link or no ordinary file")


def test_links_in_a_zip_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        member = zipfile.ZipInfo("train/ant/1.png")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    refused(tmp_path / "images.zip", tmp_path, "is a link or no ordinary file")


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz"])
def test_a_truncated_archive_is_refused(files, tmp_path, kind):
    source = pack(kind, files, tmp_path)
    contents = source.read_bytes()
    source.write_bytes(contents[: len(contents) // 2])
    assert str(source) in refused(source, tmp_path, "damaged|neither a folder nor a readable")


@pytest.mark.parametrize("blocks", range(2, 25))
def test_a_tar_that_is_cut_anywhere_is_refused(files, tmp_path, blocks):
    source = pack("tar", files, tmp_path)
    source.write_bytes(source.read_bytes()[: blocks * 512])
    refused(source, tmp_path, "damaged, truncated")


def test_a_name_that_occurs_twice_is_refused(files, tmp_path):
    source = pack("tar", files, tmp_path)
    with tarfile.open(source, "a") as archive:
        member = tarfile.TarInfo("train/ant/9.png")
        archive.addfile(member)
    refused(source, tmp_path, r"'train/ant/9\.png' appears twice")


def test_a_huge_file_in_an_archive_is_not_read(files, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST_FILE", 1_000_000)
    source = pack("tar.xz", {**files, "train/ant/b.png": bytes(2_000_000)}, tmp_path)
    refused(source, tmp_path, r"'train/ant/b\.png' has 2 MB, more than 1 MB")


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (np.zeros((PX, PX + 1, 3), np.uint8), "is 17 x 16 pixels"),
        (np.zeros((32, 32, 3), np.uint8), "is 32 x 32 pixels, training_set.image_size is 16"),
        (np.zeros((PX, PX), np.uint8), "colour mode is L, not RGB"),
        (np.zeros((PX, PX, 4), np.uint8), "colour mode is RGBA, not RGB"),
    ],
)
def test_images_of_another_size_or_colour_mode_are_refused(files, tmp_path, image, problem):
    source = pack("zip", {**files, "train/ant/b.png": encoded(image)}, tmp_path)
    refused(source, tmp_path, rf"images\.zip: 'train/ant/b\.png': .*{problem}")


def test_an_unreadable_or_truncated_image_is_refused(files, tmp_path):
    for name, contents in (("b", b"no image"), ("c", b""), ("d", files["train/ant/9.png"][:300])):
        source = pack("zip", {**files, f"train/ant/{name}.png": contents}, tmp_path)
        refused(source, tmp_path, rf"'train/ant/{name}\.png': cannot be read as an image")


def test_a_truncated_jpeg_is_refused(files, tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (PX, PX, 3), dtype=np.uint8)
    jpeg = encoded(noise, "JPEG")
    source = pack("tar", {**files, "train/ant/b.jpg": jpeg[:-200]}, tmp_path)
    refused(source, tmp_path, r"'train/ant/b\.jpg': cannot be read as an image")


def test_folders_that_are_not_split_and_class_are_refused(files, tmp_path):
    for name in ("README.txt", "train/1.png", "train/ant/more/1.png"):
        source = pack("zip", {**files, name: files["train/ant/9.png"]}, tmp_path)
        refused(source, tmp_path, f"'{name}' does not lie at split/class/image")


def test_splits_that_are_missing_or_have_other_classes_are_refused(files, tmp_path):
    train = {name: contents for name, contents in files.items() if name.startswith("train")}
    refused(pack("zip", train, tmp_path), tmp_path, "no images in the split 'test'")
    fewer = {name: contents for name, contents in files.items() if "test/dog" not in name}
    refused(pack("tar", fewer, tmp_path), tmp_path, "the split 'test' lacks the class 'dog'")
    refused(tmp_path / "nothing", tmp_path, "no such file or folder")


def test_asking_for_more_images_than_there_are_fails_when_the_set_is_built(files, tmp_path):
    source = pack("zip", files, tmp_path)
    refused(source, tmp_path, "'train' has 9 images, .*train_images asks for 10", train_images=10)
    refused(source, tmp_path, "'test' has 3 images, .*held_out_images asks", held_out_images=4)


@pytest.mark.mirror
def test_the_first_jpeg_of_the_mirror_is_where_its_class_and_name_put_it(mirror, tmp_path):
    """Read the head of the real archive with tar alone: the layout is the one that is expected."""
    with tarfile.open(mirror / "cifar10/cifar10-jpeg.tar.xz", "r|xz") as archive:
        first = next(member for member in archive if member.isreg())
        pixels = np.array(Image.open(archive.extractfile(first)))
    assert first.name == "train/airplane/0000.jpg"
    assert pixels.shape == (32, 32, 3)


def test_a_single_class_is_refused_as_there_is_nothing_to_tell_apart(pixels, tmp_path):
    image = encoded(pixels["train/ant/9.png"])
    files = {f"{split}/ant/{split}.png": image for split in ("train", "test")}
    refused(pack("folder", files, tmp_path), tmp_path, "has one class, 'ant'")
