"""Images come out of every kind of zip and folder as they went in, by exact name."""

import io
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

import zips
from rulealign.data.images.stimulus_images import write_stimuli
from rulealign.data.things.images import check_images, images_password, open_images
from shown_stimuli import one_each, told

PASSWORD = "Schl\u00fcssel 7"
KEY = PASSWORD.encode()
IDS = ["ice_cream_05s.jpg", "dog_12s.jpg", "dog_01b.jpg", "ant_01b.jpg"]
FORMS = {
    "folder": zips.write_folder,
    "plain": zips.write_plain,
    "aes": zips.write_aes,
    "zipcrypto": zips.write_zipcrypto,
    "zipcrypto, stored": lambda *rest: zips.write_zipcrypto(*rest, deflate=False),
    "zipcrypto, streamed": lambda *rest: zips.write_zipcrypto(*rest, streamed=True),
}
BRAIN = told("brain")


def jpeg(seed, height=13, width=11, mode="RGB"):
    shape = (height, width, 3) if mode == "RGB" else (height, width)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def pixels_of(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture
def files():
    names = ["ant/ant_01b.jpg", "dog/dog_01b.jpg", "dog/dog_02s.jpg", "dog/dog_12s.jpg"]
    names += ["ice_cream/ice_cream_05s.jpg", "cat/cat_01b.jpg"]
    return {name: jpeg(seed, 13 + 9 * seed) for seed, name in enumerate(names)}


@pytest.mark.parametrize("nesting", ["", "object_images/", "images_THINGS/object_images/"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_pixels_of_the_files_in_the_asked_order(
    tmp_path, files, form, nesting
):
    source = tmp_path / "images"
    FORMS[form](source, {f"{nesting}{name}": content for name, content in files.items()}, KEY)
    before = sorted(tmp_path.rglob("*"))
    read = list(open_images(source, IDS, PASSWORD))
    assert [name for name, _ in read] == IDS
    for name, image in read:
        content = files[f"{name.rpartition('_')[0]}/{name}"]
        assert np.array_equal(np.asarray(image), pixels_of(content))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("form", list(FORMS)[1:])
def test_a_zip_gives_the_same_stimulus_file_as_a_folder(tmp_path, files, form, monkeypatch):
    monkeypatch.setenv("THINGS_IMAGES_PASSWORD", PASSWORD)
    zips.write_folder(tmp_path / "folder", files)
    FORMS[form](tmp_path / "images.zip", files, KEY)
    for name in ("folder", "images.zip"):
        write_stimuli(BRAIN, 8, tmp_path / name, tmp_path / f"{name}.h5", one_each(IDS))
    assert (tmp_path / "folder.h5").read_bytes() == (tmp_path / "images.zip.h5").read_bytes()


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_every_strength_of_aes_opens(tmp_path, files, bits):
    zips.write_aes(tmp_path / "a.zip", files, KEY, bits)
    read = dict(open_images(tmp_path / "a.zip", IDS, PASSWORD))
    assert np.array_equal(np.asarray(read["dog_12s.jpg"]), pixels_of(files["dog/dog_12s.jpg"]))


def test_the_writer_of_older_encryption_is_understood_by_python(tmp_path, files):
    zips.write_zipcrypto(tmp_path / "x.zip", files, KEY)
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert {name: archive.read(name, KEY) for name in files} == files


@pytest.mark.skipif(shutil.which("zip") is None, reason="no zip program")
def test_a_zip_made_by_the_zip_program_opens(tmp_path, files):
    zips.write_folder(tmp_path / "object_images", files)
    command = ["zip", "-q", "-r", "-P", PASSWORD, "x.zip", "object_images"]
    subprocess.run(command, cwd=tmp_path, check=True)
    read = dict(open_images(tmp_path / "x.zip", IDS, PASSWORD))
    assert np.array_equal(np.asarray(read["ant_01b.jpg"]), pixels_of(files["ant/ant_01b.jpg"]))


def test_images_come_in_order_across_ways_of_packing(tmp_path, files):
    zips.write_zipcrypto(tmp_path / "x.zip", files, KEY)
    with zipfile.ZipFile(tmp_path / "x.zip", "a") as archive:
        archive.writestr("bee/bee_03s.jpg", jpeg(77))
    ids = ["cat_01b.jpg", "bee_03s.jpg", *IDS, "dog_02s.jpg"]
    files["bee/bee_03s.jpg"] = jpeg(77)
    read = list(open_images(tmp_path / "x.zip", ids, PASSWORD))
    assert [name for name, _ in read] == ids
    for name, image in read:
        content = files[f"{name.rpartition('_')[0]}/{name}"]
        assert np.array_equal(np.asarray(image), pixels_of(content))


def test_what_is_not_asked_for_is_not_read(tmp_path, files):
    files["zebra/zebra_01b.jpg"] = b"no picture" * 9
    zips.write_aes(tmp_path / "x.zip", files, KEY)
    content = bytearray((tmp_path / "x.zip").read_bytes())
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        offset = archive.getinfo("cat/cat_01b.jpg").header_offset
    content[offset : offset + 90] = bytes(90)
    (tmp_path / "x.zip").write_bytes(content)
    assert [name for name, _ in open_images(tmp_path / "x.zip", IDS, PASSWORD)] == IDS


def test_an_image_that_lies_there_twice_alike_is_read_once(tmp_path, files):
    files["copy/dog/dog_12s.jpg"] = files["dog/dog_12s.jpg"]
    files["__MACOSX/dog/._dog_12s.jpg"] = b"resource fork"
    for form in ("folder", "plain", "zipcrypto"):
        FORMS[form](tmp_path / form, files, KEY)
        assert [name for name, _ in open_images(tmp_path / form, IDS, PASSWORD)] == IDS


def test_a_grey_photograph_has_three_equal_channels(tmp_path):
    content = jpeg(3, mode="L")
    zips.write_plain(tmp_path / "x.zip", {"dog/dog_12s.jpg": content})
    ((_, image),) = open_images(tmp_path / "x.zip", ["dog_12s.jpg"], None)
    with Image.open(io.BytesIO(content)) as grey:
        assert grey.mode == "L"
        expected = np.repeat(np.asarray(grey)[:, :, None], 3, axis=2)
    assert np.array_equal(np.asarray(image), expected)


def test_the_password_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("THINGS_IMAGES_PASSWORD", PASSWORD)
    assert images_password() == PASSWORD
    monkeypatch.setenv("THINGS_IMAGES_PASSWORD", "")
    assert images_password() is None


@pytest.mark.parametrize("form", FORMS)
def test_the_check_for_planning_passes_what_can_be_read(tmp_path, files, form, monkeypatch):
    monkeypatch.setenv("THINGS_IMAGES_PASSWORD", PASSWORD)
    FORMS[form](tmp_path / "images", files, KEY)
    check_images(str(tmp_path / "images"))
    monkeypatch.delenv("THINGS_IMAGES_PASSWORD")
    if form in ("folder", "plain"):
        check_images(str(tmp_path / "images"))


def test_the_check_for_planning_imports_nothing_slow():
    slow = "{'numpy', 'PIL', 'pandas', 'pyzipper', 'h5py', 'torch'}"
    code = "import sys; from rulealign.data.things.images import check_images; check_images('.');"
    code += f" print({slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
