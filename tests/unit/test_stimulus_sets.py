"""Stimulus sets against plain loops over the table of trials."""

import numpy as np
import pandas as pd
import pytest

from rulealign.data.images.stimulus_sets import (
    choose_trials,
    other_stimulus_ids,
    require_equally_often,
    stimulus_images,
)
from rulealign.errors import ConfigurationError, DataError
from rulealign.store import write_csv

CONCEPTS = ["zebra", "ant", "ice_cream", "null", "dog"]
SETS = ["first-exemplar", "concept-mean", "test-repeats"]


@pytest.fixture
def trials():
    """Give 5 concepts x 3 images shown once and 4 images shown three times, in random order."""
    once = [(f"{c}_{n:02d}s.jpg", c, "train") for c in CONCEPTS for n in (12, 3, 7)]
    often = [(f"{c}_20s.jpg", c, "test") for c in ("ant", "dog", "emu", "owl")] * 3
    rows = [(*row, n) for n, row in enumerate(once + often)]
    table = pd.DataFrame(rows, columns=["stimulus", "concept", "trial_type", "trial_id"])
    table = table.sample(frac=1, random_state=4)  # the index is not 0, 1, 2, ...
    return table.assign(session=1, run=range(len(table)), subject_id=1)


def rows_of(trials):
    return list(zip(trials["stimulus"], trials["concept"], trials["trial_type"], strict=True))


def expected_places(trials, stimulus_set):
    first = {
        c: min(s for s, d, _ in rows_of(trials) if d == c and "_20" not in s) for c in CONCEPTS
    }
    places = {}
    for place, (stimulus, concept, kind) in enumerate(rows_of(trials)):
        if stimulus_set == "concept-mean" and kind == "train":
            places.setdefault(concept, []).append(place)
        if stimulus_set == "test-repeats" and kind == "test":
            places.setdefault(stimulus, []).append(place)
        if stimulus_set == "first-exemplar" and stimulus == first.get(concept):
            places.setdefault(stimulus, []).append(place)
    return places


@pytest.mark.parametrize("stimulus_set", SETS)
def test_each_set_has_the_trials_a_loop_finds(trials, stimulus_set):
    chosen = choose_trials(trials, stimulus_set, "table")
    assert list(chosen) == sorted(chosen)
    found = {name: sorted(places.tolist()) for name, places in chosen.items()}
    assert found == expected_places(trials, stimulus_set)


@pytest.mark.parametrize("stimulus_set", SETS)
def test_ids_images_and_others_follow_from_the_trials_of_a_table_or_a_file(
    trials, stimulus_set, tmp_path
):
    trials.to_csv(tmp_path / "trials.csv", index=False)
    stimuli = [stimulus for stimulus, _, _ in rows_of(trials)]
    places = expected_places(trials, stimulus_set)
    images = {name: sorted({stimuli[place] for place in places[name]}) for name in sorted(places)}
    used = {image for of_one in images.values() for image in of_one}
    for table in (trials, tmp_path / "trials.csv"):
        assert stimulus_images(table, stimulus_set) == images
        assert list(stimulus_images(table, stimulus_set)) == list(images)
        assert other_stimulus_ids(table, stimulus_set) == sorted(set(stimuli) - used)
    each = {"first-exemplar": 1, "concept-mean": 3, "test-repeats": 1}[stimulus_set]
    assert {len(of_one) for of_one in images.values()} == {each}


def test_names_that_a_spreadsheet_would_run_are_those_of_the_source_again(trials, tmp_path):
    trials = trials.assign(stimulus="=" + trials["stimulus"], concept="=" + trials["concept"])
    write_csv(tmp_path / "trials.csv", trials)
    for stimulus_set in SETS:
        expected = stimulus_images(trials, stimulus_set)
        assert stimulus_images(tmp_path / "trials.csv", stimulus_set) == expected


def test_a_concepts_mean_is_of_its_images_and_not_of_its_repeated_one(trials):
    assert stimulus_images(trials, "concept-mean")["dog"] == [
        *("dog_03s.jpg", "dog_07s.jpg", "dog_12s.jpg")
    ]
    assert "dog_20s.jpg" in other_stimulus_ids(trials, "concept-mean")


