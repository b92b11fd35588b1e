"""Where the tables of a subject lie, in each of the official layouts; for planning, too."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import NamedTuple

from rulealign.errors import DataError

OPENNEURO = "derivatives/ICA-betas/sub-{s}/voxel-metadata"
"""Folder of a subject's tables below the root of OpenNeuro's ds004192."""

_FOLDERS = (
    *(".", "betas_csv", "sub-{s}", "voxel-metadata", "sub-{s}/voxel-metadata"),
    *("ICA-betas/sub-{s}/voxel-metadata", OPENNEURO, f"ds004192/{OPENNEURO}"),
)
_NAMES = {
    "responses": ("sub-{s}_ResponseData.h5", "sub-{s}_task-things_voxel-wise-responses.h5"),
    "voxels": (
        "sub-{s}_VoxelMetadata.csv",
        "sub-{s}_task-things_voxel-metadata.tsv",
        "sub-{s}_task-things_voxel-metadata.csv",
    ),
    "stimuli": (
        "sub-{s}_StimulusMetadata.csv",
        "sub-{s}_task-things_stimulus-metadata.tsv",
        "sub-{s}_task-things_stimulus-metadata.csv",
    ),
}


class TableFiles(NamedTuple):
    """The three files of one subject."""

    responses: Path
    voxels: Path
    stimuli: Path


def official_names(kind: str, subject: str) -> list[str]:
    """List the names that one of a subject's files may have.

    Args:
        kind: `responses`, `voxels` or `stimuli`.
        subject: label, such as "01".

    Returns:
        File names: figshare's first, then OpenNeuro's.
    """
    return [name.format(s=subject) for name in _NAMES[kind]]


def accepted_names(kind: str, subject: str) -> list[str]:
    """List the names under which one of a subject's files is read.

    Args:
        kind: as in `official_names`.
        subject: label, such as "01".

    Returns:
        The official names, and for tables of text those of the same packed with gzip.
    """
    names = official_names(kind, subject)
    return names if kind == "responses" else [*names, *(f"{name}.gz" for name in names)]


def find_table(root: Path, kind: str, subject: str) -> Path:
    """Find one of a subject's files.

    Args:
        root: a folder with the files themselves, figshare's `betas_csv`, or OpenNeuro's tree.
        kind: `responses`, `voxels` or `stimuli`.
        subject: label, such as "01".

    Returns:
        The path.

    Raises:
        DataError: `root` is no folder, or the file is missing (names those it may have, and the
            subjects that are there) or appears in two places.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder; things.root names it.")
    names, official = accepted_names(kind, subject), official_names(kind, subject)
    folders = [root / folder.format(s=subject) for folder in _FOLDERS]
    found = [folder / name for folder in folders for name in names if (folder / name).is_file()]
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"{root}: has the {kind} of sub-{subject} twice, {found[0]} and {found[1]}; keep"
            " one of them below things.root."
        )
    raise DataError(
        f"{root}: there is no table of {kind} of sub-{subject}: neither {' nor '.join(official)}"
        f" in it, in betas_csv/ or in {OPENNEURO.format(s=subject)}/.{_others(root, names[0])}"
        " Point things.root at the right folder, or lower brain.subjects."
    )


def _others(root: Path, name: str) -> str:
    there = [path.name for folder in (root, root / "betas_csv") for path in folder.glob("sub-*")]
    nearest = difflib.get_close_matches(name, there, n=3, cutoff=0.5)
    return f" Near it lie {nearest}." if nearest else ""


def find_tables(root: Path, subject: str) -> TableFiles:
    """Find the three files of one subject.

    Args:
        root: as in `find_table`.
        subject: label, such as "01".

    Returns:
        Their paths.

    Raises:
        DataError: as in `find_table`.
    """
    return TableFiles(*(find_table(root, kind, subject) for kind in TableFiles._fields))
