"""Own betas as a way in to responses: trials, voxels and what was measured of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from rulealign.data.betas.ceilings import voxel_ceilings
from rulealign.data.betas.events import Shown, shown_by_events, shown_by_names
from rulealign.data.betas.masks import marked_voxels, names_of_masks
from rulealign.data.betas.series import Series, is_array, series_of, times_of
from rulealign.data.betas.source import in_words, parts_of
from rulealign.data.file_names import natural_order
from rulealign.data.responses.roi import CEILINGS
from rulealign.data.things.nifti import Grid
from rulealign.data.things.tables import TRIAL_COLUMNS, unknown_column
from rulealign.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from rulealign.config.betas import BetaFiles
    from rulealign.plan.settings.brain import FormSettings


class _Run(NamedTuple):
    """Betas, and what each is of."""

    series: Series
    shown: list[Shown]

    @property
    def kept(self) -> list[int]:
        """List the betas that are trials."""
        return [place for place, one in enumerate(self.shown) if one.image is not None]


class _Part(NamedTuple):
    """Some of a subject's voxels: all, or those of an ROI or hemisphere with files of its own."""

    labels: dict[str, str]
    runs: list[_Run]
    one_of_several: bool

    @property
    def grid(self) -> Grid:
        return self.runs[0].series.grid

    @property
    def size(self) -> int:
        return math.prod(self.grid.shape)

    @property
    def voxel_ids(self) -> np.ndarray:
        places = np.arange(self.size)
        name = "-".join(self.labels.values())
        return np.array([f"{name}-{place}" for place in places]) if self.one_of_several else places

    @property
    def first_axis(self) -> np.ndarray:
        return np.arange(self.size) // math.prod(self.grid.shape[1:])

    @property
    def images(self) -> list[str]:
        return [run.shown[place].image for run in self.runs for place in run.kept]

    def responses(self, inside: np.ndarray) -> np.ndarray:
        each = [run.series.voxels(inside, self.grid)[:, run.kept] for run in self.runs]
        return np.concatenate(each, axis=1)


