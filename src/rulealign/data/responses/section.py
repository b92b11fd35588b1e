"""Brain data that are responses of single trials: what a study says of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from rulealign.config.brain import DISTANCES_IN_WORDS, Distance, Rois
from rulealign.data.brain import Brain, CountOrNames
from rulealign.mistakes import Checks, Mistake
from rulealign.wrong_values import no_such

if TYPE_CHECKING:
    from rulealign.config.brain import ThingsFiles
    from rulealign.data.responses.files import ResponseFiles

SHOWN_OFTEN = ("concept-mean", "test-repeats")
"""Stimulus sets whose stimuli rest on several trials each."""

STIMULUS_SETS = ("first-exemplar", "concept-mean", "test-repeats")


def _stimulus_set(value: str) -> str:
    if value not in STIMULUS_SETS and "/" not in value:
        known = no_such(value, STIMULUS_SETS, "stimulus sets are")
        raise ValueError(f"{known}, or the path (with a '/') of a list of images")
    return value


StimulusSet = Annotated[str, AfterValidator(_stimulus_set)]


class Responses(Brain):
    """The section of brain data that are responses of single trials.

    A kind adds `acquisition`, and `files` where it is not in the form of tables.
    """

    single_trials = True
    own_images = True
    planned_stimuli = 720  # the concepts of THINGS-fMRI

    acquisition: ClassVar[str]
    """Where the responses come from, in words."""

    released: ClassVar[bool] = False
    """Whether these are the published data, whose ROIs have known numbers of voxels."""

    subjects: CountOrNames = Field(
        description="how many subjects (01, 02 and so on), or a list of their names, such as"
        " ['01', '03']. One has no noise ceiling: claims rest on how well"
        " halves of its trials agree"
    )
    stimulus_set: StimulusSet = Field(
        description="first-exemplar: the first image of each concept, shown once; concept-mean: all"
        " images of a concept, averaged; test-repeats: the repeated images, averaged; or a path"
        " (with a '/') to a text file of yours, one image name a line"
    )
    zscore: Literal["all-trials", "run"] = Field(
        default="all-trials",
        description="each voxel is z-scored over all its trials, as published; or run by run, which"
        " induces correlations between patterns (a warning says how large)",
    )
    distance: Distance = Field(
        default="correlation",
        description=f"of the patterns: {DISTANCES_IN_WORDS}, such as"
        " {crossnobis: {folds: run}}",
    )
    pairs: Literal["all", "cross_run"] = Field(
        default="all",
        description="pairs of stimuli that are compared: all, or those that nobody saw in one run",
    )
    faulty_voxels: Literal["stop", "drop"] = Field(
        default="stop",
        description="stop at a voxel that is constant or not finite, or drop it; the log names it",
    )
    duplicated_trials: Literal["stop", "drop", "keep"] = Field(
        default="stop",
        description="stop at a trial with the responses of an earlier one, drop it, or keep it; the"
        " log names it",
    )
    rois: Rois = Field(description="ROI -> its voxels")

    def checks(self) -> Checks:
        """Check that distance and pairs are possible with the stimulus set."""
        yield self._repeats()
        yield self._runs()

    @property
    def pattern_distance(self) -> str:
        """Name the distance, if RDMs tell a Gram matrix; see `Brain.pattern_distance`."""
        return self.distance.gram

    @property
    def no_cross_run(self) -> str:
        """Say why pairs in different runs cannot be compared; see `Brain.no_cross_run`."""
        return "has stimuli in several runs" if self.stimulus_set in SHOWN_OFTEN else ""

    @property
    def stimulus_list(self) -> list[str]:
        """Name the user's own list of stimuli: one path, or none."""
        chosen = self.stimulus_set
        return [os.path.normpath(Path(chosen).expanduser())] if "/" in chosen else []

    def files(self, _things: ThingsFiles | None, _resources: Path, _results: Path) -> ResponseFiles:
        """Say where the files of responses and images are, or will be; no data are read.

        Args:
            things: the study's section `things`.
            resources: the folder of downloads.
            results: the study's folder of results.

        Returns:
            The files.

        Raises:
            ConfigurationError: a file that the study names is not there.
        """
        raise NotImplementedError(f"{type(self).__name__} has no files")

    @property
    def repeated(self) -> str:
        """Name what is averaged for one stimulus, for the report."""
        return "images per concept" if self.stimulus_set == "concept-mean" else "trials per image"

    def _repeats(self) -> Iterator[Mistake]:
        if self.distance.single_trials and self.stimulus_set == "first-exemplar":
            yield Mistake(
                "distance",
                f"{self.distance.name} needs stimuli that were shown several times, and"
                " stimulus_set 'first-exemplar' has each once; use 'test-repeats'",
            )

    def _runs(self) -> Iterator[Mistake]:
        if self.pairs == "cross_run" and self.stimulus_set in SHOWN_OFTEN:
            yield Mistake(
                "pairs",
                f"cross_run needs stimuli shown once, and those of '{self.stimulus_set}' lie in"
                " several runs; use `all`, and {crossnobis: {folds: run}} as distance",
            )
