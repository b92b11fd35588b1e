"""The sections of brain data: what is computed from whom, and where THINGS-fMRI is taken from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from rulealign.choices import chosen_by, named_in, of_registry
from rulealign.data.brains import REGISTRY, brain_class
from rulealign.mistakes import Checks, Mistake
from rulealign.rsa.distances import REGISTRY as DISTANCES
from rulealign.rsa.distances import distance_class
from rulealign.schema import (
    Closed,
    Distinct,
    FilePlace,
    Label,
    Number,
    PositiveInt,
    each,
    whole,
)
from rulealign.wrong_values import shown

Columns = Annotated[list[str], Distinct]


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


DISTANCES_IN_WORDS = ", ".join(f"{name} ({distance_class(name).short})" for name in DISTANCES)

Distance = named_in("distances are", DISTANCES, distance_class)
Brain = of_registry("brain data are one of", REGISTRY, brain_class)


class ThingsFiles(Closed):
    """Where THINGS-fMRI and its images are taken from; the results do not depend on it."""

    form: Literal["remote-rows", "tables", "volumes"] = Field(
        description="remote-rows: only the rows of the ROIs, from OpenNeuro; tables: the tables of"
        " all voxels; volumes: NIfTI volumes and masks"
    )
    root: FilePlace | None = Field(
        default=None,
        description="a folder (or .zip of tables) with the files of that form, only read; null:"
        " they are downloaded. See docs/data.md for sizes and layouts",
    )
    images: FilePlace | None = Field(
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
