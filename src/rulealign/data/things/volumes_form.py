"""THINGS-fMRI in its volume form: NIfTI images of single-trial responses, one file a run.

Source of the form: Hebart et al. 2023, eLife 12:e82580.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from tqdm import tqdm

from rulealign.data.things.nifti import read_voxels_of_series
from rulealign.data.things.tables_form import read_sidecar
from rulealign.data.things.volume_files import Run, VolumeFiles
from rulealign.data.things.volume_masks import Brain, VolumeColumns, read_brain
from rulealign.data.things.volume_trials import Conditions, read_conditions, trial_table
from rulealign.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from rulealign.plan.settings.brain import FormSettings


class Volumes:
    """The volume form, as figshare's archives hold it; folders may be nested in any way.

    Files are known by their names: `sub-01_ses-things01_run-01_betas.nii.gz` and
    `..._conditions.tsv` (in betas_vol/ or scalematched/), `sub-01_space-T1w_brainmask.nii.gz`;
    below a folder `prf` that names the subject (prf/sub-01/) `resampled_varea.nii.gz` (labels 1 to
    12: V1 V2 V3 hV4 VO1 VO2 LO1 LO2 TO1 TO2 V3b V3a), `resampled_va-1_interp-nn.nii.gz` or
    `V1.nii.gz`; below `category_localizer` `sub-01_lEBA.nii.gz`, any name, also with `_mask`
    behind it; `sub-01_nc_n-1.nii.gz` and `..._n-12.nii.gz` (noise ceilings in percent). Of the
    other forms' files `sub-01_VoxelMetadata.csv` is used where it is there: for IT and glasser-*,
    which have no masks. A last session or run that is missing for every subject cannot be noticed.

    Args:
        root: the folder, searched once with all folders in it; nothing is written there.
        as_stored: whether conditions are believed to be in the order of the volumes where neither
            an index nor onsets tell it.
    """

    def __init__(self, root: Path, *, as_stored: bool = False) -> None:
        self._files, self._as_stored, self.believed = VolumeFiles(root), as_stored, False

    @classmethod
    def opened(cls, settings: FormSettings, place: Path, _parallel: int) -> Self:
        """Open the form as a study says; see `forms.open_form`."""
        return cls(place, as_stored=settings.as_stored)

    def trials(self, subject: str) -> pd.DataFrame:
        """Give the trials without catch trials; see `forms.Form.trials`."""
        runs = self._files.runs(subject)
        return trial_table(runs, self._shown(runs), subject)

    def columns(self, subject: str) -> list[str]:
        """List the ROI columns; see `forms.Form.columns`."""
        return VolumeColumns(self._files, subject, self._brain(subject)).names

    def voxels(self, subject: str, columns: Sequence[str]) -> pd.DataFrame:
        """Give all voxels of the brain mask; see `forms.Form.voxels`.

        Their order is that of the mask's array in C order, which `nilearn.masking.apply_mask`
        gives and the published tables have.
        """
        import pandas as pd

        brain = self._brain(subject)
        sources = VolumeColumns(self._files, subject, brain)
        table = {"voxel_id": np.arange(len(brain.places[0]))}
        return pd.DataFrame(table | {name: sources.read(name) for name in columns})

    def responses(self, subject: str, rows: np.ndarray) -> np.ndarray:
        """Read voxels from all runs, 64 MB in memory at a time; see `forms.Form.responses`."""
        brain = self._brain(subject)
        mask, in_order = brain.only(rows), np.argsort(np.argsort(rows))  # masks have C order
        runs = self._files.runs(subject)
        shown = [conditions.images for conditions in self._shown(runs)]
        kept = [[place for place, name in enumerate(names) if name is not None] for names in shown]
        out = np.empty((len(rows), sum(map(len, kept))), dtype=np.float32)
        start = 0
        for number, run in enumerate(tqdm(runs, f"sub-{subject}: runs", mininterval=2)):
            values = read_voxels_of_series(run.betas, mask, brain.grid, len(shown[number]))
            out[:, start : start + len(kept[number])] = values[in_order][:, kept[number]]
            start += len(kept[number])
        return out

    def source(self, subject: str) -> str:
        """Name the folder and the subject; see `forms.Form.source`."""
        return f"{self._files.root}, sub-{subject}"

    def space(self, _subject: str) -> dict[str, Any]:
        """Give nothing: voxels go by the rows of a table; see `forms.Form.space`."""
        return {}

    def acquisition(self, subject: str) -> dict[str, Any]:
        """Read BIDS sidecars (`..._bold.json`) if there are any; see `forms.Form.acquisition`."""
        return read_sidecar(self._files.sidecars(subject))

    def _shown(self, runs: Sequence[Run]) -> list[Conditions]:
        shown = [read_conditions(run.conditions) for run in runs]
        untold = [conditions.path for conditions in shown if not conditions.told]
        self.believed = bool(untold)
        if untold and not self._as_stored:
            raise DataError(
                f"{untold[0]}: has neither an index nor onsets, so nothing tells whether its rows"
                " are in the order of the volumes. Get it again from its source; or, if you know"
                " that they are, set `things.columns: as_stored`. The report says so."
            )
        if untold:
            print(
                f"QUALITY: {untold[0]}: nothing tells the order of its rows, nor those of"
                f" {len(untold) - 1} other runs; things.columns: as_stored"
            )
        return shown

    def _brain(self, subject: str) -> Brain:
        return read_brain(self._files.brain_mask(subject))
