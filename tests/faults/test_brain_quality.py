"""Faults planted in brain data: each is named in table and log; clean data raise no flag."""

import numpy as np
import pytest

import planted
from rulealign.rsa.quality.given import structure_rows
from rulealign.rsa.quality.rows import as_table, filled, log_lines
from rulealign.store import read_csv


@pytest.mark.parametrize("drift", [0.0, 0.3, 1.0])
def test_clean_data_raise_no_flag(tmp_path, drift):
    flagged = []
    for seed in range(8):
        table = planted.checked(planted.data_set(seed, drift=drift), tmp_path)
        flagged += planted.flags(table)
        peaks = table[(table["check"] == "shift_test") & (table["item"] == "peak")]
        assert list(peaks["value"]) == [0] * 6
    assert flagged == []
    assert log_lines(table) == []


def test_a_shared_order_with_run_noise_is_named(tmp_path):
    people = planted.data_set(0, orders=[1, 1, 2])
    planted.shared_run_noise(people, ["01", "02"], 0.8)
    table = planted.checked(people, tmp_path)
    found = planted.flags(table)
    assert {(check, roi) for check, _, _, _, roi in found if check == "agreement"} == {
        ("agreement", "V1"),
        ("agreement", "IT"),
    }
    assert {(one, other) for _, _, one, other, _ in found} == {("sub-01", "sub-02")}
    same = {item for check, item, *_ in found if check == "order_correlation"}
    assert same == {
        f"sessions {n} and {n}, {kind}" for n in (1, 2, 3) for kind in ("train", "test")
    }
    about = {"check": "agreement", "subject": "sub-01", "other": "sub-02", "roi": "V1"}
    every, kept = (planted.value(table, item=item, **about) for item in ("all", "cross_run"))
    assert every - kept > 0.05
    lines = log_lines(table)
    assert all(line.startswith("QUALITY: sub-01 ") for line in lines)
    assert any("(session 2) saw the same 48 train images in the same order" in s for s in lines)
    assert any(f"V1: agreement falls from {every:.3f} to {kept:.3f}" in line for line in lines)


def test_the_same_run_noise_in_different_orders_is_no_shared_noise(tmp_path):
    people = planted.data_set(0)
    planted.shared_run_noise(people, ["01", "02"], 0.8)
    assert planted.flags(planted.checked(people, tmp_path)) == set()


def test_neighbours_that_are_less_alike_are_named(tmp_path):
    people = planted.data_set(0)
    planted.subtract_neighbour(people, "02", "IT", 0.4)
    table = planted.checked(people, tmp_path)
    assert planted.flags(table) == {("lag_test", "difference", "sub-02", "", "IT")}
    (line,) = log_lines(table)
    assert line.startswith("QUALITY: sub-02, IT: neighbouring trials are less alike")
    about = {"check": "lag", "subject": "sub-02", "roi": "IT"}
    assert planted.value(table, item="1", **about) > 0.2
    assert abs(planted.value(table, item="4", **about)) < 0.1


@pytest.mark.parametrize(("test", "shift"), [(16, 1), (16, -2), (0, 1)])
def test_a_shifted_subject_is_named_with_and_without_repeats(tmp_path, test, shift):
    people = planted.data_set(0, test=test)
    planted.delay(people, "02", shift)
    table = planted.checked(people, tmp_path)
    assert planted.flags(table) == {("shift_test", "peak", "sub-02", "", r) for r in planted.ROIS}
    for line, roi in zip(sorted(log_lines(table)), ("IT", "V1"), strict=True):
        words, when = ("one trial", "later") if shift == 1 else ("2 trials", "earlier")
        assert line.startswith(f"QUALITY: sub-02, {roi}: shifted by {words}: ")
        assert f"read {words} {when}" in line
    about = {"check": "shift_test", "item": "peak", "roi": "V1"}
    assert planted.value(table, subject="sub-02", **about) == shift
    assert planted.value(table, subject="sub-03", **about) == 0


def test_without_any_signal_the_shift_test_says_so_and_flags_nothing(tmp_path):
    for test in (16, 0):
        table = planted.checked(planted.data_set(1, noise=40.0, test=test), tmp_path)
        assert planted.flags(table) == set()
        said = table.loc[table["check"] == "shift_test", "finding"]
        assert said.str.contains("no signal").sum() == 6


