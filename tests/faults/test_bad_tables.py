"""Faults planted into THINGS-fMRI tables: each must be caught, and named with file and place."""

import gzip
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from brain_settings import responses_of, union
from rulealign.data.images.stimulus_sets import image_paths
from rulealign.data.responses.forms import open_form
from rulealign.data.responses.patterns import select_patterns
from rulealign.data.responses.roi import choose_voxels
from rulealign.data.responses.roi_responses import write_roi_responses
from rulealign.data.simulated.data_set import write_images, write_subject
from rulealign.data.things.tables import read_trials, read_voxels
from rulealign.data.things.tables_form import Tables
from rulealign.errors import DataError, StoreError
from rulealign.plan.settings.brain import FormSettings, QualitySettings
from rulealign.plan.settings.images import SimulatedSubjectSettings
from rulealign.report.quality_panel import panel
from rulealign.rsa.quality.roi import roi_quality

SETTINGS = SimulatedSubjectSettings(
    study_seed=1,
    concepts=10,
    exemplars=1,
    repeated_images=4,
    image_size=16,
    sessions=2,
    runs=2,
    voxels_per_roi=8,
    noise=0.5,
    drift=0.1,
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    write_images(SETTINGS, folder / "images", folder / "truth.h5")
    write_subject(SETTINGS, 1, folder / "images", tables_of(folder))
    return folder


def tables_of(folder):
    names = {"responses": "ResponseData.h5", "voxels": "VoxelMetadata.csv"}
    names["stimuli"] = "StimulusMetadata.csv"
    return {name: folder / f"sub-01_{file}" for name, file in names.items()}


@pytest.fixture
def tables(sound, tmp_path):
    copies = tables_of(tmp_path)
    for name, path in tables_of(sound).items():
        copies[name].write_bytes(path.read_bytes())
    return copies


def extract(tables, columns=("V1",), subject="01", **settings):
    folder = tables["responses"].parent
    told = responses_of(union(*columns), **settings)
    write_roi_responses(Tables(folder), subject, "V1", told, folder / "roi.h5")
    return folder / "roi.h5"


def rows(tables, column):
    return choose_voxels(Tables(tables["responses"].parent), "01", union(column)).rows


def change(path, edit):
    table = pd.read_csv(path)
    changed = edit(table)
    (table if changed is None else changed).to_csv(path, index=False)


def refused(tables, match, **kwargs):
    with pytest.raises(DataError, match=match):
        extract(tables, **kwargs)
    assert not (tables["responses"].parent / "roi.h5").exists()


def test_sound_tables_pass(tables):
    assert len(select_patterns(extract(tables), "first-exemplar")[0]) == 10


@pytest.mark.parametrize(
    ("asked", "nearest"), [("LOC", "'rLOC', 'lLOC'"), ("v1", "'V1'"), ("hv4", "'hV4'")]
)
def test_an_unknown_roi_lists_those_there_are_the_nearest_first(tables, asked, nearest):
    with pytest.raises(DataError, match=rf"no ROI '{asked}'; they have \[{nearest}") as caught:
        rows(tables, asked)
    assert "glasser-V1" in str(caught.value)
    assert "nc_testset" not in str(caught.value)


def test_an_empty_roi_is_refused(tables):
    refused(tables, r"union of \['hV4'\]: leaves no voxel in the ROI", columns=["hV4"])


def test_a_column_that_is_not_0_or_1_is_refused(tables):
    change(tables["voxels"], lambda t: t.__setitem__("V1", t["V1"] * 0.5))
    refused(tables, "column 'V1' holds 0.5 for voxel")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_voxel_that_is_not_finite_is_named(tables, bad):
    row = int(rows(tables, "V1")[2])
    with h5py.File(tables["responses"], "r+") as file:
        file["ResponseData/block0_values"][row, 5] = bad
    refused(
        tables, rf"ResponseData.h5: V1: faulty voxels \(1, not finite\): voxel {row}\. .*'drop'"
    )
    extract(tables, columns=["V2"])  # a fault elsewhere does not concern this ROI


def test_a_constant_voxel_is_named(tables):
    row = int(rows(tables, "V1")[0])
    with h5py.File(tables["responses"], "r+") as file:
        file["ResponseData/block0_values"][row] = 0.25
    refused(tables, rf"V1: faulty voxels \(1, constant\): voxel {row}\. .*brain.faulty_voxels")


def test_faulty_voxels_are_left_out_and_said_where_the_study_wants_it(tables, capsys):
    nan, constant = (int(row) for row in rows(tables, "V1")[[2, 5]])
    with h5py.File(tables["responses"], "r+") as file:
        file["ResponseData/block0_values"][nan, 5] = np.nan
        file["ResponseData/block0_values"][constant] = 0.25
    with h5py.File(extract(tables, faulty_voxels="drop")) as file:
        left = [str(row) for row in rows(tables, "V1") if row not in (nan, constant)]
        assert file["ids/voxel"].asstr()[()].tolist() == left
        assert len(file["responses"]) == len(file["voxels/nc_testset"]) == len(left)
    said = capsys.readouterr().out
    assert f"QUALITY: {tables['responses']}: V1: faulty voxels (1, not finite): voxel {nan}" in said
    assert f"(1, constant): voxel {constant}; brain.faulty_voxels: drop" in said


def copy_trial(tables, first, second):
    with h5py.File(tables["responses"], "r+") as file:
        values = file["ResponseData/block0_values"]
        values[:, second] = values[:, first]


def test_a_duplicated_trial_is_found_where_trial_id_starts_anew_in_every_run(tables, capsys):
    def count_anew(table):
        table["trial_id"] = table.groupby(["session", "run"]).cumcount()

    change(tables["stimuli"], count_anew)
    copy_trial(tables, 2, 9)
    trials = pd.read_csv(tables["stimuli"])
    names = ["{session}-{run}-{trial_id}".format(**trials.loc[place]) for place in (2, 9)]
    with h5py.File(extract(tables, duplicated_trials="drop")) as file:
        kept = trials.drop(index=9)
        assert file["trials/stimulus"].asstr()[()].tolist() == kept["stimulus"].tolist()
    assert f"trial {names[1]} is trial {names[0]} again" in capsys.readouterr().out


def test_a_duplicated_trial_stops_or_is_left_out_or_kept_as_the_study_says(tables, capsys):
    copy_trial(tables, 2, 9)
    refused(tables, r"V1: duplicated trials \(1\): trial 9 is trial 2 again.*'drop'")
    for remedy, count in (("drop", 17), ("keep", 18)):
        with h5py.File(extract(tables, duplicated_trials=remedy)) as file:
            assert file["responses"].shape[1] == len(file["trials/run"]) == count
            assert (9 in file["trials/trial_id"][()]) == (remedy == "keep")
            assert file["dropped/trial_id"][()].tolist() == ([9] if remedy == "drop" else [])
        assert f"trial 9 is trial 2 again; brain.duplicated_trials: {remedy}" in (
            capsys.readouterr().out
        )


def test_a_repeated_image_may_lack_a_trial_that_was_left_out_and_no_other(tables):
    trials = pd.read_csv(tables["stimuli"])
    test = trials.index[trials["trial_type"] == "test"]
    copy_trial(tables, int(test[0]), int(test[-1]))
    ids, patterns, repetitions = select_patterns(
        extract(tables, duplicated_trials="drop"), "test-repeats"
    )
    assert (len(ids), repetitions) == (4, 2)
    assert np.isfinite(patterns).all()


def test_no_other_image_takes_the_place_of_one_that_was_left_out(tables):
    trials = pd.read_csv(tables["stimuli"])
    train = trials.index[trials["trial_type"] == "train"]
    copy_trial(tables, int(train[0]), int(train[1]))
    gone = trials["stimulus"][train[1]]
    with pytest.raises(DataError, match=f"stimulus '{gone}' has no trial left.*'keep'"):
        select_patterns(extract(tables, duplicated_trials="drop"), "first-exemplar")


@pytest.mark.parametrize("column", ["trial_type", "session", "run", "stimulus", "concept"])
def test_a_missing_trial_column_is_named(tables, column):
    change(tables["stimuli"], lambda t: t.drop(columns=column))
    refused(tables, rf"StimulusMetadata.csv: lacks the columns \['{column}'\]")


def test_a_missing_voxel_column_is_named(tables):
    change(tables["voxels"], lambda t: t.drop(columns="voxel_id"))
    refused(tables, r"VoxelMetadata.csv: lacks the columns \['voxel_id'\]")


def test_trials_missing_at_the_end_are_noticed(tables):
    change(tables["stimuli"], lambda t: t.iloc[:-1])
    refused(tables, "ResponseData.h5: has 18 trials, its table has 17")


def test_voxels_missing_at_the_end_are_noticed(tables):
    change(tables["voxels"], lambda t: t.iloc[:-1])
    refused(tables, "ResponseData.h5: has 44 voxels, its table has 43")


def test_a_trial_listed_twice_by_its_id_is_refused(tables):
    change(tables["stimuli"], lambda t: t.loc[[0, 0, *range(2, len(t))]])
    refused(tables, "a trial is listed twice: session 1, run 1, trial_id 0")


def test_a_trial_listed_twice_under_a_new_id_is_refused(tables):
    def copy_first(table):
        row = table.iloc[0].copy()
        row["trial_id"] = 99
        table.loc[1] = row

    change(tables["stimuli"], copy_first)
    refused(tables, "a trial is listed twice: session 1, run 1, stimulus")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("session", 1.5, "'session' holds .*not a whole number"),
        ("run", "first", "'run' holds 'first' in trial row 3, which is not a whole number"),
        (
            "trial_id",
            10**22,
            "'trial_id' holds '?10{22}'? in trial row 3.*at most 18 digits. Write",
        ),
        ("trial_id", "2.0", "'trial_id' holds .*Write it as one, such as 12, or get the table"),
        ("trial_id", 3.5, "'trial_id' holds '?3.5'? in trial row 3"),
        ("trial_type", "catch", "trial_type is 'catch'"),
        ("stimulus", None, "'stimulus' is empty in trial row 3"),
        ("session", None, "'session' is empty in trial row 3"),
    ],
)
def test_a_wrong_cell_is_named(tables, column, value, message):
    def put(table):
        table[column] = table[column].astype(object)
        table.loc[3, column] = value

    change(tables["stimuli"], put)
    with pytest.raises(DataError, match=message):
        read_trials(tables["stimuli"])


