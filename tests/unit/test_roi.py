"""Voxels of ROIs against plain loops over a voxel table made by hand."""

import numpy as np
import pandas as pd
import pytest

from brain_settings import union
from rulealign.data.responses.roi import check_count, choose_voxels, expected_voxels

GLASSER = "glasser-p9-\n46v"


class FakeForm:
    """A voxel table in memory."""

    def __init__(self, table):
        self.table = table

    def columns(self, subject):
        return [name for name in self.table if not name.startswith(("voxel_", "nc_"))]

    def voxels(self, subject, columns):
        assert len(set(columns)) == len(columns)
        return self.table[["voxel_id", *columns]]


def brain(side=6, seed=0):
    """Make a cube of voxels, left at low x; lFFA and rFFA are its outermost slabs."""
    rng = np.random.default_rng(seed)
    x = np.arange(side**3) // side**2
    table = pd.DataFrame({"voxel_id": rng.permutation(10_000)[: side**3], "voxel_x": x + 11})
    table["nc_singletrial"] = rng.uniform(0, 40, side**3)
    table["nc_testset"] = rng.integers(0, 30, side**3).astype(float)
    for name in ("V1", "V2", "lLOC", "rLOC", GLASSER, "IT"):
        table[name] = (rng.random(side**3) < 0.3).astype(int)
    table["lFFA"], table["rFFA"] = (x < 2).astype(int), (x >= side - 2).astype(int)
    table["lLOC"] *= x < side // 2
    table["rLOC"] *= x >= (side + 1) // 2
    return table


def rows_where(table, keep):
    return [row for row in range(len(table)) if keep(table.iloc[row])]


def test_union_intersection_and_difference_equal_a_plain_loop():
    table = brain()
    spec = union("lLOC", "rLOC", intersection=["V1", "IT"], difference=["V2"])
    found = choose_voxels(FakeForm(table), "01", spec)
    expected = rows_where(
        table, lambda v: (v["lLOC"] or v["rLOC"]) and v["V1"] and v["IT"] and not v["V2"]
    )
    assert found.rows.dtype == np.int64
    assert found.rows.tolist() == expected
    assert 0 < len(expected) < len(rows_where(table, lambda v: v["lLOC"] or v["rLOC"]))
    assert found.ids == [str(table["voxel_id"][row]) for row in expected]
    assert found.nc_singletrial.tolist() == table["nc_singletrial"][expected].tolist()
    assert found.nc_testset.tolist() == table["nc_testset"][expected].tolist()


@pytest.mark.parametrize("broken", [GLASSER, "glasser-p9-\r\n46v", "glasser-p9-46v\n"])
def test_a_name_with_a_line_break_is_written_without(broken):
    table = brain().rename(columns={GLASSER: broken})
    found = choose_voxels(FakeForm(table), "01", union("glasser-p9-46v"))
    assert found.rows.tolist() == np.flatnonzero(table[broken]).tolist()


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_side_is_learned_from_the_columns_that_say_it(side, flipped, capsys):
    table = brain()
    if flipped:
        table["voxel_x"] = 100 - table["voxel_x"]
    # without flipping x goes from 11 to 16: the middle is 13.5
    low = table["voxel_x"] < (100 - 13.5 if flipped else 13.5)
    expected = (table["V1"] == 1) & (low == ((side == "left") != flipped))
    found = choose_voxels(FakeForm(table), "01", union("V1", hemisphere=side))
    assert found.rows.tolist() == np.flatnonzero(expected).tolist()
    assert "sub-01: 0 voxels on the midline" in capsys.readouterr().out


def test_voxels_on_the_midline_are_in_neither_hemisphere(capsys):
    table = brain(side=5)
    sides = [
        choose_voxels(FakeForm(table), "01", union("V1", hemisphere=side)).rows
        for side in ("left", "right")
    ]
    middle = np.flatnonzero((table["V1"] == 1) & (table["voxel_x"] == 13))
    assert len(middle) > 0
    assert sorted(np.concatenate([*sides, middle])) == np.flatnonzero(table["V1"]).tolist()
    assert "sub-01: 25 voxels on the midline" in capsys.readouterr().out


def test_the_midline_is_that_of_the_brain_and_not_of_the_roi():
    # most voxels, and all of V1, lie right; the brain still goes from 11 to 16
    table = brain()
    table = table[(table["voxel_x"] > 13) | (np.arange(len(table)) % 4 == 0)].reset_index(drop=True)
    table["V1"] = (table["voxel_x"] >= 14).astype(int)
    right = union("V1", hemisphere="right")
    assert len(choose_voxels(FakeForm(table), "01", right).rows) == 3 * 36


