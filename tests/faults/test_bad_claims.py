"""Tables of universes that are incomplete, mixed or wrong are refused; no claim passes on less."""

import h5py
import numpy as np
import pandas as pd
import pytest

import claim_files
from claim_files import DROP, LESS, STIMULI
from edited_h5 import edited_h5
from rulealign.claims.evaluate import evaluate
from rulealign.claims.scores import read_universe_scores, require_as_aligned
from rulealign.errors import DataError, GuardError, StoreError

RULES = ("bp", "untrained_bn", "bp_normal")


def run(folder, files, *claims, **changes):
    made = [folder / f"{name}.csv" for name in ("claims", "summary", "curves")]
    evaluate(*files, claim_files.settings(*(claims or (DROP,)), **changes), *made)
    return made


def refused(folder, files, error, message, *claims):
    with pytest.raises(error, match=message):
        run(folder, files, *claims)
    for name in ("claims", "summary", "curves"):
        assert not (folder / f"{name}.csv").exists()


@pytest.fixture
def files(tmp_path):
    return claim_files.write_all(tmp_path, RULES)


def rewrite(path, change):
    table = change(pd.read_csv(path, keep_default_na=False, na_values=[""]))
    table.to_csv(path, index=False)


def drop_draws(path, kept):
    """Keep the draws of some rows only."""
    with edited_h5(path) as file:
        names = [name.decode() for name in file["ids/row"][()]]
        at = [place for place, name in enumerate(names) if kept(name)]
        for array in ("draws", "left_out"):
            values = file[array][:, at]
            del file[array]
            file[array] = values
        del file["ids/row"]
        file.create_dataset("ids/row", data=[names[a] for a in at], dtype=h5py.string_dtype())


def test_complete_tables_are_evaluated(tmp_path, files):
    for path in run(tmp_path, files):
        assert path.exists()


def test_a_rule_without_a_table_is_no_smaller_claim(tmp_path, files):
    refused(tmp_path, files, DataError, "no scores of cnn3 by fa with V1", LESS)
    fewer = [*(paths[:2] for paths in files[:3]), *files[3:]]
    refused(tmp_path, fewer, DataError, "no scores of cnn3 by bp_normal with V1")


def test_a_universe_without_its_rows_is_named(tmp_path, files):
    rewrite(files[0][0], lambda table: table[table["comparison"] != "pearson"])
    drop_draws(files[1][0], lambda name: "pearson" not in name)
    refused(
        tmp_path,
        files,
        DataError,
        "rule-bp_roi-V1_universes.csv: has no row of cnn3_bp_1_1_.*pearson",
    )


def test_people_in_another_order_are_refused(tmp_path):
    files = claim_files.write_all(tmp_path, RULES, goal="both")
    with edited_h5(files[1][1]) as file:
        file["ids/subject"][0] = "05"
    with pytest.raises(DataError, match="rule-untrained_bn_roi-V1_universes.csv"):
        run(tmp_path, files, goal="both")


def test_a_seed_that_is_not_there_is_named(tmp_path, files):
    rewrite(files[0][0], lambda table: table[table["seed"] != 4])
    drop_draws(files[1][0], lambda name: "bp_4_" not in name)
    refused(tmp_path, files, DataError, "has no row of cnn3_bp_4_1_grey_224")


