"""Faults of given RDMs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import scipy.io

from reliability.bad_data import Case
from workflow.conftest import STIMULI

RDMS = r"rdms\.npz"


def rdms(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    """Give what rewrites the given RDMs, float64, shape (3, stimuli, stimuli)."""

    def plant(folder: Path) -> None:
        path = folder / "rdms.npz"
        np.savez(path, EVC=change(np.load(path)["EVC"]))

    return plant


def entry(*place: int, to: float) -> Callable[[Path], None]:
    """Give what sets one entry of the RDMs, on both sides of the diagonal."""

    def change(values: np.ndarray) -> np.ndarray:
        subject, row, column = place
        values[subject, row, column] = values[subject, column, row] = to
        return values

    return rdms(change)


def one_apart(values: np.ndarray) -> np.ndarray:
    """Give RDMs that only the pairs of one stimulus order: constant in a resample without it."""
    apart = np.ones_like(values) - np.eye(STIMULI)
    apart[:, 0, 1:] = apart[:, 1:, 0] = 1 + values[:, 0, 1:]
    return apart


def first(count: int) -> Callable[[Path], None]:
    """Give what leaves the first stimuli only."""

    def plant(folder: Path) -> None:
        rdms(lambda values: values[:, :count, :count])(folder)
        for number in range(count + 1, STIMULI + 1):
            (folder / "images" / f"image_{number:02d}.png").unlink()

    return plant


def source(name: str, key: str | None = "EVC") -> Callable[[dict], object]:
    """Give what names another file of RDMs in the study."""
    return lambda study: study["brain"]["rois"]["EVC"].update(source=f"./{name}", key=key)


def content(name: str, make: Callable[[], bytes]) -> Callable[[Path], object]:
    """Give what writes a file."""
    return lambda folder: (folder / name).write_bytes(make())


def cut(name: str, share: float) -> Callable[[Path], object]:
    """Give what leaves a share of a file only."""

    def plant(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    return plant


def flip(name: str, place: float) -> Callable[[Path], object]:
    """Give what flips a bit at a place of a file, as a share of its length."""

    def plant(folder: Path) -> None:
        path = folder / name
        damaged = bytearray(path.read_bytes())
        damaged[int(place * len(damaged))] ^= 16
        path.write_bytes(damaged)

    return plant


def _other_key(folder: Path) -> None:
    np.savez(folder / "rdms.npz", V1=np.load(folder / "rdms.npz")["EVC"])


def _two_rois(study: dict) -> None:
    study["brain"]["rois"]["IT"] = {"source": "./copy.npz", "key": "EVC"}


def _copied(folder: Path) -> None:
    (folder / "copy.npz").write_bytes((folder / "rdms.npz").read_bytes())


def _plain(folder: Path) -> np.ndarray:
    return np.load(folder / "rdms.npz")["EVC"]


def _mat(folder: Path, **values) -> None:
    scipy.io.savemat(folder / "rdms.mat", {"EVC": _plain(folder)} | values)


def rdm_cases() -> Iterator[Case]:
    """Yield the faults of given RDMs."""
    yield Case("RDMs: one entry is NaN", entry(1, 3, 5, to=np.nan), (RDMS, "sub-02.*image_04"))
    yield Case("RDMs: one entry is infinite", entry(0, 2, 7, to=np.inf), (RDMS, "sub-01"))
    yield Case("RDMs: not symmetric", rdms(lambda v: np.triu(v) * 1.1 + v), (RDMS, "symmetric"))
    yield Case("RDMs: similarities, not distances", rdms(lambda v: 2 - v), (RDMS, "similarities"))
    yield Case("RDMs: not square", rdms(lambda v: v[:, :, :-1]), (RDMS, "square"))
    yield Case("RDMs: one subject of three", rdms(lambda v: v[:1]), (RDMS, "subjects"))
    yield Case("RDMs: one more subject", rdms(lambda v: np.concatenate([v, v[:1] * 2])), (RDMS,))
    yield Case("RDMs: the mean RDM alone", rdms(lambda v: v.mean(0)), (RDMS, "shape"))
    yield Case("RDMs: one subject is constant", rdms(_one_constant), (RDMS, "sub-03"))
    yield Case("RDMs: one subject is zero", rdms(_one_zero), (RDMS, "sub-03"))
    third = (r"rdms\.npz|sub-03_roi-EVC", "sub")
    yield Case("RDMs: one subject twice", rdms(lambda v: v[[0, 1, 1]]), third)
    yield Case(
        "RDMs: one subject twice, in other units",
        rdms(lambda v: np.stack([v[0], v[1], 2 * v[1]])),
        third,
    )
    for what, change in (
        ("squared", np.square),
        ("roots", np.sqrt),
        ("ranks", lambda rdm: np.unique(rdm, return_inverse=True)[1].reshape(rdm.shape)),
        ("two decimals", lambda rdm: np.round(rdm, 2)),
    ):
        copy = rdms(lambda v, change=change: np.stack([v[0], v[1], change(v[1])]))
        yield Case(f"RDMs: one subject twice, {what}", copy, third)
    yield Case("RDMs: complex numbers", rdms(lambda v: v.astype(complex)), (RDMS, "complex"))
    yield Case("RDMs: text", rdms(lambda v: v.astype(str)), (RDMS, "real numbers"))
    yield Case("RDMs: one stimulus fewer than images", rdms(lambda v: v[:, 1:, 1:]), (r"ids",))
    yield Case("RDMs: constant in resamples", rdms(one_apart), ("EVC", "constant|resample"))
    yield Case("5 stimuli", first(5), ("stimuli", "bootstrap|resample|stimuli"))
    yield Case("6 stimuli", first(6), ("stimuli", "bootstrap|resample|stimuli"), _more_draws)
    yield Case("RDMs: another key", _other_key, (RDMS, "'EVC'.*V1"))
    yield Case("RDMs: two ROIs from one file", _copied, ("EVC.*IT|IT.*EVC",), _two_rois)
    yield Case("RDMs: no file", lambda f: (f / "rdms.npz").unlink(), (RDMS, "EVC"))
    yield Case("RDMs: an empty file", content("rdms.npz", bytes), (RDMS,))
    yield Case("RDMs: a web page", content("rdms.npz", lambda: b"<html>404</html>"), (RDMS,))
    yield Case("RDMs: cut", cut("rdms.npz", 0.6), (RDMS,))
    yield Case("RDMs: one byte wrong", flip("rdms.npz", 0.5), (RDMS,))
    yield Case("RDMs: a folder", lambda f: (f / "x.npz").mkdir(), (r"x\.npz",), source("x.npz"))
    yield Case(
        "RDMs: a spreadsheet", content("r.xlsx", lambda: b"PK"), (r"r\.xlsx",), source("r.xlsx")
    )
    yield Case(
        "RDMs: .mat without the variable",
        _mat,
        (r"rdms\.mat", "'IT'.*EVC"),
        source("rdms.mat", "IT"),
    )
    yield Case(
        "RDMs: .mat, a struct without RDMs",
        lambda f: _mat(f, EVC={"values": _plain(f)}),
        (r"rdms\.mat",),
        source("rdms.mat"),
    )
    yield Case(
        "RDMs: .mat, cut",
        lambda f: (_mat(f), cut("rdms.mat", 0.7)(f)),
        (r"rdms\.mat",),
        source("rdms.mat"),
    )
    yield from _names_beside()
    named, in_npy = (r"rdms\.npy",), source("rdms.npy", None)
    for what, place in (("shape", b"(3, "), ("type", b"'<f8'")):
        plant = partial(_npy, damaged=place)
        yield Case(f"RDMs: .npy, a bit of its {what}", plant, named, in_npy)
    yield Case("RDMs: .npy, bytes left over", partial(_npy, more=b"0"), named, in_npy)
    yield Case(
        "ids that do not fit",
        lambda f: None,
        ("brain.ids|stimuli",),
        lambda s: s["brain"].update(ids="im_{:02d}"),
    )


def _npy(folder: Path, damaged: bytes = b"", more: bytes = b"") -> None:
    np.save(folder / "rdms.npy", _plain(folder))
    content = bytearray((folder / "rdms.npy").read_bytes())
    if damaged:
        content[content.index(damaged)] ^= 64
    (folder / "rdms.npy").write_bytes(content + more)


def _names_beside() -> Iterator[Case]:
    names = [f"image_{number:02d}" for number in range(1, STIMULI + 1)][::-1]
    cells = np.array(names, dtype=object)
    for what, written in (
        ("a column of text", np.array(names)[:, None]),
        ("objects", cells),
        ("paths", np.array([f"stim/{name}.png" for name in names])),
        (".tif", np.array([f"{name}.tif" for name in names])),
    ):
        plant = partial(_npz, labels=written)
        yield Case(f"RDMs: names in another order, {what}", plant, (RDMS, "labels"))
    for what, written in (("text", np.array(names)), ("cells", cells)):
        plant, change = partial(_mat, labels=written), source("rdms.mat")
        named = (r"rdms\.mat", "labels")
        yield Case(f"RDMs: .mat, names in another order, {what}", plant, named, change)


def _npz(folder: Path, **values) -> None:
    np.savez(folder / "rdms.npz", EVC=_plain(folder), **values)


def _more_draws(study: dict) -> None:
    study["statistics"]["bootstrap_draws"] = 1000


def _one_constant(values: np.ndarray) -> np.ndarray:
    values[2] = 1 - np.eye(STIMULI)
    return values


def _one_zero(values: np.ndarray) -> np.ndarray:
    values[2] = 0
    return values