class OwnBetas:
    """Own betas; see `responses.forms.Form`.

    Args:
        told: where files are, and what they hold.
    """

    def __init__(self, told: BetaFiles) -> None:
        self._told, self.believed = told, False
        self._parts = lru_cache(maxsize=1)(self._read_parts)

    @classmethod
    def opened(cls, settings: FormSettings, _place: Path, _parallel: int) -> Self:
        """Open the form as a study says; see `forms.open_form`."""
        return cls(settings.own)

    def trials(self, subject: str) -> pd.DataFrame:
        """Give the trials; images shown again are of the type "test"; see `forms.Form.trials`.

        Sessions and runs are numbered as they are labelled; in natural order, where labels are no
        numbers.
        """
        import pandas as pd

        shown = [
            one
            for run in self._parts(subject)[0].runs
            for one in run.shown
            if one.image is not None
        ]
        sessions, runs = (_numbered([one.run[place] for one in shown]) for place in (0, 1))
        table = pd.DataFrame({"stimulus": [one.image for one in shown]})
        table["concept"], table["session"], table["run"] = table["stimulus"], sessions, runs
        again = table["stimulus"].duplicated(keep=False)
        table["trial_type"] = again.map({True: "test", False: "train"})
        table["trial_id"], table["subject_id"] = range(len(table)), subject
        return table[[*TRIAL_COLUMNS, "subject_id"]]

    def columns(self, subject: str) -> list[str]:
        """List the names that ROIs may be made of; see `forms.Form.columns`."""
        return names_of_masks(self._told, subject)

    def voxels(self, subject: str, columns: Sequence[str]) -> pd.DataFrame:
        """Give all voxels, part after part, each in C order; see `forms.Form.voxels`.

        Noise ceilings are computed, of voxels that any of the other columns marks; NaN elsewhere.
        """
        import pandas as pd

        parts, known = self._parts(subject), self.columns(subject)
        table = {"voxel_id": np.concatenate([part.voxel_ids for part in parts])}
        for name in columns:
            if name == "voxel_x":
                table[name] = np.concatenate([part.first_axis for part in parts])
            elif name not in CEILINGS:
                if name not in known:
                    raise DataError(unknown_column(f"subject {subject}", name, known))
                table[name] = self._marked(subject, name)
        marks = [values == 1 for name, values in table.items() if name in known]
        if ceilings := [name for name in columns if name in CEILINGS]:
            rows = np.flatnonzero(np.any(marks, axis=0)) if marks else np.array([], dtype=int)
            found = dict(zip(CEILINGS, self._ceilings(subject, rows), strict=True))
            for name in ceilings:
                table[name] = np.full(len(table["voxel_id"]), np.nan)
                table[name][rows] = found[name]
        return pd.DataFrame(table)

    def _marked(self, subject: str, name: str) -> np.ndarray:
        return np.concatenate(
            [
                marked_voxels(self._told, subject, name, part.labels, part.grid).ravel().astype(int)
                for part in self._parts(subject)
            ]
        )

    def responses(self, subject: str, rows: np.ndarray) -> np.ndarray:
        """Read voxels from all runs; see `forms.Form.responses`."""
        found, start = [], 0
        for part in self._parts(subject):
            inside = np.zeros(part.size, dtype=bool)
            inside[rows[(rows >= start) & (rows < start + part.size)] - start] = True
            start += part.size
            if inside.any():
                found.append(part.responses(inside.reshape(part.grid.shape)))
        return np.concatenate(found)

    def source(self, subject: str) -> str:
        """Name the pattern and the subject; see `forms.Form.source`."""
        return self._told.betas.replace("{subject}", subject)

    def space(self, subject: str) -> dict[str, Any]:
        """Give the grid of NIfTI volumes, or the times of arrays; see `forms.Form.space`."""
        first, *others = self._parts(subject)
        if self._told.times:
            return {"times": times_of(first.grid.path, self._told)}
        if others or is_array(first.grid.path):
            return {}
        return {"grid_shape": list(first.grid.shape), "grid_affine": first.grid.affine.ravel()}

    def acquisition(self, _subject: str) -> dict[str, Any]:
        """Give nothing: no sidecar is read; see `forms.Form.acquisition`."""
        return {}

    def _ceilings(self, subject: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return voxel_ceilings(self.responses(subject, rows), list(self.trials(subject)["stimulus"]))

    def _read_parts(self, subject: str) -> list[_Part]:
        told, several = self._told, parts_of(self._told, subject)
        shown = shown_by_events(told.events, subject) if told.events else []
        parts = []
        for labels in several:
            named = shown if told.events else shown_by_names(told, subject, labels)
            runs = list(self._matched(series_of(told, subject, labels), named))
            parts.append(_Part(labels, runs, len(several) > 1))
        untold = [row.place for row in shown if not row.told]
        self.believed = bool(untold)
        if untold:
            print(f"QUALITY: {untold[0]}: no onset tells the order of {len(untold)} such rows")
        _require_same_trials(parts, self.source(subject))
        return parts

    def _matched(self, series: Sequence[Series], shown: Sequence[Shown]) -> Iterator[_Run]:
        accept, taken = self._told.missing_runs == "accept", 0
        for one in series:
            own = [row for row in shown if _fits(one.run, row.run)]
            if not own and accept:
                continue
            _require_count(one, own)
            taken += len(own)
            yield _Run(one, own)
        if taken < len(shown) and not accept:
            lost = next(row for row in shown if not any(_fits(one.run, row.run) for one in series))
            raise DataError(
                f"{lost.place}: is of {in_words(lost.run)}, of which there are no betas"
                f" ({series[0].told.betas}). Put them there; or set brain.missing_runs to accept,"
                " which takes the runs that have both."
            )


def _require_same_trials(parts: Sequence[_Part], source: str) -> None:
    for part in parts:
        if not part.images:
            raise DataError(f"{source}: no beta is a trial.")
        if part.images != parts[0].images:
            raise DataError(
                f"{source}: files of {part.labels} and of {parts[0].labels} are of other trials;"
                " bring those of the same runs and images."
            )


def _numbered(labels: Sequence[str]) -> list[int]:
    """Take labels as numbers; where some are none, their places in natural order, from 1."""
    if all(label.isdecimal() for label in labels):
        return [int(label) for label in labels]
    order = sorted(set(labels), key=natural_order)
    return [order.index(label) + 1 for label in labels]


def _fits(run: tuple[str, ...], row: tuple[str, ...]) -> bool:
    return all(label in ("", of_row) for label, of_row in zip(run, row, strict=True))


def _require_count(series: Series, shown: Sequence[Shown]) -> None:
    if series.count == len(shown):
        return
    where = shown[0].place.rpartition(": row")[0] if shown else "brain.events"
    raise DataError(
        f"{where}: has {len(shown)} rows for {series.paths[0]}, which has {series.count} betas."
        " Every row needs a beta, and every beta a row: name values of rows that have none in"
        " brain.events.without_beta, correct the columns brain.events.session and run, or bring"
        " both files from one source."
    )
