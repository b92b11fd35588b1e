"""Training sets hold exactly the pixels and labels of their source, however it is packed."""

import hashlib
import io
import pickle
import tarfile
import zipfile

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy import stats

from rulealign.data import image_folder
from rulealign.data.training_set import build, load_split
from rulealign.errors import DataError
from rulealign.provenance import derive_seed
from rulealign.store import read_ids, write_h5

PX = 16
FOLDER_SETTINGS = {
    "kind": "image-folder",
    "source": "./images",
    "image_size": PX,
    "train_images": 6,
    "held_out_images": 2,
    "seed": 1,
}


def png(pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def some_images() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    names = [f"train/{c}/{n}.png" for c in ("dog", "ant", "Bee") for n in ("10", "9", "a")]
    names += [f"test/{c}/{n}.png" for c in ("ant", "dog", "Bee") for n in ("1",)]
    return {name: rng.integers(0, 256, (PX, PX, 3), dtype=np.uint8) for name in names}


def pack(kind, images, folder):
    """Pack images (name -> bytes) as a folder or archive, in the order given."""
    path = folder / kind.replace("|", "-")
    if kind == "folder":
        for name, contents in images.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(contents)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, contents in images.items():
                archive.writestr(name, contents)
    else:
        with tarfile.open(path, f"w:{kind}") as archive:
            for name, contents in images.items():
                member = tarfile.TarInfo(name)
                member.size = len(contents)
                archive.addfile(member, io.BytesIO(contents))
    return path


def test_folder_zip_and_tars_in_any_order_give_the_same_bytes(tmp_path):
    images = {name: png(pixels) for name, pixels in some_images().items()}
    backwards = dict(reversed(images.items()))
    made = []
    for kind in ("folder", "zip", "tar", "gz", "bz2", "xz"):
        source = pack(kind if kind != "tar" else "", images if kind == "zip" else backwards, tmp_path / kind) if False else None
        (tmp_path / kind).mkdir()
        order = backwards if kind in ("xz", "folder") else images
        source = pack("" if kind == "tar" else kind, order, tmp_path / kind) if kind != "tar" else pack_plain(order, tmp_path / kind)
        build(FOLDER_SETTINGS, source, tmp_path / f"{kind}.h5")
        made.append((tmp_path / f"{kind}.h5").read_bytes())
    assert all(other == made[0] for other in made)
