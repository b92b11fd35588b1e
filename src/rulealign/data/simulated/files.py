"""Where a study's simulated data are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rulealign.data.responses.files import ResponseFiles
from rulealign.plan.files import result_files
from rulealign.plan.settings.brain import FormSettings


class SimulatedFiles(ResponseFiles):
    """The files that the pipeline makes of a simulated data set; see `ResponseFiles`.

    Args:
        results: the study's folder of results.
    """

    form = FormSettings(form="tables", address="", as_stored=False)

    def __init__(self, results: Path) -> None:
        self._names = result_files(str(results))
        self.images = [self._names.simulated_images]
        self.image_records = [self._names.simulated_truth]

    def folder(self, _subject: str) -> Path:
        """Name the folder of all subjects' tables."""
        return Path(self._names.simulated)

    def own(self, _subjects: Sequence[str]) -> dict[str, list[str] | None]:
        """Give nothing: all is generated."""
        return {}

    def files(self, subject: str, _roi: str | None = None) -> list[str]:
        """List the three tables of one subject."""
        names = self._names
        tables = (names.simulated_responses, names.simulated_voxels, names.simulated_stimuli)
        return [name.format(subject=subject) for name in tables]