def test_a_table_without_trials_is_refused(tables):
    change(tables["stimuli"], lambda t: t.iloc[:0])
    refused(tables, "StimulusMetadata.csv: lists no trials")


@pytest.mark.parametrize("table", ["stimuli", "voxels"])
@pytest.mark.parametrize("places", [(3,), (0,), range(18)])
def test_a_row_with_more_cells_than_columns_is_refused(tables, table, places):
    # such as a decimal comma makes; pandas would move the other cells by a column
    lines = tables[table].read_text().split("\n")
    first = len(lines) - 1 - len(pd.read_csv(tables[table]))  # a name may have a line break
    for place in places:
        lines[first + place] = "0," + lines[first + place]
    tables[table].write_text("\n".join(lines))
    refused(
        tables, rf"Metadata.csv: cannot be read as a table \(row {places[0]} has \d+ cells, there"
    )


def test_separators_at_the_ends_of_lines_are_no_cells(tables):
    expected = read_trials(tables["stimuli"])
    header, *rows = tables["stimuli"].read_text().splitlines()
    for head in (header, f"{header},"):
        tables["stimuli"].write_text("\n".join([head, *(f"{row}," for row in rows)]))
        pd.testing.assert_frame_equal(read_trials(tables["stimuli"]), expected)


def test_a_column_that_a_table_has_twice_is_refused(tables):
    lines = [f"{line},{line.split(',')[0]}" for line in tables["stimuli"].read_text().splitlines()]
    tables["stimuli"].write_text("\n".join(lines))
    refused(tables, f"StimulusMetadata.csv: has the column '{lines[0].split(',')[0]}' twice")


