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
