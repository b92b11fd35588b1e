"""The order of layers over a hierarchy is found where it was planted, and not where it was not."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from rulealign.encoding.order import order_table, read_roi_errors
from rulealign.encoding.roi_gram import RoiGram
from rulealign.errors import DataError
from rulealign.plan.settings.encoding import OrderSettings
from rulealign.store import read_csv, write_h5

SUBJECTS, STIMULI, FOLDS = 6, 40, 4
DEPTHS = {"conv1": 0.25, "conv2": 0.5, "conv3": 0.75, "fc1": 1.0}
OF_NETWORK = {"cnn3": DEPTHS}
ROIS = ["V1", "V2", "LOC", "IT"]


def files(folder, best, seed=0):
    """Write errors in which a layer (its place, for each ROI and subject) is the best one."""
    rng = np.random.default_rng(seed)
    ids = {"stimulus": [f"s{place}" for place in range(STIMULI)]}
    ids["subject"] = [f"{number:02d}" for number in range(SUBJECTS)]
    rows = [f"cnn3/bp/{n}/1/shown/32/{layer}/" for n in (1, 2) for layer in DEPTHS]
    ids["row"] = [f"{row}{'vector' if 'fc1' in row else 'grid-2'}/activations" for row in rows]
    errors, grams = [], []
    for place, roi in enumerate(ROIS):
        made = rng.normal(3, 0.1, (len(rows), SUBJECTS, STIMULI))
        for subject in range(SUBJECTS):
            made[best[place][subject] :: len(DEPTHS), subject] -= 1
        errors.append(folder / f"{roi}_errors.h5")
        write_h5(errors[-1], {"errors": made}, ids=ids, settings={})
        grams.append(folder / f"{roi}_gram.h5")
        arrays = {"grams": np.zeros((SUBJECTS, 1)), "folds": np.arange(STIMULI) % FOLDS}
        arrays["folds"] = arrays["groups"] = np.tile(arrays["folds"], (SUBJECTS, 1))
        own = {name: ids[name] for name in ("stimulus", "subject")}
        write_h5(grams[-1], arrays, ids=own, settings={}, attributes={"roi": roi})
    return errors, grams


def measured(folder, best, rois=slice(None)):
    settings = OrderSettings(study_seed=1, interval=0.95, hierarchy=ROIS[rois], depths=OF_NETWORK)
    errors, grams = files(folder, best)
    order_table([errors[rois]], grams[rois], settings, folder / "order.csv")
    (row,) = read_csv(folder / "order.csv").to_dict("records")
    return row


def test_a_planted_order_is_found(tmp_path):
    row = measured(tmp_path, [[place] * SUBJECTS for place in range(4)])
    assert row["statistic"] == "rank_correlation"
    assert row["value"] == pytest.approx(1)
    assert row["p"] == pytest.approx(2 / 24)  # of 4! orders, this one and its reverse
    assert [row[f"depth:{roi}"] for roi in ROIS] == list(DEPTHS.values())


def test_the_reverse_order_is_found(tmp_path):
    row = measured(tmp_path, [[3 - place] * SUBJECTS for place in range(4)])
    assert row["value"] == pytest.approx(-1)


def test_it_is_the_mean_of_the_subjects_rank_correlations_with_its_t_interval(tmp_path):
    best = np.random.default_rng(3).integers(4, size=(4, SUBJECTS))
    depths = np.array(list(DEPTHS.values()))[best]
    each = [spearmanr(np.arange(4), depths[:, subject])[0] for subject in range(SUBJECTS)]
    row = measured(tmp_path, best)
    assert row["value"] == pytest.approx(np.mean(each))
    half = 2.570581836 * np.std(each, ddof=1) / np.sqrt(SUBJECTS)  # t of 5 degrees of freedom
    assert row["low"] == pytest.approx(np.mean(each) - half)
    assert row["high"] == pytest.approx(np.mean(each) + half)


def test_of_two_rois_it_is_the_difference_of_depths(tmp_path):
    row = measured(tmp_path, [[1] * SUBJECTS, [3] * SUBJECTS, [0] * 6, [0] * 6], slice(0, 2))
    assert (row["statistic"], row["n_rois"]) == ("depth_difference", 2)
    assert row["value"] == pytest.approx(0.5)


def test_the_layer_of_a_fold_is_chosen_on_the_others(tmp_path):
    errors, _ = files(tmp_path, [[0] * SUBJECTS] * 4)
    folds = np.tile(np.arange(STIMULI) % FOLDS, (SUBJECTS, 1))
    ids = [f"s{place}" for place in range(STIMULI)]
    gram = RoiGram("V1", [], ids, np.zeros(1), folds, folds, [])
    found = read_roi_errors(errors[0], gram)
    found.errors[2, :, gram.folds[0] == 0] -= 100  # the best one by far, in fold 0 alone
    choices = found.choices([0, 1, 2, 3])
    assert (choices[0] == 0).all()
    assert (choices[1:] == 2).all()


def test_rois_of_other_subjects_have_no_order(tmp_path):
    errors, grams = files(tmp_path, [[0] * SUBJECTS] * 4)
    ids = {"stimulus": [f"s{place}" for place in range(STIMULI)], "subject": ["01", "02"]}
    folds = np.tile(np.arange(STIMULI) % FOLDS, (2, 1))
    arrays = {"grams": np.zeros(1), "folds": folds, "groups": folds}
    write_h5(grams[2], arrays, ids=ids, settings={}, attributes={"roi": "LOC"})
    settings = OrderSettings(study_seed=1, interval=0.95, hierarchy=ROIS, depths=OF_NETWORK)
    with pytest.raises(DataError, match=r"LOC_gram.h5 .*who have all ROIs of encoding.hierarchy"):
        order_table([errors], grams, settings, tmp_path / "order.csv")
