"""Files that point to other files, or claim more than they hold, are refused and not followed."""

import io
import zipfile

import h5py
import numpy as np
import pytest

from brain_settings import read_rdms
from rulealign.errors import DataError, StoreError
from rulealign.store import open_h5

SECRET = 271828.0


def _open(path):
    with open_h5(path):
        pass


@pytest.fixture
def secret(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data"] = np.full(8, SECRET)
    np.full(8, SECRET).tofile(tmp_path / "secret.bin")
    return tmp_path


def _external_link(file, folder):
    file["group/seen"] = h5py.ExternalLink(folder / "secret.h5", "/data")


def _soft_link_to_an_external_one(file, folder):
    file["elsewhere"] = h5py.ExternalLink(folder / "secret.h5", "/")
    file["group/seen"] = h5py.SoftLink("/elsewhere/data")


def _raw_storage(file, folder):
    place = [(str(folder / "secret.bin"), 0, 64)]
    file.create_dataset("group/seen", (8,), "f8", external=place)


def _virtual(file, folder):
    layout = h5py.VirtualLayout((8,), "f8")
    layout[:] = h5py.VirtualSource(folder / "secret.h5", "data", (8,))
    file.create_virtual_dataset("group/seen", layout)


@pytest.mark.parametrize(
    "plant", [_external_link, _soft_link_to_an_external_one, _raw_storage, _virtual]
)
def test_hdf5_that_points_to_another_file_is_refused(secret, plant):
    path = secret / "x.h5"
    with h5py.File(path, "w") as file:
        plant(file, secret)
    with h5py.File(path) as file:  # h5py follows it
        assert file["group/seen"][0] == SECRET
    with pytest.raises(StoreError, match=r"x\.h5: the data of '.*' lie in another file"):
        _open(path)


def test_links_inside_of_a_file_are_followed(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a/data"] = np.arange(3)
        file["b"] = file["a"]
        file["c"] = h5py.SoftLink("/a/data")
        file["d"] = h5py.SoftLink("/nowhere")
    with open_h5(tmp_path / "x.h5") as file:
        assert file["b/data"][2] == file["c"][2] == 2


def test_a_dataset_that_claims_more_than_its_file_can_hold_is_refused(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("rdm", (75_000_000_000,), "f8", chunks=(1024,))
    with pytest.raises(StoreError, match=r"x\.h5: 'rdm' claims 600,000,000,000 bytes"):
        _open(tmp_path / "x.h5")


def test_a_dataset_that_packs_very_well_is_read(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        packed = {"chunks": (1_000_000,), "compression": "gzip", "compression_opts": 9}
        file.create_dataset("zeros", data=np.zeros(10_000_000), **packed)
    assert (tmp_path / "x.h5").stat().st_size < 200_000
    with open_h5(tmp_path / "x.h5") as file:
        assert file["zeros"].shape == (10_000_000,)


def _claiming(shape):
    """Give the header of a .npy of that shape, and little behind it."""
    handle = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(handle, header)
    return handle.getvalue() + bytes(100)


HUGE = (3, 158_114, 158_114)  # 600 GB


def test_an_array_that_claims_more_than_its_file_has_is_refused(tmp_path):
    (tmp_path / "x.npy").write_bytes(_claiming(HUGE))
    with pytest.raises(DataError, match=r"x\.npy: cannot be read as plain arrays"):
        read_rdms(tmp_path / "x.npy", None, 3)


def test_a_member_that_claims_more_than_its_file_can_hold_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("rdms.npy", _claiming(HUGE))
    with pytest.raises(DataError, match=r"x\.npz: .*'rdms' claims 600,\d{3},\d{3},\d{3} bytes"):
        read_rdms(tmp_path / "x.npz", "rdms", 3)


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_an_array_of_objects_is_refused(tmp_path, name):
    objects = np.array([[[None]]])
    if name == "x.npy":
        np.save(tmp_path / name, objects, allow_pickle=True)
    else:
        np.savez(tmp_path / name, rdms=objects)
    with pytest.raises(DataError, match=rf"{name}: .*may hold code"):
        read_rdms(tmp_path / name, None if name == "x.npy" else "rdms", 1)


def test_an_npz_without_a_key_is_told_with_the_keys_there_are(tmp_path):
    np.savez(tmp_path / "x.npz", EVC=np.zeros((2, 3, 3)), IT=np.zeros((2, 3, 3)))
    with pytest.raises(DataError, match=r"x\.npz: .*`key`; it has \['EVC', 'IT'\]"):
        read_rdms(tmp_path / "x.npz", None, 2)
    with pytest.raises(DataError, match=r"x\.npz: has no array 'V1'; it has \['EVC', 'IT'\]"):
        read_rdms(tmp_path / "x.npz", "V1", 2)
