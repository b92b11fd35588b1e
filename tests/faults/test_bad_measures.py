"""Planted faults in what measures are computed from, and in what they are held against."""

import h5py
import numpy as np
import pytest

import measured_files as made
from edited_h5 import edited_h5
from rulealign.arm import Arm
from rulealign.claims.as_encoded import require_as_encoded
from rulealign.claims.measures import measure_class
from rulealign.claims.scores import read_universe_scores, require_shared
from rulealign.errors import DataError, GuardError
from rulealign.plan.settings.scores import SignalRdmSettings
from rulealign.rsa.signal_rdms import require_features, write_signal_rdms

ENCODING, CKA = made.settings("encoding", "gradient"), made.settings("cka", "gradient")


def features(seed, epoch):
    rng = np.random.default_rng([seed, epoch])
    return {name: rng.normal(size=(made.N, 8)) for name in ("activations", "gradient")}


@pytest.fixture
def world(tmp_path):
    rng = np.random.default_rng(0)
    files = made.write_networks(tmp_path, features, (1, 2))
    return files, made.write_brain(tmp_path, rng.normal(size=(2, made.N, 9)))


def refused(folder, world, error, message, told=CKA, arm=made.ARM):
    files, brain = world
    with pytest.raises(error, match=message):
        made.write_measured(folder, files, brain, told, arm=arm)


def test_features_of_another_rule_are_refused(tmp_path, world):
    refused(
        tmp_path, world, GuardError, r"is of cnn3 by bp, not of cnn3 by fa", arm=Arm("cnn3", "fa")
    )


@pytest.mark.parametrize("told", [ENCODING, CKA])
def test_features_in_another_order_of_stimuli_are_refused(tmp_path, world, told):
    for path in world[0]["gradient"]:
        with edited_h5(path) as file:
            names = file["ids/stimulus"][()]
            names[[3, 4]] = names[[4, 3]]
            file["ids/stimulus"][...] = names
    refused(tmp_path, world, DataError, r"signals\.h5.*the brain RDMs.*image_0[34]", told)


def test_folds_of_other_stimuli_are_refused(tmp_path, world):
    with edited_h5(world[1][1]) as file:
        names = file["ids/stimulus"][()]
        names[[3, 4]] = names[[4, 3]]
        file["ids/stimulus"][...] = names
    refused(tmp_path, world, DataError, r"gram\.h5")


def test_a_network_without_the_layer_is_named(tmp_path, world):
    with edited_h5(world[0]["gradient"][1]) as file:
        del file["conv1/grid-8/gradient-own-decision"]
        file["conv2/grid-8/gradient-own-decision"] = np.ones((made.N, 3))
    refused(tmp_path, world, DataError, r"no gradient-own-decision of 2_0_grey_32_conv1_grid-8")


def test_features_that_are_constant_are_a_reason_and_no_score(tmp_path, world):
    with edited_h5(world[0]["gradient"][0]) as file:
        file["conv1/grid-8/gradient-own-decision"][...] = 1.0
    table, draws = made.write_measured(tmp_path, *world, ENCODING)
    rows = read_universe_scores(table, draws).rows.reset_index().set_index("seed")
    assert rows.loc[1, "reason"].str.contains("every feature is constant").all()
    assert rows.loc[2, "score"].notna().all()


def test_rdms_of_other_features_are_refused(tmp_path, world):
    about = SignalRdmSettings(centring=["centred"], dataset="gradient-own-decision")
    write_signal_rdms(world[0]["gradient"][0], tmp_path / "rdms.h5", about)
    require_features([tmp_path / "rdms.h5"], "gradient-own-decision")
    with pytest.raises(GuardError, match=r"rdms\.h5: is of 'gradient-own-decision', not of 'tea"):
        require_features([tmp_path / "rdms.h5"], "teaching")
    about = SignalRdmSettings(centring=["centred"], dataset="teaching")
    with pytest.raises(DataError, match=r"signals\.h5: has no signals 'teaching'"):
        write_signal_rdms(world[0]["gradient"][0], tmp_path / "rdms.h5", about)


@pytest.fixture
def scored(tmp_path, world):
    read = [
        read_universe_scores(*made.write_measured(tmp_path, *world, told))
        for told in (ENCODING, CKA)
    ]
    return read, made.write_encoded(tmp_path, *world)


def test_scores_are_those_of_the_encoding_arm(scored):
    read, errors = scored
    require_as_encoded(read, [errors])


@pytest.mark.parametrize("goal", ["stimuli", "both"])
def test_draws_that_have_lost_what_stimuli_do_in_pairs_are_refused(tmp_path, world, goal):
    told = made.settings("encoding", "gradient", ("per_subject",), goal=goal)
    if goal == "both":
        files, _ = world
        rng = np.random.default_rng(0)
        world = files, made.write_brain(tmp_path, rng.normal(size=(3, made.N, 9)))
    table, draws = made.write_measured(tmp_path, *world, told)
    name = "mutual" if goal == "stimuli" else "subject_mutual"
    with edited_h5(draws) as file:
        file[name][...] = np.nan
    with pytest.raises(DataError, match=f"_draws.h5: {name} has a number that is NaN"):
        read_universe_scores(table, draws)
    with edited_h5(draws) as file:
        del file[name]
    with pytest.raises(DataError, match=f"_draws.h5: {name} is not there, and should be"):
        read_universe_scores(table, draws)


@pytest.mark.parametrize(("array", "measure"), [("errors", "encoding"), ("cka", "cka")])
def test_a_score_that_the_encoding_arm_does_not_have_is_refused(scored, array, measure):
    read, path = scored
    with edited_h5(path) as file:
        rows = [name.decode() for name in file["ids/row"][()]]
        own = next(place for place, row in enumerate(rows) if "gradient" in row)
        file[array][own] = file[array][own] * 1.01
    with pytest.raises(GuardError, match=rf"{measure}_gradient.*errors\.h5 have different scores"):
        require_as_encoded(read, [path])


def test_scores_without_encoding_beside_them_are_refused(scored):
    read, path = scored
    with pytest.raises(DataError, match="no errors of encoding"):
        require_as_encoded(read, [])
    with h5py.File(path) as file:
        assert file.attrs["roi"] == "V1"


def test_draws_of_other_resamples_are_refused(tmp_path, world):
    read = [
        read_universe_scores(*made.write_measured(tmp_path, *world, told))
        for told in (ENCODING, made.settings("cka", "activations"))
    ]
    require_shared(read, ENCODING)
    read[1].made_with["study_seed"] = 4
    with pytest.raises(GuardError, match=r"cka_activations.*study_seed = 4"):
        require_shared(read, ENCODING)


def test_every_measure_has_words_and_says_which_axes_do_not_apply():
    for name in ("rsa", "encoding", "cka"):
        measure = measure_class(name)
        assert measure.words.startswith("by ")
        assert bool(measure.fixed) != measure.of_rdms
