"""Given RDMs that lack pairs: every comparison is that of the pairs that are left, by scipy."""

import numpy as np
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import spearmanr

from helpers.brain_settings import given_rdms
from helpers.pairs_study import (
    IDS,
    LAYERS,
    PAIRS,
    SCORES,
    SEEDS,
    N,
    brain_rdms,
    model_files,
    model_rdm,
)
from helpers.plain_comparisons import PLAIN
from helpers.score_settings import alignment
from rulealign.arm import Arm
from rulealign.data.copies import same_rdms
from rulealign.data.rdm_files import write_subject_rdms
from rulealign.errors import DataError
from rulealign.plan.settings.scores import CeilingSettings, NullSettings
from rulealign.rsa.alignment import align
from rulealign.rsa.brain_rdms import read_brain_rdms
from rulealign.rsa.ceiling import nili_bounds
from rulealign.rsa.ceiling_table import roi_ceiling
from rulealign.rsa.comparisons import comparison_class
from rulealign.rsa.pairs import read_pairs, write_present_pairs
from rulealign.rsa.quality.agreement import agreement_rows
from rulealign.rsa.quality.given import missing_rows
from rulealign.rsa.quality.sessions import session_rows
from rulealign.store import open_h5, read_csv

LACKING = ([3, 17], [17, 40, 41], [])
"""Places of the pairs that each subject lacks."""


def lacking_rdms():
    """Give the subjects' condensed RDMs, NaN where a pair is missing."""
    rdms = np.abs(brain_rdms()) + 0.1
    for rdm, places in zip(rdms, LACKING, strict=True):
        rdm[places] = np.nan
    return rdms


LEFT = ~np.isnan(lacking_rdms()).any(axis=0)


def written(folder, rdms, pairs="present", **changes):
    """Write given RDMs as the pipeline does, from one file of squares."""
    squares = np.stack([squareform(rdm, checks=False) for rdm in rdms])
    by_session = (3, changes.get("sessions", 1), N, N)
    np.save(folder / "given.npy", squares.reshape(by_session))
    outputs = [folder / f"sub-{number}_roi-V1_rdm.h5" for number in range(1, 4)]
    (folder / "ids.txt").write_text("\n".join(IDS))
    told = {"subjects": 3, "pairs": pairs, "ids": f"{folder}/ids.txt"} | changes
    source = folder / "given.npy"
    write_subject_rdms([source], given_rdms("V1", source, **told), "V1", outputs, IDS)
    return outputs


@pytest.fixture
def brain(tmp_path):
    files = written(tmp_path, lacking_rdms())
    write_present_pairs(files, tmp_path / "pairs.h5")
    return files


def test_scores_are_those_of_scipy_on_the_pairs_that_are_left(brain, tmp_path):
    table, draws = tmp_path / "table.csv", tmp_path / "draws.h5"
    settings = alignment(SCORES, pairs="present")
    models = list(model_files(tmp_path, "bp"))
    align(models, brain, Arm("cnn3", "bp"), "V1", settings, table, draws, tmp_path / "pairs.h5")
    rows = read_csv(table)
    assert set(rows["n_pairs"]) == {PAIRS - 4}
    assert set(rows["pairs"]) == {"present"}
    per_subject = rows.query("convention == 'per_subject'").set_index(["seed", "layer"])["score"]
    means = rows.query("convention == 'mean_rdm'").set_index(["seed", "layer"])["score"]
    for seed in SEEDS:
        for name in LAYERS:
            model, place = model_rdm("bp", seed, name)[LEFT], (seed, name.partition("/")[0])
            given = lacking_rdms()[:, LEFT]
            rho = [spearmanr(model, rdm).statistic for rdm in given]
            assert per_subject[place] == pytest.approx(np.mean(rho), abs=1e-6)
            mean = spearmanr(model, given.mean(axis=0).round(9)).statistic
            assert means[place] == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_every_comparison_leaves_the_pairs_out(name):
    models = np.random.default_rng(0).random((2, PAIRS))
    first, second = (places[LEFT] for places in np.triu_indices(N, 1))
    found = comparison_class(name).scores(models, lacking_rdms(), LEFT)
    for row, model in enumerate(models):
        for column, rdm in enumerate(lacking_rdms()):
            expected = PLAIN[name](model[LEFT], rdm[LEFT], first, second)
            assert found[row, column] == pytest.approx(expected, abs=1e-6)


