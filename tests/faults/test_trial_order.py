"""Trial tables whose rows were moved: refused, for responses would be given to other images."""

import pandas as pd
import pytest

from rulealign.data.things.tables import read_trials
from rulealign.errors import DataError


@pytest.fixture
def table():
    """Give 3 sessions of 2 runs of 4 trials; the fourth of each run repeats an image."""
    rows = []
    for place in range(24):
        session, run, trial = place // 8 + 1, place // 4 % 2 + 1, place % 4
        # letters go backwards, so that the order of measurement is not alphabetical
        concept = "yo-yo" if trial == 3 else f"thing{chr(ord('z') - place)}"
        kind, ending = ("test", "14n") if trial == 3 else ("train", "01b")
        rows.append((kind, session, run, 1, place, f"{concept}_{ending}.jpg", concept))
    names = ["trial_type", "session", "run", "subject_id", "trial_id", "stimulus", "concept"]
    return pd.DataFrame(rows, columns=names)


def read(table, tmp_path):
    path = tmp_path / "sub-01_StimulusMetadata.csv"
    table.to_csv(path, index=False)
    return read_trials(path)


def by_kind(table):
    return pd.concat([table[table["trial_type"] == kind] for kind in ("train", "test")])


MOVED = {
    "sorted by image within runs": lambda t: t.sort_values(["session", "run", "stimulus"]),
    "sorted by image": lambda t: t.sort_values("stimulus"),
    "train, then test": by_kind,
    "reversed": lambda t: t.iloc[::-1],
    "two rows swapped": lambda t: t.iloc[[*range(7), 8, 7, *range(9, 24)]],
    "two sessions swapped": lambda t: pd.concat([t[8:16], t[:8], t[16:]]),
}


@pytest.mark.parametrize("move", MOVED.values(), ids=MOVED)
def test_rows_that_were_moved_are_refused_with_the_first_and_the_remedy(table, tmp_path, move):
    moved = move(table)
    numbers = list(zip(moved["session"], moved["run"], moved["trial_id"], strict=True))
    row = next(row for row in range(1, 24) if numbers[row] < numbers[row - 1])
    this, before = (
        "session {}, run {}, trial_id {}".format(*numbers[place]) for place in (row, row - 1)
    )
    match = (
        f"StimulusMetadata.csv: in trial row {row}, {this} follows {before}: this table was"
        " re-sorted.*Sort its rows by these three columns"
    )
    with pytest.raises(DataError, match=match):
        read(moved, tmp_path)
    # and the remedy is one
    read(moved.sort_values(["session", "run", "trial_id"]), tmp_path)


@pytest.mark.parametrize("move", [by_kind, lambda t: t.sort_values("stimulus")])
def test_rows_that_were_numbered_anew_after_they_were_moved_are_refused(table, tmp_path, move):
    moved = move(table).assign(trial_id=range(24))
    with pytest.raises(DataError, match="this table was re-sorted.*Get it again from its source"):
        read(moved, tmp_path)


COUNTS = {
    "as published": lambda t: t,
    "from 1": lambda t: t.assign(trial_id=t["trial_id"] + 1),
    "with gaps": lambda t: t.assign(trial_id=3 * t["trial_id"]),
    "anew in every run": lambda t: t.assign(trial_id=t["trial_id"] % 4),
    "anew in every session, from 1": lambda t: t.assign(trial_id=t["trial_id"] % 8 + 1),
    "runs of other numbers": lambda t: t.assign(run=t["run"].map({1: 7, 2: 3})),
}


@pytest.mark.parametrize("count", COUNTS.values(), ids=COUNTS)
def test_other_counts_in_the_order_of_measurement_are_taken(table, tmp_path, count):
    counted = count(table)
    assert read(counted, tmp_path)["trial_id"].tolist() == counted["trial_id"].tolist()


@pytest.mark.parametrize("column", ["stimulus", "concept"])
def test_a_column_that_was_sorted_alone_is_refused(table, tmp_path, column):
    table[column] = sorted(table[column])
    with pytest.raises(DataError, match=r"trial row 0 shows '.*' and names the concept '.*', not"):
        read(table, tmp_path)


@pytest.mark.parametrize("left", range(1, 12))
@pytest.mark.parametrize("last", ["concept", "stimulus"])
def test_a_table_whose_last_line_is_cut_is_refused(table, tmp_path, last, left):
    columns = [name for name in table.columns if name != last]
    path = tmp_path / "sub-01_StimulusMetadata.csv"
    cut = table.assign(concept="yo-yo_with_a_name", stimulus="yo-yo_with_a_name_14n.jpg")
    table.iloc[-1] = cut.iloc[-1]
    text = table[[*columns, last]].to_csv(index=False)
    path.write_text(text)
    read_trials(path)
    path.write_text(text[: -1 - left])
    with pytest.raises(DataError, match=r"is cut off|may be cut off|is empty in trial row 23"):
        read_trials(path)


def test_the_real_table_is_taken_and_refused_where_its_rows_are_moved(mirror, tmp_path):
    path = mirror / "things" / "sub-01_StimulusMetadata.csv"
    trials = read_trials(path)
    assert trials["trial_id"].tolist() == list(range(9840))
    assert {"ping-pong_table", "t-shirt", "stove1", "yo-yo", "go-kart"} <= set(trials["concept"])
    for move in (by_kind, lambda t: t.sort_values(["session", "run", "stimulus"])):
        with pytest.raises(DataError, match="this table was re-sorted"):
            read(move(trials), tmp_path)