@pytest.mark.parametrize(
    ("value", "hint"), [("12,5", r"\. Write decimals with a point"), ("?", "")]
)
def test_a_noise_ceiling_that_is_no_number_is_named(tables, value, hint):
    def put(table):
        table["nc_testset"] = table["nc_testset"].astype(object)
        table.loc[4, "nc_testset"] = value

    change(tables["voxels"], put)
    value = value.replace("?", r"\?")
    match = f"VoxelMetadata.csv: 'nc_testset' holds '{value}' in voxel row 4, which is not a number"
    refused(tables, match + hint)


@pytest.mark.parametrize("name", ["stimuli", "voxels"])
def test_a_table_that_is_packed_under_a_plain_name_is_read(tables, name):
    read = {"stimuli": read_trials, "voxels": lambda path: read_voxels(path, ["V1"])}[name]
    expected = read(tables[name])
    tables[name].write_bytes(gzip.compress(tables[name].read_bytes()))
    pd.testing.assert_frame_equal(read(tables[name]), expected)


@pytest.mark.parametrize("name", ["stimuli", "voxels"])
def test_a_separator_that_is_not_read_is_answered_with_those_that_are(tables, name):
    tables[name].write_text(tables[name].read_text().replace(",", "|"))
    refused(tables, r"Metadata\.csv: .*Separate columns by commas, semicolons or tabs")


