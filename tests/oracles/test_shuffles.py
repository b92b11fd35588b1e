"""Scores with shuffled stimuli against shuffling the brain's RDM by hand."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import rankdata, spearmanr

from rulealign.arm import Arm
from rulealign.claims.universes.scores import KEYS, score_universes
from rulealign.claims.universes.shuffles import shuffled_orders, shuffled_rdms
from rulealign.store import read_csv
from universe_files import (
    PAIRS,
    PLAIN,
    SETTINGS,
    N,
    brain_file,
    control_file,
    model_file,
    pairs_file,
)

SHUFFLES, SUBJECTS = 53, (1, 2, 3)  # more than one batch
ANALYSES = [
    PLAIN,
    PLAIN | {"convention": "mean_rdm"},
    PLAIN | {"control": "pixels"},
    PLAIN | {"pairs": "cross_run"},
]
MASK = np.random.default_rng(4).random(PAIRS) < 0.8


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shuffles")
    models = [model_file(folder, seed, 0, "grey", 16) for seed in (1, 2)]
    brains = [brain_file(folder, subject) for subject in SUBJECTS]
    pairs = pairs_file(folder / "pairs.h5", MASK)
    settings = replace(SETTINGS, shuffles=SHUFFLES, layers=["conv1"])
    for goal, analyses in (("stimuli", ANALYSES), ("both", [PLAIN])):
        told = replace(settings, generalise_to=goal, analyses=analyses)
        outputs = folder / f"{goal}.csv", folder / f"{goal}.h5"
        files = models, brains, [control_file(folder, "grey", 16)]
        score_universes(*files, Arm("cnn3", "bp"), "V1", told, *outputs, pairs)
    rdms = []
    for path in brains:
        with h5py.File(path) as file:
            rdms.append(file["rdm"][()])
    return folder, np.array(rdms)


def shuffles(folder, goal):
    with h5py.File(folder / f"{goal}.h5") as file:
        return dict(zip(file["ids/row"].asstr(), file["shuffles"][()].T, strict=True))


def by_hand(brain, order):
    square = squareform(brain)
    return square[np.ix_(order, order)][np.triu_indices(N, 1)]


def test_an_rdm_is_permuted_as_rows_and_columns_of_its_square():
    orders = shuffled_orders(1, N, 4)
    rdms = np.random.default_rng(0).random((2, PAIRS))
    expected = [by_hand(rdm, order) for order in orders for rdm in rdms]
    np.testing.assert_array_equal(shuffled_rdms(rdms, orders), expected)
    assert (np.sort(orders) == np.arange(N)).all()
    assert len({tuple(order) for order in orders}) == 4


@pytest.mark.parametrize("analysis", ANALYSES, ids=str)
def test_every_shuffle_equals_scipy_on_the_permuted_rdm(made, analysis):
    folder, brains = made
    table, found = read_csv(folder / "stimuli.csv"), shuffles(folder, "stimuli")
    asked = table[(table[list(analysis)] == list(analysis.values())).all(axis=1)]
    row = asked[(asked["seed"] == 2) & (asked["descriptor"] == "grid-8")].iloc[0]
    with h5py.File(folder / "rule-bp_seed-2_epoch-0_stim-grey_px-16.h5") as file:
        model = file[f"conv1/grid-8/{row.centring}"][()].astype(float)
    with h5py.File(folder / "controls_stim-grey_px-16.h5") as file:
        pixels = file[f"pixels/image/{row.centring}"][()].astype(float)
    kept = MASK if row.pairs == "cross_run" else np.ones(PAIRS, bool)
    theirs = brains if row.convention == "per_subject" else [brains.mean(axis=0)]
    orders = shuffled_orders(SETTINGS.study_seed, N, SHUFFLES)

    def partial(one, other):
        ranks = [rankdata(values[kept]) for values in (one, other, pixels)]
        a, b, c = (values - values.mean() for values in ranks)
        a, b = a - c * (a @ c) / (c @ c), b - c * (b @ c) / (c @ c)
        return a @ b / np.sqrt((a @ a) * (b @ b))

    def plain(one, other):
        return spearmanr(one[kept], other[kept]).statistic

    compare = plain if row.control == "none" else partial
    expected = [
        np.mean([compare(model, by_hand(one, order)) for one in theirs]) for order in orders
    ]
    name = "_".join(str(row[key]) for key in KEYS)
    np.testing.assert_allclose(found[name], expected, atol=1e-6)


def test_they_are_the_same_where_the_study_generalises_to_subjects(made):
    folder, _ = made
    one, other = (shuffles(folder, goal) for goal in ("stimuli", "both"))
    assert other
    for name, values in other.items():
        np.testing.assert_allclose(values, one[name], atol=1e-6)