def listed(folder, text):
    (folder / "list.txt").write_bytes(text.encode())
    return str(folder / "list.txt")


@pytest.mark.parametrize(
    "text", ["zebra_07s.jpg\nant_12s.jpg\n", "\ufeffant_12s.jpg\r\n\r\n  zebra_07s.jpg\n\n\n"]
)
def test_a_list_of_the_users_chooses_its_images(trials, tmp_path, text):
    chosen = choose_trials(trials, listed(tmp_path, text), "table")
    assert list(chosen) == ["ant_12s.jpg", "zebra_07s.jpg"]
    for name, places in chosen.items():
        assert [trials["stimulus"].iloc[place] for place in places] == [name]
    others = other_stimulus_ids(trials, listed(tmp_path, text))
    assert len(others) == 17
    assert not {"ant_12s.jpg", "zebra_07s.jpg"} & set(others)


def test_a_list_of_repeated_images_has_all_their_trials(trials, tmp_path):
    chosen = choose_trials(trials, listed(tmp_path, "owl_20s.jpg\nemu_20s.jpg"), "table")
    for name, places in chosen.items():
        assert places.tolist() == np.flatnonzero(trials["stimulus"] == name).tolist()
        assert len(places) == 3


def test_a_list_of_images_shown_unequally_often_has_no_means(trials, tmp_path):
    text = "ant_12s.jpg\nemu_20s.jpg\nowl_20s.jpg\n"
    chosen = choose_trials(trials, listed(tmp_path, text), "table")
    assert [len(places) for places in chosen.values()] == [1, 3, 3]
    with pytest.raises(DataError, match=r"table: 'ant_12s.jpg' was shown 1 times, and most .* 3"):
        require_equally_often(chosen, "table")


def test_a_name_that_no_trial_has_is_refused_with_the_nearest(trials, tmp_path):
    match = r"list\.txt: line 3: no trial of .* shows 'zebra_08s\.jpg'.*'zebra_0[37]s\.jpg'"
    with pytest.raises(DataError, match=match):
        stimulus_images(trials, listed(tmp_path, "ant_12s.jpg\n\nzebra_08s.jpg\nemu_99s.jpg\n"))


def test_a_name_that_is_listed_twice_is_refused(trials, tmp_path):
    text = "ant_12s.jpg\nemu_20s.jpg\nant_12s.jpg\n"
    with pytest.raises(DataError, match=r"line 3: 'ant_12s.jpg' is in line 1 already"):
        stimulus_images(trials, listed(tmp_path, text))


def test_a_list_that_is_empty_absent_or_no_text_is_refused(trials, tmp_path):
    with pytest.raises(DataError, match=r"list\.txt: lists no images; write one image name"):
        stimulus_images(trials, listed(tmp_path, "\n\n"))
    (tmp_path / "binary.txt").write_bytes(b"\xff\xd8\xff")
    for name in ("absent.txt", "binary.txt"):
        with pytest.raises(ConfigurationError, match=rf"{name}': cannot be read as a list"):
            stimulus_images(trials, str(tmp_path / name))


def test_a_set_that_does_not_exist_is_refused_with_those_there_are(trials):
    with pytest.raises(ConfigurationError, match=r"'list.txt'.*concept-mean.*with a '/'"):
        stimulus_images(trials, "list.txt")


def test_a_concept_with_a_trial_less_is_refused_by_its_name(trials):
    trials = trials[trials["stimulus"] != "ant_03s.jpg"]
    with pytest.raises(DataError, match="'ant' was shown 2 times, 3 expected .* 'concept-mean'"):
        choose_trials(trials, "concept-mean", "table")


def test_a_table_without_other_images_is_refused(trials):
    trials = trials[trials["trial_type"] == "test"]
    with pytest.raises(DataError, match="has no images but those of 'test-repeats'"):
        other_stimulus_ids(trials, "test-repeats")