def test_the_mask_is_of_all_subjects_and_the_numbers_stay(brain, tmp_path, capsys):
    mask = read_pairs(tmp_path / "pairs.h5", IDS, "present")
    np.testing.assert_array_equal(mask, LEFT)
    read = read_brain_rdms(brain, "V1")
    np.testing.assert_array_equal(read.rdms, lacking_rdms())
    assert read.missing == (2, 3, 0)
    write_present_pairs(brain, tmp_path / "again.h5")
    assert "3 of 66 pairs are missing" in capsys.readouterr().out


def test_ceilings_are_those_of_the_pairs_that_are_left_and_have_no_null(brain, tmp_path):
    null = {"study_seed": 5, "null_draws": 50, "interval": 0.9}
    settings = CeilingSettings(**null, pairs="present")
    roi_ceiling(brain, "V1", settings, tmp_path / "c.csv", tmp_path / "pairs.h5")
    (row,) = read_csv(tmp_path / "c.csv").to_dict("records")
    bounds = nili_bounds(lacking_rdms()[:, LEFT])
    assert (row["lower"], row["upper"]) == pytest.approx((bounds.lower, bounds.upper))
    assert (row["pairs"], row["n_pairs"]) == ("present", PAIRS - 4)
    assert not row["informative"]
    assert "pairs are missing" in row["reason"]


def test_missing_pairs_are_counted_in_the_quality_of_the_data(brain):
    read = read_brain_rdms(brain, "V1")
    rows = missing_rows(read)
    assert [(row["value"], row["flagged"]) for row in rows] == [(2, True), (3, True)]
    assert "2 of 66 pairs of stimuli are missing" in rows[0]["finding"]
    (agreement, *_) = agreement_rows(read, None, [], 5)
    expected = spearmanr(*lacking_rdms()[:2, LEFT]).statistic
    assert agreement["value"] == pytest.approx(expected, abs=1e-6)


def test_a_mean_over_sessions_lacks_what_a_session_lacks(tmp_path):
    sessions = np.abs(np.random.default_rng(1).normal(size=(6, PAIRS))) + 0.1
    sessions[0, 5] = sessions[1, 9] = np.nan
    files = written(tmp_path, sessions, sessions=2)
    with open_h5(files[0]) as file:
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(file["rdm"][()])), [5, 9])
        assert file.attrs["missing_pairs"] == 2
    (row, *_) = session_rows(files, NullSettings(study_seed=5, null_draws=50, interval=0.9))
    kept = np.delete(sessions[:2], [5, 9], axis=1)
    assert row["value"] == pytest.approx(spearmanr(*kept).statistic, abs=1e-6)
    assert "pairs are missing" in row["finding"]


def test_missing_pairs_are_refused_where_all_are_compared(tmp_path):
    match = r"the dissimilarity is missing \(2 pairs.*Set brain\.pairs to 'present'"
    with pytest.raises(DataError, match=match):
        written(tmp_path, lacking_rdms(), pairs="all")


def test_a_pair_that_is_missing_on_one_side_is_refused(tmp_path):
    written(tmp_path, lacking_rdms())
    squares = np.load(tmp_path / "given.npy")
    squares[2, 0, 4, 7] = np.nan
    np.save(tmp_path / "given.npy", squares)
    told = given_rdms("V1", tmp_path / "given.npy", subjects=3, pairs="present")
    outputs = [tmp_path / f"{number}.h5" for number in range(3)]
    with pytest.raises(DataError, match="image_05 with image_08: .*number on the other side"):
        write_subject_rdms([tmp_path / "given.npy"], told, "V1", outputs)


def test_a_stimulus_of_which_no_pair_is_left_is_refused(tmp_path):
    rdms = np.abs(brain_rdms()) + 0.1
    rdms[0, np.flatnonzero(np.triu_indices(N, 1)[0] == 0)] = np.nan
    match = f"55 of 66 pairs are in every RDM.*stimulus '{IDS[0]}' is in none"
    with pytest.raises(DataError, match=match):
        write_present_pairs(written(tmp_path, rdms), tmp_path / "pairs.h5")


def test_a_copy_that_lacks_other_pairs_is_still_found():
    rdm = lacking_rdms()[0]
    copy = rdm.copy()
    copy[30] = np.nan
    assert same_rdms({"one": rdm, "two": lacking_rdms()[1], "three": copy}) == {"three": "one"}