@pytest.mark.parametrize(
    ("array", "axis"),
    [
        ("draws", 0),
        ("subject_scores", 1),
        ("subject_draws", 0),
        ("subject_draws", 2),
        ("left_out", 0),
        ("left_out", 1),
        ("subject_left_out", 0),
        ("subject_left_out", 2),
    ],
)
def test_an_array_that_was_cut_short_is_named(tmp_path, array, axis):
    files = claim_files.write_all(tmp_path, RULES, goal="both")
    with edited_h5(files[1][0]) as file:
        values = file[array][()]
        del file[array]
        file[array] = values.take(range(values.shape[axis] // 2), axis)
    message = rf"rule-bp_roi-V1_d\.h5: {array} is .*, and should be .*: cut short"
    refused(tmp_path, files, DataError, message)
    with edited_h5(files[1][0]) as file:
        del file[array]
    refused(tmp_path, files, DataError, rf"{array} is not there, and should be")


def test_draws_of_other_rows_are_refused(tmp_path, files):
    drop_draws(files[1][0], lambda name: "bp_4_" not in name)
    refused(tmp_path, files, DataError, "different ids: at place .*bp_4_0")


def test_draws_of_another_table_are_refused(tmp_path, files):
    tables, draws, *others = files
    swapped = [tables, [draws[1], draws[0], *draws[2:]], *others]
    refused(tmp_path, swapped, DataError, "different ids: at place 0 'cnn3_bp_1_0")


def test_a_row_that_occurs_twice_or_says_nothing_is_named(tmp_path, files):
    rewrite(files[0][0], lambda table: pd.concat([table, table.iloc[[0]]]))
    refused(tmp_path, files, DataError, "the row cnn3_bp_1_0_grey_32_.* appears twice")
    rewrite(
        files[0][0],
        lambda table: table.iloc[:-1].assign(score=table["score"].where(table.index > 0)),
    )
    refused(
        tmp_path, files, DataError, "the row cnn3_bp_1_0_grey_32_.* has neither score nor reason"
    )


@pytest.mark.parametrize(
    "array", ["draws", "subject_scores", "subject_draws", "left_out", "subject_left_out"]
)
def test_a_number_that_is_none_stops_the_run_and_makes_no_universe_missing(tmp_path, array):
    files = claim_files.write_all(tmp_path, RULES, goal="both")
    with edited_h5(files[1][0]) as file:
        file[array][(1,) * file[array].ndim] = np.nan
    refused(tmp_path, files, DataError, rf"_d.h5: {array} has a number that is NaN or infinite")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"study_seed": 4}, GuardError, "made with study_seed = 4, but the study has 3"),
        (
            {"stimuli": ["image_00", *STIMULI[2:], "new"]},
            DataError,
            "at place 1 'image_01' and 'image_02'",
        ),
    ],
)
def test_draws_of_other_settings_or_stimuli_are_not_mixed(tmp_path, changes, error, message):
    files = claim_files.write_all(tmp_path, RULES, untrained_bn=changes)
    refused(tmp_path, files, error, message)


def test_draws_over_other_pairs_are_not_mixed(tmp_path, files):
    with edited_h5(files[1][2]) as file:
        file.attrs["pairs_hash_all"] = "others"
    refused(tmp_path, files, GuardError, "are over different pairs of stimuli")


def test_other_settings_of_the_study_are_refused(tmp_path, files):
    with pytest.raises(GuardError, match=r"made with interval = 0\.9, but the study has 0\.95"):
        run(tmp_path, files, interval=0.95)


@pytest.mark.parametrize("column", ["score", "low", "high"])
def test_plain_scores_must_be_those_of_the_alignment(tmp_path, files, column):
    own = read_universe_scores(files[0][0], files[1][0])
    require_as_aligned(own, files[2][0])
    rewrite(
        files[2][0],
        lambda table: table.assign(**{column: table[column] + 1e-7 * (table.index == 3)}),
    )
    refused(tmp_path, files, GuardError, "have different scores of cnn3_bp_")


def test_a_plain_score_that_the_alignment_lacks_is_refused(tmp_path, files):
    rewrite(files[2][0], lambda table: table.iloc[1:])
    refused(tmp_path, files, GuardError, "have different scores of cnn3_bp_1_0.*nan")


def test_a_missing_table_is_named(tmp_path, files):
    files[0][1].unlink()
    refused(tmp_path, files, StoreError, "rule-untrained_bn_roi-V1_universes.csv")
    refused(tmp_path, [files[0], files[1][:2], *files[2:]], DataError, "3 tables .* as many draws")


def test_scores_for_another_goal_are_refused(tmp_path, files):
    with pytest.raises(GuardError, match="made with generalise_to = 'stimuli', but the study has"):
        run(tmp_path, files, goal="both")


def test_an_effect_without_an_interval_stops_the_run(tmp_path, files):
    with edited_h5(files[1][0]) as file:
        for array in ("draws", "left_out"):
            file[array][...] = 0.5
    where = r"claims\.drop has no interval in network cnn3, stimuli grey, size 224"
    refused(tmp_path, files, DataError, f"{where}.*is the same in every sample of stimuli")
