"""Pictures whose stored pixels are not what networks should see; written by hand where need be."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from rulealign.data.images.pictures import read_rgb
from rulealign.data.images.stimulus_images import read_stimuli
from rulealign.data.images.training_set import build
from rulealign.data.training_sets.image_folder import ImageFolder
from rulealign.errors import DataError
from rulealign.plan.settings.training import TrainingSetSettings
from shown_stimuli import told

SIDE = 16
PIXELS = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def png(depth, colour_type, channels, before_pixels=b""):
    """Write a PNG of random bytes, of a depth and colour type that Pillow cannot write."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rng = np.random.default_rng(1)
    rows = [b"\0" + rng.bytes(SIDE * channels * depth // 8) for _ in range(SIDE)]
    head = struct.pack(">IIBBBBB", SIDE, SIDE, depth, colour_type, 0, 0, 0)
    parts = chunk(b"IHDR", head) + before_pixels + chunk(b"IDAT", zlib.compress(b"".join(rows)))
    return b"\x89PNG\r\n\x1a\n" + parts + chunk(b"IEND", b"")


def tiff16():
    """Write an uncompressed TIFF of 16 bits per channel."""
    data = np.random.default_rng(1).bytes(SIDE * SIDE * 6)
    entries = [(256, SIDE), (257, SIDE), (258, 128), (259, 1), (262, 2), (273, 134), (277, 3)]
    entries += [(278, SIDE), (279, len(data))]
    tags = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries]
    tags[2] = struct.pack("<HHII", 258, 3, 3, 128)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(tags) + bytes(4)
    return head.ljust(128, b"\0") + struct.pack("<HHH", 16, 16, 16) + data


def saved(image, form="PNG", **how):
    buffer = io.BytesIO()
    image.save(buffer, form, **how)
    return buffer.getvalue()


def turned(orientation, form="JPEG"):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return saved(Image.fromarray(PIXELS), form, exif=tags)


RGB = Image.fromarray(PIXELS)
BAD = {
    "PNG of 16 bits": (png(16, 2, 3), "has 16 bits per channel, and networks see 8"),
    "PNG of 16 bits with alpha": (png(16, 6, 4), "has 16 bits per channel|colour mode is RGBA"),
    "grey PNG of 16 bits": (png(16, 0, 1), "colour mode is I;16, not RGB"),
    "grey PNG with alpha": (png(8, 4, 2), "colour mode is LA, not RGB"),
    "TIFF of 16 bits": (tiff16(), "has 16 bits per channel, and networks see 8"),
    "PPM of 16 bits": (
        b"P6 16 16 65535\n" + np.random.default_rng(1).bytes(SIDE * SIDE * 6),
        "has 16 bits per channel, and networks see 8",
    ),
    "float TIFF": (saved(RGB.convert("F"), "TIFF"), "colour mode is F, not RGB"),
    "palette": (saved(RGB.convert("P")), "colour mode is P, not RGB"),
    "GIF": (saved(RGB, "GIF"), "colour mode is P, not RGB"),
    "CMYK": (saved(RGB.convert("CMYK"), "JPEG"), "colour mode is CMYK, not RGB"),
    "one transparent colour": (saved(RGB, transparency=(1, 2, 3)), "has a transparent colour"),
    "two frames": (
        saved(RGB, save_all=True, append_images=[RGB.transpose(0)]),
        "holds 2 pictures. Save the one that you mean",
    ),
    "turned JPEG": (turned(6), r"stored turned \(EXIF orientation 6\)"),
    "turned PNG": (turned(3, "PNG"), r"stored turned \(EXIF orientation 3\)"),
    "PostScript": (saved(RGB, "EPS"), "cannot be read as an image"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_stimulus_that_would_be_seen_otherwise_is_refused(name, tmp_path):
    contents, problem = BAD[name]
    (tmp_path / "a.png").write_bytes(contents)
    with pytest.raises(DataError, match=rf"a\.png: .*({problem})"):
        list(read_stimuli(told("folder"), tmp_path, {}))


@pytest.mark.parametrize("name", BAD)
def test_a_training_image_that_would_be_seen_otherwise_is_refused(name, tmp_path):
    contents, problem = BAD[name]
    for split in ("train", "test"):
        (tmp_path / "images" / split / "ant").mkdir(parents=True)
        (tmp_path / "images" / split / "ant" / "1.png").write_bytes(contents)
    folder = ImageFolder(kind="image-folder", source="./images", image_size=SIDE)
    settings = TrainingSetSettings(training_set=folder, study_seed=1, copies_explained=False)
    with pytest.raises(DataError, match=rf"'(test|train)/ant/1\.png': .*({problem})"):
        build(settings, tmp_path / "images", tmp_path / "out.h5")


def test_the_remedy_for_a_turned_picture_makes_it_readable_and_upright(tmp_path):
    from PIL import ImageOps

    path = tmp_path / "a.png"
    path.write_bytes(turned(6, "PNG"))
    ImageOps.exif_transpose(Image.open(path)).save(path)
    assert (np.asarray(read_rgb(path, "a")) == np.rot90(PIXELS, -1)).all()


@pytest.mark.parametrize(
    "contents", [saved(RGB), turned(1, "PNG"), saved(RGB, "TIFF"), png(8, 2, 3)]
)
def test_8_bit_rgb_as_it_should_be_seen_is_read_as_stored(contents):
    found = np.asarray(read_rgb(io.BytesIO(contents), "a"))
    with Image.open(io.BytesIO(contents)) as image:
        assert (found == np.asarray(image)).all()


def test_published_pictures_are_read_as_subjects_saw_them():
    grey = saved(RGB.convert("L"))
    found = np.asarray(read_rgb(io.BytesIO(grey), "a", grey=True))
    assert (found == np.asarray(RGB.convert("L"))[..., np.newaxis]).all()
    stored = np.asarray(read_rgb(io.BytesIO(turned(6, "PNG")), "a", grey=True))
    assert (stored == PIXELS).all()


def composed(image):
    """Lay a picture on grey, pixel by pixel."""
    values = np.asarray(image.convert("RGBA")).astype(float)
    share = values[..., 3:] / 255
    return share * values[..., :3] + (1 - share) * 128


def upper(contents, order):
    """Give the upper 8 bits of a grey picture of 16, that lie in the file row by row."""
    start = contents.index(b"IDAT") + 4
    raw = np.frombuffer(zlib.decompressobj().decompress(contents[start:]), dtype=np.uint8)
    return raw.reshape(SIDE, -1)[:, 1:][:, order::2]


ALPHA = Image.fromarray(np.dstack([PIXELS, np.arange(256, dtype=np.uint8).reshape(SIDE, SIDE)]))
PALETTE = RGB.convert("P")
DEEP = png(16, 0, 1)
CONVERTED = {
    "grey": (saved(RGB.convert("L")), np.dstack([np.asarray(RGB.convert("L"))] * 3)),
    "palette": (
        saved(PALETTE),
        np.array(PALETTE.getpalette()).reshape(-1, 3)[np.asarray(PALETTE)],
    ),
    "alpha": (saved(ALPHA), composed(ALPHA)),
    "one transparent colour": (
        saved(RGB, transparency=tuple(map(int, PIXELS[0, 0]))),
        np.where((PIXELS[0, 0] == PIXELS).all(axis=-1, keepdims=True), 128, PIXELS),
    ),
    "16 bits": (DEEP, np.dstack([upper(DEEP, 0)] * 3)),
    "RGB as it is": (saved(RGB), PIXELS),
}


@pytest.mark.parametrize("name", CONVERTED)
def test_other_colour_modes_are_converted_where_it_is_asked_for(name, tmp_path):
    contents, expected = CONVERTED[name]
    (tmp_path / "a.png").write_bytes(contents)
    ((_, image),) = read_stimuli(told("folder", convert="rgb"), tmp_path, {})
    assert image.mode == "RGB"
    np.testing.assert_allclose(np.asarray(image).astype(float), expected, atol=0.51)


def test_cmyk_is_converted_by_the_plain_formula():
    ink = np.asarray(RGB.convert("CMYK")).astype(float)
    contents = saved(RGB.convert("CMYK"), "TIFF")
    found = np.asarray(read_rgb(io.BytesIO(contents), "a", convert=True)).astype(float)
    expected = (255 - ink[..., :3]) * (255 - ink[..., 3:]) / 255
    np.testing.assert_allclose(found, expected, atol=1.5)


@pytest.mark.parametrize("name", ["float TIFF", "two frames", "turned JPEG", "PostScript"])
def test_what_no_conversion_decides_is_refused_all_the_same(name, tmp_path):
    contents, problem = BAD[name]
    (tmp_path / "a.png").write_bytes(contents)
    with pytest.raises(DataError, match=problem):
        list(read_stimuli(told("folder", convert="rgb"), tmp_path, {}))
    frames = [RGB, RGB.rotate(90)]
    (tmp_path / "a.png").write_bytes(saved(frames[0], "GIF", save_all=True, append_images=frames))
    with pytest.raises(DataError, match="pictures. Save the one"):
        list(read_stimuli(told("folder", convert="rgb"), tmp_path, {}))


def test_training_images_are_resized_as_torchvision_does(tmp_path):
    from torchvision.transforms import CenterCrop, Compose, Resize

    wide = np.random.default_rng(5).integers(0, 256, (30, 47, 3), dtype=np.uint8)
    images = {"1.png": RGB, "2.png": Image.fromarray(wide), "3.png": RGB.convert("L")}
    for split in ("train", "test"):
        for name, image in images.items():
            path = tmp_path / split / "ant" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(saved(image))
    section = ImageFolder(
        kind="image-folder", source="./x", image_size=SIDE, convert="rgb", resize="crop"
    )
    _, splits = section.read(tmp_path, tmp_path, 0)
    found, _ = splits["train"]
    shown = Compose([Resize(SIDE), CenterCrop(SIDE)])
    for image, pixels in zip(images.values(), found, strict=True):
        assert (pixels == np.asarray(shown(image.convert("RGB")))).all()
    plain = ImageFolder(kind="image-folder", source="./x", image_size=SIDE, convert="rgb")
    with pytest.raises(DataError, match="Set training_set.resize to crop"):
        plain.read(tmp_path, tmp_path, 0)
