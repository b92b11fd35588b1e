"""Where a study's own betas are: for planning, without reading any."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rulealign.config.betas import PARTS, BetaFiles, fields_of
from rulealign.data.betas.patterns import Found, found_files, one_file, plain_label
from rulealign.data.file_names import natural_order
from rulealign.data.responses.files import ResponseFiles
from rulealign.errors import DataError
from rulealign.plan.settings.brain import FormSettings

if TYPE_CHECKING:
    from rulealign.data.brains.betas import Betas

Runs = dict[tuple[str, ...], list[Found]]
"""Session and run, as far as file names have them, without leading zeros -> their files."""


def files_by_run(pattern: str, key: str, subject: str, **part: str) -> Runs:
    """Sort a subject's files by session and run.

    Args:
        pattern: of betas or events.
        key: the key of the study that has it, for messages.
        subject: label.
        part: labels of an ROI or a hemisphere, where each has files of its own.

    Returns:
        Runs in natural order; files of a run in natural order of their other fields.

    Raises:
        DataError: there are no files, or two have the same labels; names them.
    """
    runs: Runs = {}
    for file in found_files(pattern, subject=subject, **part):
        run = tuple(plain_label(file.labels.get(name, "")) for name in ("session", "run"))
        runs.setdefault(run, []).append(file)
    if not runs:
        named = pattern.replace("{subject}", subject)
        raise DataError(
            f"{key}: '{named}' matches no file of subject {subject}. Correct the pattern, put the"
            " files there, or correct brain.subjects."
        )
    for files in runs.values():
        _refuse_two(files, key)
    return runs


def _refuse_two(files: list[Found], key: str) -> None:
    seen: dict[tuple[str, ...], Found] = {}
    for file in files:
        labels = tuple(plain_label(text) for text in file.labels.values())
        if labels in seen:
            raise DataError(
                f"{key}: {seen[labels].path} and {file.path} have the same labels {labels}; take"
                " one of them away, or name it apart."
            )
        seen[labels] = file


class BetaSource(ResponseFiles):
    """The files of own betas; see `ResponseFiles`. All are looked for when it is made.

    Args:
        brain: the section.

    Raises:
        DataError: a file is missing, or times do not fit; names the key, the file and what to do.
    """

    def __init__(self, brain: Betas) -> None:
        self._brain, self._told = brain, brain.beta_files
        self.form = FormSettings(form="betas", address="", as_stored=False, own=self._told)
        if self._told.missing_runs == "stop":
            self._require_all_runs()
            self._require_all_events()
        for roi in brain.rois:
            for subject in brain.subjects_of(roi):
                self.files(subject, roi)
        if self._told.times:
            self._require_times()

    def _require_times(self) -> None:
        from rulealign.data.betas.series import times_of  # the others are planned without it
        from rulealign.data.time_axis import require_same_times

        of_runs = (files for runs in self._betas.values() for files in runs.values())
        read = self._brain.rois
        paths = [
            file.path
            for files in of_runs
            for file in files
            if any(self._is_of(file, roi) for roi in read)
        ]
        first = times_of(paths[0], self._told)
        for path in paths:
            require_same_times(times_of(path, self._told), first, str(path), str(paths[0]))

    @cached_property
    def _betas(self) -> dict[str, Runs]:
        names = self._brain.subject_names
        return {name: files_by_run(self._told.betas, "brain.betas", name) for name in names}

    def _require_all_runs(self) -> None:
        expected = with_gaps([run for runs in self._betas.values() for run in runs])
        for subject, runs in self._betas.items():
            for run in expected:
                if run not in runs:
                    pattern = self._told.betas.replace("{subject}", subject)
                    raise DataError(
                        f"brain.betas: '{pattern}' matches no file of subject {subject},"
                        f" {in_words(run)}, while other runs or subjects have theirs. Put it there;"
                        " or set brain.missing_runs to accept, which takes the runs that each has."
                    )

    def _require_all_events(self) -> None:
        if (events := self._told.events) is None:
            return
        for subject, runs in self._betas.items():
            tables = files_by_run(events.source, "brain.events.source", subject)
            for run in runs:
                if not any(_may_be_of(table, run) for table in tables):
                    pattern = events.source.replace("{subject}", subject)
                    raise DataError(
                        f"brain.events.source: '{pattern}' matches no file of subject {subject},"
                        f" {in_words(run)}. Put it there; or set brain.missing_runs to accept."
                    )

    def folder(self, _subject: str) -> Path:
        """Name the folder that patterns start from."""
        return Path()

    def own(self, subjects: Sequence[str]) -> dict[str, list[str] | None]:
        """List the folders before the first field of each pattern; see `ResponseFiles.own`."""
        told = self._told
        read = {
            file
            for subject in subjects
            for roi in (None, *self._brain.rois)
            if roi is None or subject in self._brain.subjects_of(roi)
            for file in self.files(subject, roi)
        }
        patterns = [told.betas, told.masks, told.brain_mask]
        patterns += [one.source for one in (told.events, told.atlas) if one]
        found: dict[str, set[str]] = {}
        for pattern in filter(None, patterns):
            named = (file for name in subjects for file in found_files(pattern, subject=name))
            own = found.setdefault(str(top_folder(pattern)), set())
            own |= read & {str(file.path) for file in named}
        return {folder: sorted(files) for folder, files in found.items()}

    def files(self, subject: str, roi: str | None = None) -> list[str]:
        """List the files of one subject; see `ResponseFiles.files`."""
        betas = [
            file.path
            for files in self._betas[subject].values()
            for file in files
            if roi is None or self._is_of(file, roi)
        ]
        events = [] if self._told.events is None else self._events(subject)
        masks = list(self._masks(subject, roi)) if roi else []
        return [str(path) for path in dict.fromkeys([*betas, *events, *masks])]

    def _is_of(self, file: Found, roi: str) -> bool:
        return file.labels.get("roi") in (None, *self._brain.rois[roi].columns)

    def _events(self, subject: str) -> list[Path]:
        runs = files_by_run(self._told.events.source, "brain.events.source", subject)
        return [file.path for files in runs.values() for file in files]

    def _masks(self, subject: str, roi: str) -> Iterator[Path]:
        for part in parts_of(self._told, subject):
            for name in self._brain.rois[roi].columns if "roi" not in part else ():
                yield mask_file(self._told, subject, name, part)
            if self._told.brain_mask:
                yield one_file(self._told.brain_mask, "brain.brain_mask", subject=subject, **part)
        for name in self._brain.rois[roi].columns if self._told.own_arrays else ():
            files_by_run(self._told.betas, "brain.betas", subject, roi=name)


def top_folder(pattern: str) -> Path:
    """Give the folder before the first field of a pattern.

    Args:
        pattern: such as ./bids/sub-{subject}/betas.npy.
    """
    return Path(os.path.normpath(Path(pattern.partition("{")[0] + "x").expanduser())).parent


def _may_be_of(table: tuple[str, ...], run: tuple[str, ...]) -> bool:
    return all(one == other or "" in (one, other) for one, other in zip(table, run, strict=True))


def with_gaps(runs: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """List runs, and those that must lie between them where runs are numbered.

    Args:
        runs: session and run of each.

    Returns:
        Each once; a session that has runs 1 and 3 has run 2, too.
    """
    between: dict[tuple[str, ...], None] = dict.fromkeys(runs)
    for session in dict.fromkeys(run[0] for run in runs):
        numbers = [int(run) for of, run in between if of == session and run.isdecimal()]
        for number in range(min(numbers, default=0), max(numbers, default=-1) + 1):
            between.setdefault((session, str(number)))
    return list(between)


def in_words(run: tuple[str, ...]) -> str:
    """Name a session and run.

    Args:
        run: their labels; "" where names of files have none.
    """
    named = zip(("session", "run"), run, strict=True)
    return ", ".join(f"{what} {label}" for what, label in named if label) or "any run"


def parts_of(told: BetaFiles, subject: str) -> list[dict[str, str]]:
    """List the parts that a subject's voxels lie in.

    Args:
        told: where files are.
        subject: label.

    Returns:
        Labels of each ROI or hemisphere that has files of its own, in natural order; [{}] where
        files hold all voxels.
    """
    found = found_files(told.betas, subject=subject)
    parts = [
        tuple((name, one.labels[name]) for name in PARTS if name in one.labels) for one in found
    ]
    ordered = sorted(set(parts), key=lambda part: [natural_order(label) for _, label in part])
    return [dict(part) for part in ordered] or [{}]


def mask_file(told: BetaFiles, subject: str, name: str, part: Mapping[str, str]) -> Path:
    """Find the file that marks the voxels of a name that ROIs are made of.

    Args:
        told: where files are.
        subject: label.
        name: a label of the atlas, or what stands for {roi} in the pattern of masks.
        part: labels of the hemisphere, where each has files of its own.

    Raises:
        DataError: there is no such file; names it, the key, and what to do.
    """
    if told.atlas and name in told.atlas.labels:
        return one_file(told.atlas.source, "brain.atlas.source", subject=subject, **part)
    if told.masks is None:
        raise DataError(
            f"brain.rois: '{name}' is no label of brain.atlas, which has"
            f" {list(told.atlas.labels)}. Correct it, or name masks (brain.masks)."
        )
    known = {"subject": subject, "roi": name, **part}
    path = Path(told.masks.format_map(known)).expanduser()
    if not path.is_file():
        there = [found.labels["roi"] for found in found_files(told.masks, subject=subject, **part)]
        raise DataError(
            f"brain.masks: subject {subject} has no mask '{path}'; there are those of {there}."
            " Put it there, correct brain.masks or brain.rois, or list the subject in"
            " brain.lacking, under this ROI."
        )
    return path


def trial_pattern(told: BetaFiles) -> bool:
    """Say whether each file of betas holds one trial.

    Args:
        told: where files are.
    """
    return bool({"trial", "stimulus"} & set(fields_of(told.betas)))
