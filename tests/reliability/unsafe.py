"""Files that would run code, leave their folder, or fill the machine: refused, and nothing done."""

from __future__ import annotations

import io
import pickle
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch

from brain_settings import read_rdms
from reliability import in_place
from reliability.outcomes import ACCEPTED, Tally, judged
from rulealign.data.images.archive_member import extract_members
from rulealign.data.things.tables import read_trials
from rulealign.errors import RulealignError
from rulealign.learning import checkpoint
from rulealign.store import open_h5

HUGE = (3, 158_114, 158_114)  # 600 GB of float64
OUTSIDE = ("../out.bin", "/tmp/out.bin", "a/../../out.bin", "a\\..\\out.bin")


class Code:
    """What leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


@dataclass(frozen=True)
class Unsafe:
    """An unsafe file: what it is, what writes it into a folder, what reads it, what to name."""

    what: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]
    named: tuple[str, ...]


def measure() -> Tally:
    """Let the pipeline's own functions read each unsafe file, and see that nothing was done."""
    tally = Tally()
    for unsafe in unsafe_files():
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "deep" / "in"
            folder.mkdir(parents=True)
            unsafe.write(folder)
            before = set(Path(place).rglob("*"))
            answer = in_place.answer(lambda: _read(unsafe.read, folder), folder)  # noqa: B023
            outcome = judged(answer, unsafe.named)
            made = [path for path in set(Path(place).rglob("*")) - before if path.is_file()]
            tally.add(ACCEPTED if made else outcome, unsafe.what, answer.said)
    return tally


def _read(read: Callable[[Path], object], folder: Path) -> None:
    try:
        read(folder)
    except RulealignError as error:
        raise SystemExit(str(error)) from None


def unsafe_files() -> Iterator[Unsafe]:
    """Yield the unsafe files."""
    yield from _archives()
    yield from _pickles()
    yield from _hdf5()
    yield Unsafe(
        ".npy that claims 600 GB", lambda f: _claim(f / "x.npy"), _rdms("x.npy"), (r"x\.npy",)
    )
    yield Unsafe(".npz that claims 600 GB", _claim_in_zip, _rdms("x.npz", "EVC"), (r"x\.npz",))


def _archives() -> Iterator[Unsafe]:
    for kind in ("zip", "tar", "tar.gz"):
        for name in OUTSIDE:
            yield Unsafe(
                f".{kind} with '{name}'", _archive(kind, name), _unpacked(kind), (rf"x\.{kind}",)
            )
    for link in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
        yield Unsafe(
            f".tar with a link or device ({link.decode()})",
            _archive("tar", "a/link", link),
            _unpacked("tar"),
            (r"x\.tar", "link"),
        )


def _archive(kind: str, name: str, what: bytes = tarfile.REGTYPE) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        path = folder / f"x.{kind}"
        if kind == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(name, b"x")
            return
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as archive:
            member = tarfile.TarInfo(name)
            member.type, member.size = what, int(what == tarfile.REGTYPE)
            member.linkname = "/etc/passwd"
            archive.addfile(member, io.BytesIO(b"x"))

    return write


def _unpacked(kind: str) -> Callable[[Path], object]:
    return lambda folder: extract_members(folder / f"x.{kind}", lambda name: True, folder / "out")


def _rdms(name: str, key: str | None = None) -> Callable[[Path], object]:
    return lambda folder: read_rdms(folder / name, key, 3)


def _pickles() -> Iterator[Unsafe]:
    yield Unsafe(".npy with code", _npy_with_code, _rdms("x.npy"), (r"x\.npy",))
    yield Unsafe(".npz with code", _npz_with_code, _rdms("x.npz", "EVC"), (r"x\.npz",))
    yield Unsafe(".npy that is a pickle", _pickle("x.npy"), _rdms("x.npy"), (r"x\.npy",))
    yield Unsafe("checkpoint that is a pickle", _pickle("x.pt"), _checkpoint, (r"x\.pt",))
    yield Unsafe("checkpoint with code", _checkpoint_with_code, _checkpoint, (r"x\.pt",))
    yield Unsafe("table that is a pickle", _pickle("x.csv"), _trials, (r"x\.csv",))


def _checkpoint(folder: Path) -> object:
    return checkpoint.load(folder / "x.pt", rule="bp", seed=1, epoch=1, settings_hash=None)


def _trials(folder: Path) -> object:
    return read_trials(folder / "x.csv")


def _coded(folder: Path) -> np.ndarray:
    return np.array([[[Code(folder / "mark")]]], dtype=object)


def _npy_with_code(folder: Path) -> None:
    np.save(folder / "x.npy", _coded(folder), allow_pickle=True)


def _npz_with_code(folder: Path) -> None:
    np.savez(folder / "x.npz", EVC=_coded(folder))


def _pickle(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(pickle.dumps(Code(folder / "mark")))


def _checkpoint_with_code(folder: Path) -> None:
    torch.save({"network": Code(folder / "mark")}, folder / "x.pt")


def _claim(path: Path) -> None:
    stream = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": HUGE}
    np.lib.format.write_array_header_1_0(stream, header)
    path.write_bytes(stream.getvalue() + bytes(100))


def _claim_in_zip(folder: Path) -> None:
    _claim(folder / "member")
    with zipfile.ZipFile(folder / "x.npz", "w") as archive:
        archive.write(folder / "member", "EVC.npy")


def _hdf5() -> Iterator[Unsafe]:
    for what, plant in (
        ("link to another file", _external_link),
        ("soft link to a link to another file", _soft_link),
        ("data in another file", _raw_storage),
        ("virtual data of another file", _virtual),
        ("600 GB claimed", _claimed),
    ):
        yield Unsafe(f"HDF5: {what}", _h5(plant), _opened, (r"x\.h5", "seen|group|elsewhere"))


def _h5(plant: Callable[[h5py.File, Path], object]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        with h5py.File(folder / "secret.h5", "w") as file:
            file["data"] = np.arange(8.0)
        np.arange(8.0).tofile(folder / "secret.bin")
        with h5py.File(folder / "x.h5", "w") as file:
            plant(file, folder)

    return write


def _opened(folder: Path) -> None:
    with open_h5(folder / "x.h5") as file:
        file["group/seen"][:8]


def _external_link(file: h5py.File, folder: Path) -> None:
    file["group/seen"] = h5py.ExternalLink(folder / "secret.h5", "/data")


def _soft_link(file: h5py.File, folder: Path) -> None:
    file["elsewhere"] = h5py.ExternalLink(folder / "secret.h5", "/")
    file["group/seen"] = h5py.SoftLink("/elsewhere/data")


def _raw_storage(file: h5py.File, folder: Path) -> None:
    place = [(str(folder / "secret.bin"), 0, 64)]
    file.create_dataset("group/seen", (8,), "f8", external=place)


def _virtual(file: h5py.File, folder: Path) -> None:
    layout = h5py.VirtualLayout((8,), "f8")
    layout[:] = h5py.VirtualSource(folder / "secret.h5", "data", (8,))
    file.create_virtual_dataset("group/seen", layout)


def _claimed(file: h5py.File, folder: Path) -> None:
    file.create_dataset("group/seen", (75_000_000_000,), "f8", chunks=(1024,))
