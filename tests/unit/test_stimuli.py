import json

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from torchvision import transforms

from rulealign.data.images.resize import prepare
from rulealign.data.images.stimulus_images import read_stimuli, write_stimuli
from shown_stimuli import one_each, told

FOLDER = told("folder")
MAT = told("mat", key="things", ids="image_{:02d}")


def _pixels(seed, height=12, width=9):
    shape = (height, width, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def _save(path, seed, **size):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = _pixels(seed, **size)
    Image.fromarray(pixels).save(path)
    return pixels


def _save_struct(path, images):
    records = np.empty((1, len(images)), dtype=[("category", object), ("image", object)])
    for place, image in enumerate(images):
        records[0, place] = (f"kind {place}", image)
    savemat(path, {"things": records})


@pytest.mark.parametrize("sides", [(175, 175), (37, 90), (90, 37), (333, 127), (33, 32), (31, 500)])
@pytest.mark.parametrize("size", [32, 45, 224])
def test_preparation_is_torchvisions_resize_and_centre_crop_to_the_pixel(sides, size):
    image = Image.fromarray(_pixels(1, *sides))
    reference = transforms.Compose([transforms.Resize(size), transforms.CenterCrop(size)])(image)
    assert np.array_equal(prepare(image, size), np.asarray(reference))


def test_an_image_of_the_asked_size_keeps_its_pixels():
    pixels = _pixels(2, 32, 32)
    assert np.array_equal(prepare(Image.fromarray(pixels), 32), pixels)


def test_a_folder_is_read_in_sorted_order_with_stems_as_ids(tmp_path, capsys):
    expected = {name: _save(tmp_path / f"{name}.png", seed) for seed, name in enumerate("cab")}
    (tmp_path / "fetched.json").write_text("{}")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._a.png"):
        (tmp_path / name).write_bytes(b"of the operating system")
    ids, images = zip(*read_stimuli(FOLDER, tmp_path, {}), strict=True)
    assert ids == ("a", "b", "c")
    for name, image in zip(ids, images, strict=True):
        assert np.array_equal(np.asarray(image), expected[name])
    assert "4 files of the operating system left out" in capsys.readouterr().out


def test_a_mat_file_is_read_in_the_arrays_order(tmp_path):
    pixels = [_pixels(seed) for seed in range(3)]
    _save_struct(tmp_path / "images.mat", pixels)
    ids, images = zip(*read_stimuli(MAT, tmp_path / "images.mat", {}), strict=True)
    assert ids == ("image_01", "image_02", "image_03")
    for image, expected in zip(images, pixels, strict=True):
        assert np.array_equal(np.asarray(image), expected)


def test_brain_images_come_in_the_asked_order_from_their_concepts_folder(tmp_path):
    names = ["ice_cream_02n.png", "dog_12s.png"]
    expected = [
        _save(tmp_path / "ice_cream" / names[0], 1),
        _save(tmp_path / "dog" / names[1], 2),
    ]
    _save(tmp_path / "dog" / "dog_01b.png", 3)
    ids, images = zip(*read_stimuli(told("brain"), tmp_path, one_each(names)), strict=True)
    assert list(ids) == names
    for image, pixels in zip(images, expected, strict=True):
        assert np.array_equal(np.asarray(image), pixels)


def test_the_file_holds_prepared_images_ids_and_provenance(tmp_path):
    for seed, name in enumerate(["two", "one"]):
        _save(tmp_path / "images" / f"{name}.png", seed, height=40, width=61)
    write_stimuli(FOLDER, 24, tmp_path / "images", tmp_path / "out.h5", {})
    reference = transforms.Compose([transforms.Resize(24), transforms.CenterCrop(24)])
    with h5py.File(tmp_path / "out.h5") as file:
        assert [name.decode() for name in file["ids/stimulus"]] == ["one", "two"]
        for place, name in enumerate(["one", "two"]):
            image = Image.open(tmp_path / "images" / f"{name}.png")
            assert np.array_equal(file["images"][place], np.asarray(reference(image)))
        described = {name: file.attrs[name] for name in ("background", "as_shown", "size", "kind")}
        assert described == {"background": "grey", "as_shown": False, "size": 24, "kind": "folder"}
        assert json.loads(file.attrs["settings"]) == FOLDER.plain()


def test_the_same_images_give_the_same_bytes(tmp_path):
    _save(tmp_path / "images" / "one.png", 1)
    for name in ("first.h5", "again.h5"):
        write_stimuli(FOLDER, 8, tmp_path / "images", tmp_path / name, {})
    assert (tmp_path / "first.h5").read_bytes() == (tmp_path / "again.h5").read_bytes()


@pytest.mark.mirror
def test_the_92_objects_come_in_one_order_on_grey_and_on_white(mirror):
    cichy = mirror / "cichy92"
    mat = told("mat", key="stimuli_92objs", ids="image_{:02d}")
    ids, on_grey = zip(
        *read_stimuli(mat, cichy / "Kriegeskorte_Neuron2008_supplementalData.mat", {}),
        strict=True,
    )
    same_ids, on_white = zip(*read_stimuli(FOLDER, cichy / "92images", {}), strict=True)
    assert ids == same_ids
    grey = np.stack([np.asarray(image) for image in on_grey]).astype(np.float32)
    white = np.stack([np.asarray(image) for image in on_white]).astype(np.float32)
    assert (grey[:, 0, 0] == 128).all()
    assert (white[:, 0, 0] > 240).all()
    for place, image in enumerate(grey):
        shown = (image != 128).any(axis=2)
        distances = np.abs(white[:, shown] - image[shown]).mean(axis=(1, 2))
        assert distances.argmin() == place
