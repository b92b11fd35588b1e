"""The order of layers over a hierarchy is found where it was planted, and not where it was not."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import spearmanr, ttest_1samp

from helpers.edited_h5 import edited_h5
from rulealign.encoding.order import order_table, read_roi_errors
from rulealign.encoding.roi_gram import RoiGram
from rulealign.errors import DataError
from rulealign.plan.settings.encoding import OrderSettings
from rulealign.store import read_csv, write_h5

SUBJECTS, STIMULI, FOLDS = 6, 40, 4
DEPTHS = {"conv1": 0.25, "conv2": 0.5, "conv3": 0.75, "fc1": 1.0}
OF_NETWORK = {"cnn3": DEPTHS}
ROIS = ["V1", "V2", "LOC", "IT"]


def files(folder, *bests, seed=0, features=("activations",)):
    """Write errors in which a layer (its place, for each ROI and subject) is the best one.

    Of each kind of features another one.
    """
    rng = np.random.default_rng(seed)
    ids = {"stimulus": [f"s{place}" for place in range(STIMULI)]}
    ids["subject"] = [f"{number:02d}" for number in range(SUBJECTS)]
    rows = [f"cnn3/bp/{n}/1/shown/32/{layer}/" for n in (1, 2) for layer in DEPTHS]
    rows = [f"{row}{'vector' if 'fc1' in row else 'grid-2'}/" for row in rows]
    ids["row"] = [row + kind for kind in features for row in rows]
    errors, grams = [], []
    for place, roi in enumerate(ROIS):
        made = rng.normal(3, 0.1, (len(features), len(rows), SUBJECTS, STIMULI))
        for own, best in zip(made, bests, strict=True):
            for subject in range(SUBJECTS):
                own[best[place][subject] :: len(DEPTHS), subject] -= 1
        errors.append(folder / f"{roi}_errors.h5")
        write_h5(errors[-1], {"errors": np.concatenate(made)}, ids=ids, settings={})
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


def compared(folder, bests, features):
    """Give the rows of all kinds of features, and of their differences."""
    settings = OrderSettings(study_seed=1, interval=0.95, hierarchy=ROIS, depths=OF_NETWORK)
    errors, grams = files(folder, *bests, features=features)
    order_table([errors], grams, settings, folder / "order.csv")
    return read_csv(folder / "order.csv").set_index("features")


def plain_differences(one, other, depths):
    """Subtract rank correlations, subject by subject."""
    places = np.arange(len(ROIS))
    return [
        spearmanr(places, depths[one[:, subject]])[0]
        - spearmanr(places, depths[other[:, subject]])[0]
        for subject in range(SUBJECTS)
    ]


KINDS = ("activations", "gradient-entropy")
BETWEEN = "gradient-entropy - activations"


def noisy(order, rng, spoilt):
    """Give each subject an order of layers in which two ROIs may have changed places."""
    best = np.tile(np.array(order)[:, np.newaxis], (1, SUBJECTS))
    for subject in range(spoilt):
        place = rng.integers(3)
        best[[place, place + 1], subject] = best[[place + 1, place], subject]
    return best


@pytest.mark.parametrize(("gradients", "apart"), [((3, 2, 1, 0), True), ((0, 1, 2, 3), False)])
def test_the_difference_of_two_orders_is_that_of_a_plain_loop(tmp_path, gradients, apart):
    rng, depths = np.random.default_rng(4), np.array(list(DEPTHS.values()))
    first, second = noisy((0, 1, 2, 3), rng, 3), noisy(gradients, rng, 5)
    row = compared(tmp_path, (first, second), KINDS).loc[BETWEEN]
    each = plain_differences(second, first, depths)
    assert row["value"] == pytest.approx(np.mean(each))
    interval = ttest_1samp(each, 0).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx(interval)
    assert (row["high"] < -1) if apart else (row["low"] < 0 < row["high"])
    # one order of layers for both kinds
    null = [
        np.mean(plain_differences(second, first, depths[list(order)]))
        for order in permutations(range(4))
    ]
    expected = np.mean(np.abs(null) > abs(np.mean(each)) - 1e-9)
    assert row["p"] == pytest.approx(expected)
    assert (row["p"] < 0.1) == apart
    means = depths[second].mean(axis=1) - depths[first].mean(axis=1)
    assert [row[f"depth:{roi}"] for roi in ROIS] == pytest.approx(list(means))


def test_signals_are_held_against_activations_but_no_loss_against_another(tmp_path):
    kinds = ("activations", "gradient-entropy", "gradient-own-decision", "teaching")
    in_order = [[place] * SUBJECTS for place in range(4)]
    rows = compared(tmp_path, [in_order] * 4, kinds)
    assert list(rows.index) == [
        *kinds,
        *(f"{signal} - activations" for signal in kinds[1:]),
        *(f"teaching - {gradient}" for gradient in kinds[1:3]),
    ]
    assert list(rows["value"]) == pytest.approx([1] * 4 + [0] * 5)
    assert (rows["p"][4:] == 1).all()  # copies differ in no order of layers


def test_a_layer_that_one_kind_lacks_is_never_its_choice(tmp_path):
    activations, gradients = (
        [[place] * SUBJECTS for place in of] for of in ([3, 2, 1, 0], [1, 0, 2, 1])
    )
    errors, grams = files(tmp_path, activations, gradients, features=KINDS)
    for path in errors:
        with edited_h5(path) as file:
            names = file["ids/row"].asstr()[()]
            # the gradient of fc1 is constant over the stimuli
            kept = [not name.endswith("fc1/vector/gradient-entropy") for name in names]
            for name in ("errors", "ids/row"):
                values = file[name][()][kept]
                del file[name]
                file[name] = values
    settings = OrderSettings(study_seed=1, interval=0.95, hierarchy=ROIS, depths=OF_NETWORK)
    order_table([errors], grams, settings, tmp_path / "order.csv")
    value = read_csv(tmp_path / "order.csv").set_index("features")["value"]
    assert value["activations"] == pytest.approx(-1)
    assert value[BETWEEN] == pytest.approx(spearmanr(range(4), [1, 0, 2, 1])[0] + 1)


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
