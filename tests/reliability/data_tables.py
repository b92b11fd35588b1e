"""Faults of tables of trials, voxels and responses: their order, their cells, their files."""

from __future__ import annotations

import gzip
import shutil
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from reliability.bad_data import Case

TRIALS = "tables/sub-01_StimulusMetadata.csv"
VOXELS = "tables/sub-01_VoxelMetadata.csv"
RESPONSES = "tables/sub-01_ResponseData.h5"
IN_TRIALS = (r"sub-01_StimulusMetadata\.csv",)
IN_VOXELS = (r"sub-01_VoxelMetadata\.csv",)
IN_RESPONSES = (r"sub-01_ResponseData\.h5",)


def table(name: str, change: Callable[[pd.DataFrame], pd.DataFrame], **written) -> Callable:
    """Give what rewrites a table."""

    def plant(folder: Path) -> None:
        changed = change(pd.read_csv(folder / name))
        changed.to_csv(folder / name, index=False, **written)

    return plant


def cell(name: str, row: int, column: str, value: object) -> Callable:
    """Give what sets one cell of a table."""

    def change(read: pd.DataFrame) -> pd.DataFrame:
        read = read.astype({column: object})
        read.loc[row, column] = value
        return read

    return table(name, change)


def responses(change: Callable[[h5py.Group], object]) -> Callable:
    """Give what changes the file of responses."""

    def plant(folder: Path) -> None:
        with h5py.File(folder / RESPONSES, "r+") as file:
            change(file["ResponseData"])

    return plant


def _sorted_by_text(folder: Path) -> None:
    # as pandas saves a frame whose columns were made text and sorted: 0, 1, 10, 11, ...
    with h5py.File(folder / RESPONSES) as file:
        values = file["ResponseData/block0_values"][()]
        voxel_id = file["ResponseData/block1_values"][:, 0]
    order = sorted(range(values.shape[1]), key=str)
    _rewrite(folder / RESPONSES, values[:, order], [str(place) for place in order], voxel_id)


def _reversed(folder: Path) -> None:
    with h5py.File(folder / RESPONSES) as file:
        values = file["ResponseData/block0_values"][()]
        voxel_id = file["ResponseData/block1_values"][:, 0]
    labels = list(range(values.shape[1]))[::-1]
    _rewrite(folder / RESPONSES, values[:, ::-1], labels, voxel_id)


def _labelled(name: Callable[[int, str], object], order: Callable[[list], list]) -> Callable:
    """Give what names the columns of responses otherwise, and puts the names in another order."""

    def plant(folder: Path) -> None:
        shown = pd.read_csv(folder / TRIALS)["stimulus"]
        labels = order([name(place, image) for place, image in enumerate(shown)])
        with h5py.File(folder / RESPONSES, "r+") as file:
            del file["ResponseData/block0_items"]
            file["ResponseData/block0_items"] = labels

    return plant


def _as_stored(study: dict) -> None:
    study["things"] |= {"columns": "as_stored"}


def _rewrite(path: Path, values: np.ndarray, labels: list, voxel_id: np.ndarray) -> None:
    from rulealign.data.simulated.tables import _write_objects, write_response_data

    write_response_data(path, values, voxel_id)
    with h5py.File(path, "r+") as file:
        group = file["ResponseData"]
        for name, items in (("axis0", ["voxel_id", *labels]), ("block0_items", labels)):
            del group[name]
            _write_objects(group, name, items)


def _set(name: str, place: tuple, value: float) -> Callable[[h5py.Group], None]:
    def change(group: h5py.Group) -> None:
        group[name][place] = value

    return change


def _resize(name: str, kept: tuple) -> Callable[[h5py.Group], None]:
    def change(group: h5py.Group) -> None:
        values = group[name][kept]
        del group[name]
        group[name] = values

    return change


def _grouped(group: h5py.Group, name: str) -> None:
    del group[name]
    group.create_group(name)


def _copy_row(group: h5py.Group) -> None:
    group["block0_values"][:, 7] = group["block0_values"][:, 3]


def _shuffled(read: pd.DataFrame) -> pd.DataFrame:
    return read.sample(frac=1, random_state=1)


def _sorted(read: pd.DataFrame) -> pd.DataFrame:
    return read.sort_values(["session", "run", "stimulus"])


def _train_then_test(read: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([read[read["trial_type"] == "train"], read[read["trial_type"] == "test"]])


def _other_concepts(read: pd.DataFrame) -> pd.DataFrame:
    return read.assign(concept=read["concept"].to_numpy()[::-1])


def _swapped(read: pd.DataFrame) -> pd.DataFrame:
    order = [1, 0, *range(2, len(read))]
    return read.iloc[order]


def cut(name: str, keep: Callable[[bytes], int]) -> Callable:
    """Give what cuts a file; `keep` says after how many of its bytes."""

    def plant(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: keep(content)])

    return plant