@pytest.mark.parametrize("damage", ["cut", "no gzip"])
def test_a_packed_table_that_is_damaged_is_named(tables, damage):
    packed = Path(f"{tables['stimuli']}.gz")
    content = tables["stimuli"].read_bytes()
    packed.write_bytes(content if damage == "no gzip" else gzip.compress(content)[:-9])
    tables["stimuli"].unlink()
    refused(tables, "StimulusMetadata.csv.gz: cannot be read as a table")


def test_a_table_that_lies_there_packed_too_is_refused(tables):
    Path(f"{tables['voxels']}.gz").write_bytes(gzip.compress(tables["voxels"].read_bytes()))
    refused(tables, "has the voxels of sub-01 twice, .*; keep one of them")


def test_columns_in_another_order_are_refused(tables):
    with h5py.File(tables["responses"], "r+") as file:
        order = sorted(map(str, range(18)))
        values = file["ResponseData/block0_values"]
        values[()] = values[()][:, [int(label) for label in order]]
        del file["ResponseData/block0_items"]
        file["ResponseData/block0_items"] = np.array(order).astype("S")
    refused(tables, "ResponseData.h5: its columns are in the order 0, 1, 10, 11, 12, 13, ...")


def test_columns_that_nothing_names_stop_or_are_told_in_file_and_report(tables):
    folder = tables["responses"].parent
    extract(tables).rename(folder / "labelled.h5")
    with h5py.File(tables["responses"], "r+") as file:
        del file["ResponseData/block0_items"]
    refused(tables, "set `things.columns: as_stored`")
    form = open_form(FormSettings(form="tables", address="", as_stored=True), folder, parallel=1)
    write_roi_responses(form, "01", "V1", responses_of(union("V1")), folder / "believed.h5")
    said = {}
    for name in ("believed", "labelled"):
        roi_quality(
            folder / f"{name}.h5", folder / f"{name}.csv", QualitySettings(lags=2, shifts=1)
        )
        findings = panel(pd.read_csv(folder / f"{name}.csv")).findings
        said[name] = [text for text in findings if "taken as stored" in text]
    assert said["labelled"] == []
    assert said["believed"] == [
        "sub-01, V1: nothing that can be read tells which trials the responses are of: taken as"
        " stored."
    ]


