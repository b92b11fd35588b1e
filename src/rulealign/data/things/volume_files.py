"""Where the files of the volume form of THINGS-fMRI lie, by their official names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import NamedTuple

from rulealign.data.file_names import is_hidden
from rulealign.data.things.table_files import accepted_names
from rulealign.errors import DataError

VISUAL_AREAS = (
    *("V1", "V2", "V3", "hV4", "VO1", "VO2", "LO1 (prf)", "LO2 (prf)", "TO1", "TO2", "V3b", "V3a"),
)
"""The columns that the labels 1 to 12 of `resampled_varea.nii.gz` stand for, in order."""

_RUN = re.compile(
    r"sub-(\w+?)_ses-things(\d+)_run-(\d+)_(betas\.nii|conditions\.tsv)(?:\.gz)?", re.ASCII
)
_MASK = re.compile(r"(?:sub-\w+?_)?(.+?)(?:_mask)?\.nii(?:\.gz)?", re.ASCII)
_LABEL = re.compile(r"resampled_va-([1-9]|1[0-2])_interp-nn")
_COLUMN = {name.removesuffix(" (prf)"): name for name in VISUAL_AREAS}
_COLUMN |= {"V3B": "V3b", "V3A": "V3a"}


class Run(NamedTuple):
    """One run of a subject: its numbers, its volumes and the images shown."""

    session: int
    run: int
    betas: Path
    conditions: Path


class RoiMask(NamedTuple):
    """Where a column's voxels are marked: a file, and the label in it (None: any mask of 0/1)."""

    path: Path
    label: int | None


class VolumeFiles:
    """The files of the volume form below a folder, which is searched once, at first use.

    Args:
        root: the folder; see `volumes_form.Volumes` for the names. Nothing is written there.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    @cached_property
    def _files(self) -> list[Path]:
        if not self.root.is_dir():
            raise DataError(f"{self.root}: there is no such folder; things.root names it.")
        return sorted(_walk(self.root))

    def runs(self, subject: str) -> list[Run]:
        """List a subject's runs, ordered by the numbers of session and run.

        Args:
            subject: label, such as "01".

        Raises:
            DataError: there are none, a file lies in two places, or one of a session or run in
                between, or a run that other sessions have, is missing.
        """
        found: dict[tuple[int, int, str], Path] = {}
        for path in self._files:
            match = _RUN.fullmatch(path.name)
            if match and match[1] == subject:
                key = (int(match[2]), int(match[3]), match[4].partition(".")[0])
                if key in found:
                    raise DataError(_twice(found[key], path))
                found[key] = path
        if not found:
            self._refuse_subject(subject, f"sub-{subject}_ses-things01_run-01_betas.nii.gz")
        last = [max(key[place] for key in found) for place in (0, 1)]
        numbers = product(range(1, last[0] + 1), range(1, last[1] + 1))
        return [Run(*run, *self._files_of_run(found, subject, run)) for run in numbers]

    def _files_of_run(
        self, found: dict[tuple[int, int, str], Path], subject: str, run: tuple[int, int]
    ) -> Iterator[Path]:
        for kind, ending in (("betas", "nii.gz"), ("conditions", "tsv")):
            if (*run, kind) not in found:
                stem = f"sub-{subject}_ses-things{run[0]:02d}_run-{run[1]:02d}"
                raise DataError(
                    f"{self.root}: {stem}_{kind}.{ending} is missing, while other runs of"
                    f" sub-{subject} are there: every session needs the same runs. Get it from the"
                    " source of the others."
                )
            yield found[*run, kind]

    def brain_mask(self, subject: str) -> Path:
        """Find a subject's brain mask.

        Args:
            subject: label, such as "01".

        Raises:
            DataError: it is missing, or lies in two places.
        """
        name = f"sub-{subject}_space-T1w_brainmask.nii.gz"
        return self._one(name, name.removesuffix(".gz")) or self._refuse_subject(subject, name)

    def _refuse_subject(self, subject: str, name: str) -> Path:
        names = {match[0] for p in self._files if (match := re.match(r"sub-[^_.]+", p.name))}
        raise DataError(
            f"{self.root}: has no {name}, which the volume form of sub-{subject} needs; there are"
            f" files of {sorted(names) or 'nobody'}. Point things.root at the folder that has it,"
            " or lower brain.subjects."
        )

    def roi_masks(self, subject: str) -> dict[str, list[RoiMask]]:
        """Find the masks of a subject's ROIs, by the column of the voxel table that they stand for.

        Args:
            subject: label, such as "01".

        Returns:
            Column -> where it is marked; more than one place where files repeat each other.
        """
        masks: dict[str, list[RoiMask]] = {}
        for path in self._files:
            folders = path.relative_to(self.root).parts[:-1]
            match = _MASK.fullmatch(path.name)
            if match and (f"sub-{subject}" in folders or path.name.startswith(f"sub-{subject}_")):
                for column, label in _marked(match[1], folders):
                    masks.setdefault(column, []).append(RoiMask(path, label))
        first = [name for name in VISUAL_AREAS if name in masks]
        return {name: masks[name] for name in [*first, *(n for n in masks if n not in first)]}

    def noise_ceiling(self, subject: str, averaged: int) -> Path | None:
        """Find the noise ceilings for the mean of some trials; None where there are none.

        Args:
            subject: label, such as "01".
            averaged: how many trials are averaged; published are 1 to 12.

        Raises:
            DataError: it lies in two places.
        """
        name = f"sub-{subject}_nc_n-{averaged}.nii.gz"
        return self._one(name, name.removesuffix(".gz"))

    def voxel_table(self, subject: str) -> Path | None:
        """Find a subject's voxel table, which belongs to the table form; None where it is not.

        Args:
            subject: label, such as "01".

        Raises:
            DataError: it lies in two places.
        """
        return self._one(*accepted_names("voxels", subject))

    def sidecars(self, subject: str) -> list[Path]:
        """List what BIDS sidecars of the subject's runs there are, those of all subjects last.

        Args:
            subject: label, such as "01".
        """
        own = re.compile(rf"sub-{re.escape(subject)}_(.*_)?task-things_(.*_)?bold\.json")
        return [p for p in self._files if own.fullmatch(p.name)] + [
            p for p in self._files if p.name == "task-things_bold.json"
        ]

    def _one(self, *names: str) -> Path | None:
        found = [path for path in self._files if path.name in names]
        if len(found) > 1:
            raise DataError(_twice(*found[:2]))
        return found[0] if found else None


def _walk(root: Path) -> Iterator[Path]:
    seen = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        if (real := os.path.realpath(folder)) in seen:
            folders.clear()  # a link that leads back to a folder above
            continue
        seen.add(real)
        folders.sort()
        # archives made on a Mac hold a "._name" beside every name
        yield from (Path(folder, name) for name in names if not is_hidden(name))


def _twice(one: Path, other: Path) -> str:
    return f"{one} and {other} are the same file in two places; keep one of them below things.root."


def _marked(name: str, folders: tuple[str, ...]) -> Iterator[tuple[str, int | None]]:
    if "prf" in folders:
        if name == "resampled_varea":
            yield from ((column, place) for place, column in enumerate(VISUAL_AREAS, start=1))
        elif match := _LABEL.fullmatch(name):
            yield VISUAL_AREAS[int(match[1]) - 1], None
        elif name in _COLUMN:
            yield _COLUMN[name], None
    elif "category_localizer" in folders:
        yield name, None