def last_line(content: bytes) -> int:
    """Give where the last line begins."""
    return content.rstrip(b"\n").rindex(b"\n") + 1


def middle(content: bytes) -> int:
    """Give the middle of a file."""
    return len(content) // 2


def gone(name: str) -> Callable:
    """Give what deletes a file."""
    return lambda folder: (folder / name).unlink()


def _packed(folder: Path) -> None:
    path = folder / TRIALS
    (folder / f"{TRIALS}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()


def _packed_as_it_is(folder: Path) -> None:
    path = folder / TRIALS
    path.write_bytes(gzip.compress(path.read_bytes(), mtime=0))


def _same_person(folder: Path) -> None:
    for path in (folder / "tables").glob("sub-01_*"):
        shutil.copy(path, folder / "tables" / path.name.replace("sub-01", "sub-02"))
    table("tables/sub-02_StimulusMetadata.csv", lambda t: t.assign(subject_id=2))(folder)
    table("tables/sub-02_VoxelMetadata.csv", lambda t: t.assign(subject_id=2))(folder)


def _same_responses(folder: Path) -> None:
    (folder / RESPONSES.replace("sub-01", "sub-02")).write_bytes((folder / RESPONSES).read_bytes())
    shutil.copy(folder / VOXELS, folder / VOXELS.replace("sub-01", "sub-02"))
    table(VOXELS.replace("sub-01", "sub-02"), lambda t: t.assign(subject_id=2))(folder)


def trial_cases() -> Iterator[Case]:
    """Yield the faults of tables of trials and voxels, and of responses."""
    yield Case("trials: sorted by stimulus", table(TRIALS, _sorted), IN_TRIALS)
    yield Case("trials: shuffled", table(TRIALS, _shuffled), IN_TRIALS)
    yield Case("trials: train, then test", table(TRIALS, _train_then_test), IN_TRIALS)
    yield Case("trials: two rows swapped", table(TRIALS, _swapped), IN_TRIALS)
    twice = table(TRIALS, lambda t: t.iloc[[0, *range(len(t))]])
    yield Case("trials: a row twice", twice, IN_TRIALS)
    yield Case("trials: a row is missing", table(TRIALS, lambda t: t.drop(index=5)), ("sub-01",))
    yield Case("trials: concepts of other rows", table(TRIALS, _other_concepts), IN_TRIALS)
    other = table(TRIALS, lambda t: t.assign(subject_id=2))
    yield Case("trials: another subject's", other, IN_TRIALS)
    yield Case("trials: no column 'run'", table(TRIALS, lambda t: t.drop(columns="run")), IN_TRIALS)
    yield Case("trials: a stimulus is missing", cell(TRIALS, 4, "stimulus", None), IN_TRIALS)
    yield Case("trials: a run is text", cell(TRIALS, 4, "run", "two"), IN_TRIALS)
    yield Case("trials: a run is 2.5", cell(TRIALS, 4, "run", 2.5), IN_TRIALS)
    yield Case("trials: another trial_type", cell(TRIALS, 4, "trial_type", "Train"), IN_TRIALS)
    yield Case("trials: a path as stimulus", cell(TRIALS, 4, "stimulus", "../a.jpg"), (r"a\.jpg",))
    yield Case("trials: ';' between columns", table(TRIALS, lambda t: t, sep=";"), (), sound=True)
    yield Case("trials: tabs", table(TRIALS, lambda t: t, sep="\t"), (), sound=True)
    windows = table(TRIALS, lambda t: t, lineterminator="\r\n")
    yield Case("trials: Windows' line ends", windows, (), sound=True)
    marked = table(TRIALS, lambda t: t, encoding="utf-8-sig")
    yield Case("trials: a byte order mark", marked, (), sound=True)
    yield Case("trials: UTF-16", table(TRIALS, lambda t: t, encoding="utf-16"), IN_TRIALS)
    yield Case("trials: gzip without .gz", _packed_as_it_is, (), sound=True)
    yield Case("trials: '|' between columns", table(TRIALS, lambda t: t, sep="|"), IN_TRIALS)
    yield Case("trials: trial_id of 23 digits", cell(TRIALS, 4, "trial_id", 10**22), IN_TRIALS)
    yield Case("trials: gzip", _packed, (), sound=True)
    yield Case("trials: cut at a line", cut(TRIALS, last_line), ("sub-01",))
    yield Case("trials: cut anywhere", cut(TRIALS, middle), ("sub-01",))
    yield Case("trials: empty", cut(TRIALS, lambda content: 0), IN_TRIALS)
    yield Case("trials: no file", gone(TRIALS), ("sub-01",))
    yield Case("voxels: shuffled", table(VOXELS, _shuffled), IN_VOXELS)
    yield Case("voxels: cut at a line", cut(VOXELS, last_line), ("sub-01",))
    yield Case("voxels: a flag is 0.5", cell(VOXELS, 3, "V1", 0.5), IN_VOXELS)
    yield Case("voxels: a flag is missing", cell(VOXELS, 3, "V1", None), IN_VOXELS)
    yield Case("voxels: no such ROI", table(VOXELS, lambda t: t.drop(columns="V1")), IN_VOXELS)
    yield Case("voxels: ROI empty", table(VOXELS, lambda t: t.assign(V1=0)), ("V1",))
    yield Case("voxels: an id twice", cell(VOXELS, 3, "voxel_id", 2), IN_VOXELS)
    yield Case("voxels: ';' between columns", table(VOXELS, lambda t: t, sep=";"), (), sound=True)
    yield Case("voxels: no file", gone(VOXELS), ("sub-01",))
    yield Case("responses: columns sorted as text", _sorted_by_text, IN_RESPONSES)
    yield Case("responses: columns reversed", _reversed, IN_RESPONSES)
    yield Case("responses: NaN in a voxel", _everywhere(np.nan), IN_RESPONSES)
    yield Case("responses: a constant voxel", _everywhere(0.5), IN_RESPONSES)
    yield Case("responses: infinite", _everywhere(np.inf), IN_RESPONSES)
    yield Case("responses: a trial twice", responses(_copy_row), ("ResponseData|trial",))
    trials = (slice(None), slice(0, -1))
    short = responses(_resize("block0_values", trials))
    yield Case("responses: a trial short", short, IN_RESPONSES)
    voxels = (slice(0, -1), slice(None))
    short = responses(_resize("block0_values", voxels))
    yield Case("responses: a voxel short", short, IN_RESPONSES)
    shuffled = _set("block1_values", (slice(0, 2), 0), 5)
    yield Case("responses: voxel ids of other rows", responses(shuffled), ("sub-01",))
    for what, name, order in (
        ("sorted names of images", lambda place, image: image, sorted),
        ("sorted names without ending", lambda place, image: image[:-4], sorted),
        ("numbered names, sorted as text", lambda place, image: f"trial_{place}", sorted),
        ("fractions, reversed", lambda place, image: float(place), lambda names: names[::-1]),
    ):
        plant = _labelled(name, order)
        yield Case(f"responses: {what}, believed", plant, IN_RESPONSES, _as_stored)
    for what, taken in (
        ("in one axis", (slice(None), 0)),
        ("one too few", (slice(-1),)),
        ("none", (slice(None), slice(0))),
    ):
        ids = responses(_resize("block1_values", taken))
        yield Case(f"responses: voxel ids, {what}", ids, IN_RESPONSES)
    for name in ("block0_values", "block1_values"):
        grouped = responses(partial(_grouped, name=name))
        yield Case(f"responses: {name} is a group", grouped, IN_RESPONSES)
    missing = responses(lambda group: group.__delitem__("block0_values"))
    yield Case("responses: no values", missing, IN_RESPONSES)
    yield Case("responses: cut", cut(RESPONSES, middle), IN_RESPONSES)
    yield Case("responses: empty", cut(RESPONSES, lambda content: 0), IN_RESPONSES)
    yield Case("responses: no file", gone(RESPONSES), ("sub-01",))
    yield Case("one subject's responses under two numbers", _same_responses, ("sub-02_roi-V1",))
    yield Case("one subject under two numbers", _same_person, ("01.*02|02.*01",))


def _everywhere(value: float) -> Callable:
    return responses(_set("block0_values", (slice(None), slice(0, 40)), value))


def photograph_cases() -> Iterator[Case]:
    """Yield the faults of the archive of images."""
    archive = (r"images\.zip",)
    yield Case("photographs: cut", cut("images.zip", middle), archive)
    yield Case("photographs: empty", cut("images.zip", lambda content: 0), archive)
    yield Case("photographs: no file", gone("images.zip"), archive)
    yield Case("photographs: no zip", lambda f: (f / "images.zip").write_text("no"), archive)
    yield Case("photographs: none that were shown", _others, archive)


def _others(folder: Path) -> None:
    with zipfile.ZipFile(folder / "images.zip", "w") as archive:
        archive.writestr("object_images/x/x_01s.jpg", b"x")
