"""The sections of brain data: what is computed from whom, and where THINGS-fMRI is taken from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from rulealign.mistakes import Checks, Mistake
from rulealign.schema import (
    GENERATED,
    Closed,
    Distinct,
    IdPattern,
    Label,
    NonNegativeFloat,
    Number,
    Pixels,
    PositiveInt,
    by_kind,
    chosen_by,
    each,
    whole,
)
from rulealign.wrong_values import no_such, shown

SIMULATED_COLUMNS = ("V1", "V2", "lLOC", "rLOC", "IT")
"""The ROI columns of a simulated voxel table."""

SHOWN_OFTEN = ("concept-mean", "test-repeats")
"""Stimulus sets whose stimuli rest on several trials each."""

Subjects = whole(1, 99)
Columns = Annotated[list[str], Distinct]
STIMULUS_SETS = ("first-exemplar", "concept-mean", "test-repeats")


def _stimulus_set(value: str) -> str:
    if value not in STIMULUS_SETS and "/" not in value:
        known = no_such(value, STIMULUS_SETS, "stimulus sets are")
        raise ValueError(f"{known}, or the path (with a '/') of a list of images")
    return value


StimulusSet = Annotated[str, AfterValidator(_stimulus_set)]


class RdmFile(Closed):
    """Given RDMs of one ROI: subjects x stimuli x stimuli."""

    source: str = Field(description="a dataset of the registry, or a path (with a '/') to a file")
    key: str | None = Field(
        default=None, description="name of the array in a .npz or .mat; null for a .npy"
    )


class RdmArchive(Closed):
    """Brain data that come as RDMs."""

    pairs: ClassVar[str] = "all"
    """Of given RDMs nobody knows in which run a stimulus was shown."""
    words: ClassVar[str] = "RDMs as given by their source."
    """What the data are, for the report."""
    cited: ClassVar[str] = ""
    """Whose the data are, for the report; empty where sources are named."""
    repeated: ClassVar[str] = "trials per image"
    """What is averaged for one stimulus, for the report."""

    zscore: ClassVar[str | None] = None
    """Given RDMs are not cleaned here."""

    kind: Literal["rdm-archive"] = Field(description="given RDMs per subject and ROI")
    subjects: Subjects = Field(
        description="subjects in every file; checked against the files. One has no noise ceiling:"
        " claims rest on how well its sessions agree"
    )
    sessions: whole(1, 99) = Field(
        default=1,
        description="sessions of each subject in every file; with 2 or more, its arrays are"
        " subjects x sessions x stimuli x stimuli. RDMs are averaged over sessions, and"
        " statistics/quality.csv says how well these agree",
    )
    ids: IdPattern = Field(
        description="pattern of the stimulus ids in the order of the RDMs, such as image_{:02d},"
        " counted from 1; the stimulus sets must have the same ids"
    )
    acquisition: str = Field(description="scanner, task and averaging in words, for the report")
    distance: str = Field(description="the dissimilarity that the RDMs hold, for the report")
    rois: Annotated[each(dict[Label, RdmFile]), Field(min_length=1)] = Field(
        description="ROI -> file of its RDMs"
    )

    @property
    def has_repeats(self) -> bool:
        """Say whether RDMs come with repeats that tell how reliable they are: their sessions."""
        return self.subjects == 1 or self.sessions > 1


class ReliableVoxels(Closed):
    """Voxels of an ROI whose noise ceiling is high enough."""

    by: Literal["nc_testset", "nc_singletrial"] = Field(
        description="column of noise ceilings: for the mean of all repetitions, or for one trial"
    )
    at_least: Annotated[float, Field(ge=0, le=100), Number] = Field(
        description="percent of the variance that a perfect model could explain"
    )


class BestVoxels(Closed):
    """As many voxels of an ROI as are asked for, those of the highest noise ceiling."""

    by: Literal["nc_testset", "nc_singletrial"] = Field(
        description="column of noise ceilings: for the mean of all repetitions, or for one trial"
    )
    top: PositiveInt = Field(description="voxels per subject")


def _selection(value: Any) -> str:
    if isinstance(value, BestVoxels) or (isinstance(value, Mapping) and "top" in value):
        return "top"
    return "least" if isinstance(value, ReliableVoxels | Mapping) else "all"


class Roi(Closed):
    """The voxels of one ROI; `V1: [V1]` is short for a union of columns and nothing else."""

    union: Annotated[Columns, Field(min_length=1)] = Field(
        description="columns of the voxel table, or masks; a voxel must be in one of them. A line"
        " break in a name is left out: glasser-p9-46v"
    )
    intersection: Columns = Field(default=[], description="and in every one of these; [] for none")
    difference: Columns = Field(default=[], description="and in none of these; [] for none")
    hemisphere: Literal["both", "left", "right"] = Field(
        default="both", description="the side of the brain, by the voxels' coordinates"
    )
    voxels: chosen_by(_selection, all=Literal["all"], least=ReliableVoxels, top=BestVoxels) = Field(
        default="all", description="all of them; or {by, at_least: percent}; or {by, top: number}"
    )

    @property
    def columns(self) -> list[str]:
        """List every column that the ROI names."""
        return [*self.union, *self.intersection, *self.difference]


def _in_full(value: Any) -> Any:
    if not isinstance(value, Mapping | Roi):
        none: dict[str, Any] = {"intersection": [], "difference": []}
        return {"union": value, **none, "hemisphere": "both", "voxels": "all"}
    return value


Rois = Annotated[each(dict[Label, Annotated[Roi, BeforeValidator(_in_full)]]), Field(min_length=1)]


class Folds(Closed):
    """How cross-validated distances keep noise apart."""

    folds: Literal["run", "session"] = Field(
        description="products of two trials count only if these are of different runs, or sessions"
    )


class Crossnobis(Closed):
    """Cross-validated Mahalanobis distance of repeated stimuli (Walther et al. 2016)."""

    crossnobis: Folds = Field(description="between what it is cross-validated")


class _Responses(Closed):
    acquisition: ClassVar[str]
    """Where the responses come from, in words."""

    released: ClassVar[bool] = False
    """Whether these are the published data, whose ROIs have known numbers of voxels."""

    subjects: Subjects = Field(
        description="subjects: 01, 02 and so on. One has no noise ceiling: claims rest on how well"
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
    distance: chosen_by(
        lambda value: "section" if isinstance(value, Crossnobis | Mapping) else "word",
        word=Literal["correlation", "euclidean"],
        section=Crossnobis,
    ) = Field(
        default="correlation",
        description="of the patterns: correlation (1 - Pearson), euclidean (squared, per"
        " voxel), or {crossnobis: {folds: run}}",
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

    @property
    def has_repeats(self) -> bool:
        """Say whether RDMs come with repeats that tell how reliable they are: of one subject."""
        return self.subjects == 1

    def checks(self) -> Checks:
        """Check that distance and pairs are possible with the stimulus set."""
        yield self._repeats()
        yield self._runs()

    @property
    def repeated(self) -> str:
        """Name what is averaged for one stimulus, for the report."""
        return "images per concept" if self.stimulus_set == "concept-mean" else "trials per image"

    def _repeats(self) -> Iterator[Mistake]:
        if isinstance(self.distance, Crossnobis) and self.stimulus_set == "first-exemplar":
            yield Mistake(
                "distance",
                "crossnobis needs stimuli that were shown several times, and stimulus_set"
                " 'first-exemplar' has each once; use 'test-repeats'",
            )

    def _runs(self) -> Iterator[Mistake]:
        if self.pairs == "cross_run" and self.stimulus_set in SHOWN_OFTEN:
            yield Mistake(
                "pairs",
                f"cross_run needs stimuli shown once, and those of '{self.stimulus_set}' lie in"
                " several runs; use `all`, and {crossnobis: {folds: run}} as distance",
            )


class Simulated(_Responses):
    """A generated data set in the table form of THINGS-fMRI, from a known truth."""

    acquisition: ClassVar[str] = "generated responses, no scanner"
    words: ClassVar[str] = (
        "Simulated from a known truth. Nobody was measured: nothing here is a finding about brains."
    )
    cited: ClassVar[str] = GENERATED

    kind: Literal["simulated"] = Field(description="generated, no download")
    concepts: whole(10, 100_000) = Field(
        default=30, description="object concepts; classes of objects take turns over them"
    )
    exemplars: whole(1, 1000) = Field(
        default=2, description="images per concept, each shown once (`train`)"
    )
    repeated_images: whole(4, 100_000) = Field(
        default=60, description="further images, shown once in every session (`test`)"
    )
    sessions: whole(2, 1000) = Field(default=6, description="sessions per subject")
    runs: whole(1, 1000) = Field(default=4, description="runs per session")
    image_size: Pixels = Field(default=96, description="pixels per side of the generated images")
    voxels_per_roi: whole(8, 100_000) = Field(default=120, description="voxels of each ROI column")
    noise: NonNegativeFloat = Field(
        default=2.0, description="standard deviation of the trial noise, in units of the signal's"
    )
    drift: NonNegativeFloat = Field(
        default=0.5, description="standard deviation of run-wise offsets, in units of the signal's"
    )

    def checks(self) -> Checks:
        """Check also that the simulated data have the columns of the ROIs."""
        yield from super().checks()
        for label, roi in self.rois.items():
            yield self._known_columns(label, roi)

    def _known_columns(self, label: str, roi: Roi) -> Iterator[Mistake]:
        for column in roi.columns:
            if column not in SIMULATED_COLUMNS:
                where = "the simulated data have the columns"
                yield Mistake(f"rois.{label}", no_such(column, SIMULATED_COLUMNS, where))


class ThingsFmri(_Responses):
    """THINGS-fMRI (Hebart et al. 2023); the section `things` says where it is taken from."""

    acquisition: ClassVar[str] = (
        "single-trial responses of THINGS-fMRI, denoised by ICA (Hebart et al. 2023)"
    )
    released: ClassVar[bool] = True
    words: ClassVar[str] = "THINGS-fMRI: single-trial responses to photographs."
    cited: ClassVar[str] = (
        "THINGS-fMRI. To cite: Hebart et al. (2023). THINGS-data, a multimodal collection of"
        " large-scale datasets for investigating object representations in human brain and"
        " behavior. eLife 12, e82580. Licence: stated at"
        " https://doi.org/10.25452/figshare.plus.c.6161151."
    )

    kind: Literal["things"] = Field(description="single-trial responses to photographs")


Brain = by_kind("brain data are one of", RdmArchive, Simulated, ThingsFmri)


class ThingsFiles(Closed):
    """Where THINGS-fMRI and its images are taken from; the results do not depend on it."""

    form: Literal["remote-rows", "tables", "volumes"] = Field(
        description="remote-rows: only the rows of the ROIs, from OpenNeuro; tables: the tables of"
        " all voxels; volumes: NIfTI volumes and masks"
    )
    root: str | None = Field(
        default=None,
        description="a folder (or .zip of tables) with the files of that form, only read; null:"
        " they are downloaded. See docs/data.md for sizes and layouts",
    )
    images: str | None = Field(
        default=None,
        description="your images_THINGS.zip, or a folder with its images; null while you have none:"
        " a plan can be made, and a run stops at once. The password of a zip is read from"
        " THINGS_IMAGES_PASSWORD",
    )
    parallel: whole(1, 64) = Field(default=8, description="requests at a time, of remote-rows")
    columns: Literal["checked", "as_stored"] = Field(
        default="checked",
        description="checked: labels of the columns of a response file, of volumes the index or"
        " onsets of a condition file, must tell which trial a response is of; as_stored: where"
        " nothing can be read that tells it, responses are in the order in which they are stored,"
        " and the report says so. What can be read is checked either way",
    )

    def checks(self) -> Checks:
        """Check that root is given to a form that reads it."""
        yield self._root_fits()

    def _root_fits(self) -> Iterator[Mistake]:
        if self.form == "remote-rows" and self.root is not None:
            yield Mistake(
                "root",
                f"{shown(self.root)} is not read by form 'remote-rows', which asks the server; set"
                " form to 'tables' or 'volumes', or root to null",
            )