def test_copies_of_trials_and_faulty_voxels_are_named(tmp_path):
    people = planted.data_set(0)
    planted.duplicate(people, "03", "V1", 5, 60)
    people.responses["01", "V1"][[3, 9], 7] = np.nan
    people.responses["02", "IT"][11] = 0.3
    table = planted.checked(people, tmp_path)
    assert planted.flags(table) == {
        ("duplicated_trials", "copies", "sub-03", "", "V1"),
        ("faulty_voxels", "not_finite", "sub-01", "", "V1"),
        ("faulty_voxels", "constant", "sub-02", "", "IT"),
    }
    assert sorted(log_lines(table)) == [
        "QUALITY: sub-01, V1: 2 voxels with values that are not finite, left out: 1003, 1009",
        "QUALITY: sub-02, IT: 1 voxel without any change, left out: 1011",
        "QUALITY: sub-03, V1: 1 trial with the responses of an earlier trial, kept: trial_id 60"
        " repeats 5",
    ]
    about = {"check": "voxels", "item": "number", "subject": "sub-01", "roi": "V1"}
    assert planted.value(table, **about) == 78
    notes = table.loc[table["check"] == "voxels", "finding"]
    assert "sub-01, V1: 78 voxels, 80 are expected of this ROI" in set(notes)


def test_zscoring_by_run_is_flagged_with_what_it_makes_of_noise(tmp_path):
    people = planted.data_set(0)
    table = planted.checked(people, tmp_path, zscore="run")
    rows = table[table["check"] == "cleaning"]
    assert rows["flagged"].all()
    assert (rows["guard"] == 5).all()
    for row in rows.itertuples():
        sizes = people.trials[row.subject.removeprefix("sub-")].groupby(["session", "run"]).size()
        # pairs of a run of n trials correlate by -1 / (n - 1); the mean is over all such pairs
        expected = -(sizes / 2).sum() / (sizes * (sizes - 1) / 2).sum()
        assert abs(row.value - expected) < 0.01
        assert f"correlate by {row.value:.3f}" in row.finding
    assert sum("z-scoring by run" in line for line in log_lines(table)) == len(people.trials)


def test_descriptions_that_the_files_contradict_are_named(tmp_path):
    people = planted.data_set(0)
    people.acquisition["02"] = {"MagneticFieldStrength": 2.89, "source": "task_bold.json"}
    table = planted.checked(people, tmp_path, repetitions=12, acquisition="7T, averaged")
    lines = log_lines(table)
    assert "QUALITY: described as: 7T, averaged, but sub-02's files say 2.89 T" in lines
    assert (
        "QUALITY: sub-03, V1: described as the mean of 12 trials per stimulus, but its table has 1"
        in lines
    )
    assert len(lines) == 7
    stated = table.loc[table["check"] == "acquisition", ["subject", "finding"]].to_numpy().tolist()
    assert ["sub-01", "field strength: not stated in the files that were read"] in stated
    assert ["sub-02", "MagneticFieldStrength: 2.89 (task_bold.json)"] in stated
    table = planted.checked(people, tmp_path, acquisition="3T fMRI")
    assert planted.flags(table) == set()


def test_trials_and_repetitions_are_counted_and_unlike_subjects_are_noted():
    people = planted.data_set(0)
    people.trials["03"] = people.trials["03"].iloc[:-1]
    assert planted.data_set(0).trials["03"]["trial_type"].iloc[-1] == "train"
    table = as_table(structure_rows(people.trials))
    for item, value in (("trials", 191), ("runs", 12), ("fewest trials in a run", 15)):
        assert planted.value(table, check="trials", subject="03", item=item) == value
    for subject, times, images in (("01", "3", 16), ("01", "1", 144), ("03", "1", 143)):
        assert planted.value(table, check="repetitions", subject=subject, item=times) == images
    assert "03: trials: 191; most subjects have 192" in set(table["finding"])
    assert not table["flagged"].any()


def test_the_same_data_give_the_same_bytes_and_read_back_as_they_were(tmp_path):
    people = planted.data_set(4, subjects=2, test=0)
    table = planted.checked(people, tmp_path)
    before = (tmp_path / "quality.csv").read_bytes()
    planted.checked(people, tmp_path)
    assert (tmp_path / "quality.csv").read_bytes() == before
    back = filled(read_csv(tmp_path / "quality.csv"))
    assert list(back["flagged"]) == list(table["flagged"])
    assert list(back["item"]) == list(table["item"])
    assert set(back["subject"]) == {"", "sub-01", "sub-02"}