def test_voxels_in_another_order_than_the_responses_are_refused(tables):
    change(tables["voxels"], lambda t: t.iloc[::-1])
    where = r"row \d+ is voxel \d+, and voxel \d+ in .*sub-01_VoxelMetadata\.csv"
    refused(tables, rf"ResponseData\.h5: {where}")


def test_a_voxel_id_that_occurs_twice_is_refused(tables):
    change(tables["voxels"], lambda t: t.assign(voxel_id=7))
    refused(tables, "voxel_id: '7' appears twice")


def test_another_persons_table_is_refused(tables):
    change(tables["stimuli"], lambda t: t.assign(subject_id=3))
    refused(tables, "StimulusMetadata.csv: holds data of subject 3, not of subject 01")
    change(tables["voxels"], lambda t: t.assign(subject_id=2))
    refused(tables, "VoxelMetadata.csv: holds data of subject 2")


def test_a_missing_person_is_named_with_who_is_there(tables):
    refused(tables, "no table of voxels of sub-02.*sub-01_VoxelMetadata.csv", subject="02")


def test_an_hdf5_file_of_another_form_is_refused(tables):
    with h5py.File(tables["responses"], "w") as file:
        file["betas"] = np.zeros((44, 18))
    refused(tables, r"has no 'ResponseData/block0_values'; it has \['betas'\]")


def test_a_truncated_response_file_is_refused(tables):
    content = tables["responses"].read_bytes()
    tables["responses"].write_bytes(content[: len(content) // 2])
    with pytest.raises(StoreError, match="ResponseData.h5: cannot be read as HDF5"):
        extract(tables)


def test_a_missing_or_empty_table_is_refused(tables):
    tables["stimuli"].write_text("")
    refused(tables, "StimulusMetadata.csv: is empty")
    tables["voxels"].unlink()
    refused(tables, "no table of voxels of sub-01: neither sub-01_VoxelMetadata.csv nor")


def test_images_repeated_unequally_are_refused(tables):
    def retype(table):
        place = table.index[table["trial_type"] == "test"][0]
        table.loc[place, "trial_type"] = "train"
        table.loc[place, "stimulus"] = "zebra_01s.jpg"
        table.loc[place, "concept"] = "zebra"

    change(tables["stimuli"], retype)
    with pytest.raises(DataError, match="was shown . times, . expected in the stimulus set 'test"):
        select_patterns(extract(tables), "test-repeats")


def test_a_first_exemplar_shown_twice_is_refused(tables):
    def repeat(table):
        train = table.index[table["trial_type"] == "train"]
        one, other = train[0], table.index[table["session"] == 2][0]
        table.loc[other, ["trial_type", "stimulus", "concept"]] = table.loc[
            one, ["trial_type", "stimulus", "concept"]
        ].to_numpy()

    change(tables["stimuli"], repeat)
    with pytest.raises(DataError, match="was shown 2 times, 1 expected"):
        select_patterns(extract(tables), "first-exemplar")


def test_a_missing_image_is_named_and_no_other_exemplar_taken(sound, tmp_path):
    for path in (sound / "images").rglob("*.jpg"):
        copy = tmp_path / path.relative_to(sound / "images")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (tmp_path / "disc_a" / "disc_a_01s.jpg").unlink()
    with pytest.raises(DataError, match=r"images are missing: \['disc_a_01s.jpg'\]"):
        image_paths(tmp_path, ["disc_a_01s.jpg", "square_a_01s.jpg"])
    with pytest.raises(DataError, match=r"\['disc_a_01s.jpg'\]"):
        write_subject(SETTINGS, 1, tmp_path, tables_of(tmp_path / "out"))