@pytest.mark.parametrize("by", ["nc_testset", "nc_singletrial"])
def test_reliable_voxels_are_those_at_or_above_the_limit(by):
    table = brain()
    spec = union("V1", voxels={"by": by, "at_least": 12})
    found = choose_voxels(FakeForm(table), "01", spec)
    assert found.rows.tolist() == rows_where(table, lambda v: v["V1"] and v[by] >= 12)
    if by == "nc_testset":
        assert (found.nc_testset == 12).any()


def test_the_best_voxels_are_chosen_after_everything_else():
    table = brain()
    spec = union(
        "V1", difference=["V2"], hemisphere="left", voxels={"by": "nc_singletrial", "top": 5}
    )
    left = rows_where(table, lambda v: v["V1"] and not v["V2"] and v["voxel_x"] < 13.5)
    expected = sorted(sorted(left, key=lambda row: -table["nc_singletrial"][row])[:5])
    assert choose_voxels(FakeForm(table), "01", spec).rows.tolist() == expected


def test_a_tie_at_the_cut_takes_the_first_voxels_and_says_so(capsys):
    table = brain().iloc[:8].copy()
    table["V1"], table["nc_testset"] = 1, [5.0, 7.0, 5.0, 9.0, 5.0, 5.0, 1.0, 5.0]
    spec = union("V1", voxels={"by": "nc_testset", "top": 4})
    assert choose_voxels(FakeForm(table), "02", spec).rows.tolist() == [0, 1, 2, 3]
    said = capsys.readouterr().out
    assert "sub-02: nc_testset: 5 voxels are tied at the cut of the top 4 (5 percent)" in said
    assert "the first 2" in said
    spec = union("V1", voxels={"by": "nc_testset", "top": 2})
    assert choose_voxels(FakeForm(table), "02", spec).rows.tolist() == [1, 3]
    assert capsys.readouterr().out == ""


def test_many_tied_voxels_are_taken_in_their_order():
    table = brain().assign(V1=1)
    table["nc_testset"] = np.arange(len(table)) % 3
    spec = union("V1", voxels={"by": "nc_testset", "top": 100})
    found = choose_voxels(FakeForm(table), "01", spec).rows.tolist()
    assert found == sorted([*range(2, 216, 3), *range(1, 84, 3)])


def test_missing_noise_ceilings_do_not_matter_where_nothing_is_selected_by_them():
    table = brain()
    table["nc_testset"] = np.nan
    found = choose_voxels(FakeForm(table), "01", union("V1"))
    assert np.isnan(found.nc_testset).all()
    assert len(found.rows) == table["V1"].sum()


@pytest.mark.parametrize(
    ("columns", "counts"),
    [
        (["V1"], (1049, 1104, 839)),
        (["V2"], (774, 988, 660)),
        (["rLOC", "lLOC"], (2700, 1175, 423)),
        (["IT"], (4145, 3720, 3022)),
    ],
)
def test_expected_voxels_are_those_of_the_published_tables(columns, counts):
    subjects = ("01", "02", "03")
    assert tuple(expected_voxels(subject, union(*columns)) for subject in subjects) == counts


@pytest.mark.parametrize(
    ("subject", "spec"),
    [
        ("04", union("V1")),
        ("00", union("V1")),
        ("01", union("V3")),
        ("01", union("lLOC")),
        ("01", union("V1", "V2")),
        ("01", union("V1", hemisphere="left")),
        ("01", union("V1", difference=["V2"])),
        ("01", union("V1", intersection=["V2"])),
        ("01", union("V1", voxels={"by": "nc_testset", "top": 100})),
    ],
)
def test_other_rois_have_no_expected_voxels(subject, spec):
    assert expected_voxels(subject, spec) is None
    assert check_count(subject, "ROI", spec, 7) == f"ROI of sub-{subject}: 7 voxels"


def test_another_number_of_voxels_is_a_warning():
    spec = union("V1")
    assert check_count("01", "V1", spec, 1049) == "V1 of sub-01: 1049 voxels, as expected"
    warning = "WARNING: early of sub-01: expected 1049 voxels, found 1046: another release"
    assert check_count("01", "early", spec, 1046).startswith(warning)
