"""ROIs that cannot be: each gets an error that names the subject, the step and the remedy."""

import numpy as np
import pandas as pd
import pytest

from brain_settings import union
from rulealign.config.brain import Roi
from rulealign.data.responses.roi import choose_voxels
from rulealign.errors import DataError


class FakeForm:
    """A voxel table in memory."""

    def __init__(self, table):
        self.table = table

    def columns(self, subject):
        return [name for name in self.table if not name.startswith(("voxel_", "nc_"))]

    def voxels(self, subject, columns):
        known = [name for name in columns if name in self.table]
        return self.table[["voxel_id", *known]]


@pytest.fixture
def table():
    """Give 40 voxels from left to right: V1 all over, lLOC and rLOC on their sides."""
    x = np.arange(40)
    return pd.DataFrame(
        {
            "voxel_id": 500 + x,
            "voxel_x": x,
            "nc_singletrial": 1.0 + x,
            "nc_testset": 2.0 + x,
            "V1": 1,
            "V2": (x >= 20).astype(int),
            "hV4": 0,
            "lLOC": (x < 20).astype(int),
            "rLOC": (x >= 20).astype(int),
            "glasser-p9-\n46v": 1,
        }
    )


def refused(table, match, **changes):
    with pytest.raises(DataError, match=match):
        choose_voxels(FakeForm(table), "02", Roi(**{"union": ["V1"]} | changes))


@pytest.mark.parametrize("step", ["union", "intersection", "difference"])
@pytest.mark.parametrize(
    ("asked", "nearest"),
    [("LOC", "'rLOC', 'lLOC'"), ("v1", "'V1'"), ("glasser-p9-46", "'glasser-p9-46v'")],
)
def test_an_unknown_column_lists_those_there_are_the_nearest_first(table, step, asked, nearest):
    refused(
        table, rf"sub-02: the data have no ROI '{asked}'; they have \[{nearest}", **{step: [asked]}
    )


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"union": ["hV4"]}, r"union of \['hV4'\]"),
        ({"intersection": ["V2", "lLOC"]}, "intersection with 'lLOC'"),
        ({"difference": ["V2", "lLOC"]}, "difference from 'lLOC'"),
        ({"difference": ["lLOC"], "hemisphere": "left"}, "hemisphere left"),
        ({"voxels": {"by": "nc_testset", "at_least": 60}}, "nc_testset at least 60 percent"),
    ],
)
def test_an_empty_roi_names_the_step_that_emptied_it(table, changes, step):
    refused(table, f"sub-02: {step}: leaves no voxel", **changes)


@pytest.mark.parametrize("rule", [{"at_least": 5}, {"top": 3}])
def test_a_missing_noise_ceiling_cannot_be_selected_by(table, rule):
    table.loc[[7, 9], "nc_testset"] = np.nan
    message = r"voxel 507 has no nc_testset \(2 such"
    refused(table, message, voxels={"by": "nc_testset", **rule})
    # outside of the ROI it does not matter
    elsewhere = union("V2", voxels={"by": "nc_testset", **rule})
    assert len(choose_voxels(FakeForm(table), "02", elsewhere).rows) in (3, 20)


def test_more_voxels_than_there_are_cannot_be_the_best(table):
    refused(
        table, "top 41 voxels are asked for, the ROI has 40", voxels={"by": "nc_testset", "top": 41}
    )


def test_hemispheres_that_the_columns_contradict_are_refused(table):
    table.loc[[0, 1], "rLOC"] = 1  # 2 of 22 on the wrong side
    refused(table, r"only 91% of the voxels of \['rLOC'\] lie right", hemisphere="left")


def test_one_voxel_in_a_hundred_on_the_wrong_side_is_borne(table):
    many = pd.concat([table] * 5, ignore_index=True)
    many["voxel_id"] = np.arange(len(many))
    many.loc[0, "rLOC"] = 1
    left = union("V1", hemisphere="left")
    assert len(choose_voxels(FakeForm(many), "02", left).rows) == 100


@pytest.mark.parametrize(
    "remove", [lambda table: table.drop(columns="lLOC"), lambda table: table.assign(lLOC=0)]
)
def test_hemispheres_without_a_column_that_says_them_are_refused(table, remove):
    refused(remove(table), "no voxel is in a column that says 'left'", hemisphere="right")


def test_a_voxel_that_occurs_twice_is_named(table):
    table.loc[5, "voxel_id"] = 504
    refused(table, "voxel_id: '504' appears twice")
