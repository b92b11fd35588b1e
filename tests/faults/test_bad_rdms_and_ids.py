"""Planted faults in features, RDM files, ids, draws and logs: each gets an error that names it."""

import tracemalloc
from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest

import score_settings
from rulealign.arm import Arm
from rulealign.errors import ConfigurationError, DataError, GuardError, StoreError
from rulealign.learning.tables import LoggedNetwork, training_table
from rulealign.plan.settings.scores import CeilingSettings, ModelRdmSettings, ScoreSettings
from rulealign.rsa.alignment import align
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman, resample_counts
from rulealign.rsa.ceiling_table import roi_ceiling
from rulealign.rsa.compare import spearman_matrix
from rulealign.rsa.model_rdms import read_model_rdms
from rulealign.rsa.rdm import (
    correlation_rdm,
    mean_vector_share,
    write_brain_rdm,
    write_model_rdms,
)
from rulealign.rsa.tables import alignment_table
from rulealign.settings import Settings
from rulealign.store import write_h5

N = 8
IDS = [f"image_{place:02d}" for place in range(N)]
SCORES = ScoreSettings(study_seed=1, bootstrap_draws=20, interval=0.9, pairs="all")
TABLE = score_settings.table({"bp": [42], "fa": [42]}, SCORES)
ABOUT = {"roi": "IT", "distance": "1 - Pearson", "acquisition": "3T", "repetitions": 1}


def features(seed, n=N):
    return np.random.default_rng(seed).random((n, 20))


def model(folder, ids=IDS, layer="conv1", centring=("centred",), **changed):
    """Write one network's activations and RDMs the way the pipeline does."""
    keys = {
        "network": "cnn3",
        "rule": "bp",
        "seed": 42,
        "epoch": 0,
        "stimuli": "grey",
        "size": 32,
    } | changed
    name = "_".join(map(str, keys.values()))
    activations, output = folder / f"{name}_activations.h5", folder / f"{name}.h5"
    arrays = {f"{layer}/vector": features(keys["seed"], len(ids))}
    write_h5(activations, arrays, ids={"stimulus": ids}, settings={}, attributes=keys)
    write_model_rdms(activations, output, ModelRdmSettings(centring=list(centring)))
    return output


def brain(folder, subject, ids=IDS, file=None, **changed):
    output = folder / f"sub-{file or subject}_rdm.h5"
    patterns = features(100 + int(file or subject), len(ids))
    rdm = correlation_rdm(patterns, centred=False, ids=ids)
    write_brain_rdm(ids, rdm, output, settings=Settings(), subject=subject, **(ABOUT | changed))
    return output


def run(folder, models, brains, rule="bp", roi="IT", **changed):
    table = folder / f"rule-{rule}_roi-IT.csv"
    draws = table.with_name(f"{table.stem}_draws.h5")
    align(
        models,
        brains,
        Arm("cnn3", rule),
        roi,
        score_settings.alignment(SCORES, **changed),
        table,
        draws,
    )
    return table, draws


@pytest.fixture
def brains(tmp_path):
    """Give two subjects' RDM files."""
    return [brain(tmp_path, subject) for subject in ("1", "2")]


def plant(path, dataset, change):
    with h5py.File(path, "r+") as file:
        array = file[dataset][()]
        change(array)
        file[dataset][...] = array


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_feature_that_is_not_finite_names_its_stimulus(value):
    x = features(0)
    x[3, 5] = value
    with pytest.raises(DataError, match="image_03"):
        correlation_rdm(x, centred=False, ids=IDS)


@pytest.mark.parametrize("level", [0.0, 0.1])
def test_a_stimulus_that_excites_all_features_alike_is_named(level):
    x = features(0)
    x[5] = level
    with pytest.raises(DataError, match=r"image_05.*all equal"):
        correlation_rdm(x, centred=False, ids=IDS)


def test_stimuli_that_are_all_the_same_have_no_centred_rdm():
    with pytest.raises(DataError, match="after centring"):
        correlation_rdm(np.tile(features(0)[0], (N, 1)), centred=True, ids=IDS)


def test_stimuli_that_are_all_the_same_have_no_share_of_the_mean():
    with pytest.raises(DataError, match="no variance"):
        mean_vector_share(np.tile(features(0)[0], (N, 1)))


def test_a_single_feature_is_refused():
    with pytest.raises(DataError, match="single feature"):
        correlation_rdm(features(0)[:, :1], centred=True, ids=IDS)


def test_features_of_another_number_of_stimuli_than_ids_are_refused():
    with pytest.raises(DataError, match="8 stimulus ids"):
        correlation_rdm(features(0)[:7], centred=True, ids=IDS)


def test_an_activations_file_with_a_dead_layer_is_named(tmp_path):
    path = model(tmp_path).with_name("cnn3_bp_42_0_grey_32_activations.h5")
    plant(path, "conv1/vector", lambda array: array.fill(0))
    with pytest.raises(DataError, match=r"activations\.h5: conv1/vector: .*image_00"):
        write_model_rdms(path, tmp_path / "rdm.h5", ModelRdmSettings(centring=["uncentred"]))
    assert not (tmp_path / "rdm.h5").exists()


def test_an_unknown_centring_is_named(tmp_path):
    settings = ModelRdmSettings(centring=["centered"])
    with pytest.raises(ConfigurationError, match="centered"):
        write_model_rdms(tmp_path / "none.h5", tmp_path / "rdm.h5", settings)


@pytest.mark.parametrize(
    ("rdm", "message"),
    [
        (np.ones(27), r"shape \(27,\), but 8 stimuli have 28 pairs"),
        (np.where(np.arange(28) == 5, np.nan, 1), "NaN"),
    ],
)
def test_a_brain_rdm_of_another_size_or_with_nan_names_subject_and_roi(tmp_path, rdm, message):
    with pytest.raises(DataError, match=f"subject 3, ROI IT.*{message}"):
        write_brain_rdm(IDS, rdm, tmp_path / "rdm.h5", settings=Settings(), subject="3", **ABOUT)
    assert not (tmp_path / "rdm.h5").exists()


def test_sound_files_are_aligned(tmp_path, brains):
    table, _ = run(tmp_path, [model(tmp_path)], brains)
    assert table.exists()


def swapped():
    return [*IDS[:3], IDS[4], IDS[3], *IDS[5:]]


def test_a_model_with_swapped_stimuli_is_refused_at_the_first_difference(tmp_path, brains):
    with pytest.raises(DataError, match=r"place 3 'image_04' and 'image_03'"):
        run(tmp_path, [model(tmp_path, ids=swapped())], brains)


def test_one_model_of_many_with_swapped_stimuli_is_refused(tmp_path, brains):
    models = [model(tmp_path), model(tmp_path, ids=swapped(), seed=7)]
    with pytest.raises(DataError, match=r"bp_7_0_grey_32\.h5 .*place 3 'image_03' and 'image_04'"):
        run(tmp_path, models, brains)


def test_a_subject_with_swapped_stimuli_is_refused(tmp_path, brains):
    brains.append(brain(tmp_path, "3", ids=swapped()))
    with pytest.raises(DataError, match=r"sub-3_rdm\.h5 .*place 3"):
        run(tmp_path, [model(tmp_path)], brains)


def test_another_number_of_stimuli_is_refused(tmp_path, brains):
    with pytest.raises(DataError, match="has 7 ids, .* has 8"):
        run(tmp_path, [model(tmp_path, ids=IDS[:7])], brains)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_brain_rdm_that_is_not_finite_names_the_file(tmp_path, brains, value):
    plant(brains[1], "rdm", lambda array: array.__setitem__(4, value))
    with pytest.raises(DataError, match=r"sub-2_rdm\.h5 .*NaN or infinite"):
        run(tmp_path, [model(tmp_path)], brains)


def test_a_constant_brain_rdm_names_the_file(tmp_path, brains):
    plant(brains[0], "rdm", lambda array: array.fill(0.5))
    with pytest.raises(DataError, match=r"sub-1_rdm\.h5 is constant"):
        run(tmp_path, [model(tmp_path)], brains)


def test_a_constant_model_rdm_names_file_and_dataset(tmp_path, brains):
    path = model(tmp_path)
    plant(path, "conv1/vector/centred", lambda array: array.fill(1))
    with pytest.raises(DataError, match=r"32\.h5: conv1/vector/centred is constant"):
        run(tmp_path, [path], brains)


def test_an_rdm_of_another_size_than_its_ids_is_refused(tmp_path, brains):
    path = tmp_path / "short.h5"
    attributes = {
        "network": "cnn3",
        "rule": "bp",
        "seed": 1,
        "epoch": 0,
        "stimuli": "grey",
        "size": 32,
    }
    arrays = {"conv1/vector/centred": np.arange(27.0)}
    write_h5(path, arrays, ids={"stimulus": IDS}, settings={}, attributes=attributes)
    with pytest.raises(DataError, match=r"short\.h5: conv1/vector/centred: .*28 pairs"):
        run(tmp_path, [path], brains)


def test_a_file_of_another_rule_is_refused(tmp_path, brains):
    with pytest.raises(GuardError, match=r"of cnn3 by fa, not of cnn3 by bp"):
        run(tmp_path, [model(tmp_path), model(tmp_path, rule="fa")], brains)


def test_the_same_networks_twice_are_refused(tmp_path, brains):
    path = model(tmp_path)
    copy = tmp_path / "copy.h5"
    copy.write_bytes(path.read_bytes())
    with pytest.raises(DataError, match="bp_42_0_grey_32_conv1_vector_centred"):
        run(tmp_path, [path, copy], brains)


def test_networks_that_lack_a_layer_are_refused(tmp_path, brains):
    models = [model(tmp_path), model(tmp_path, seed=7, layer="conv2")]
    with pytest.raises(DataError, match="only one of them has conv1/vector/centred"):
        run(tmp_path, models, brains)


def test_model_rdms_of_different_settings_are_refused(tmp_path, brains):
    models = [model(tmp_path), model(tmp_path, seed=7, centring=["uncentred"])]
    with pytest.raises(GuardError, match="different settings"):
        run(tmp_path, models, brains)


@pytest.mark.parametrize(
    "changed",
    [{"distance": "crossnobis"}, {"roi": "V1"}, {"repetitions": 12}, {"acquisition": "7T"}],
)
def test_subjects_measured_differently_are_not_mixed(tmp_path, brains, changed):
    brains.append(brain(tmp_path, "3", **changed))
    with pytest.raises(GuardError, match=rf"sub-3_rdm\.h5 .*{next(iter(changed))}"):
        run(tmp_path, [model(tmp_path)], brains)


def test_files_of_another_roi_than_asked_for_are_refused(tmp_path, brains):
    with pytest.raises(GuardError, match="of the ROI 'IT', not 'V1'"):
        run(tmp_path, [model(tmp_path)], brains, roi="V1")


def test_a_subject_counted_twice_is_refused(tmp_path, brains):
    brains.append(brain(tmp_path, "2", file="9"))
    with pytest.raises(DataError, match="'2' appears twice"):
        run(tmp_path, [model(tmp_path)], brains)


def test_a_truncated_file_is_named(tmp_path, brains):
    brains[1].write_bytes(brains[1].read_bytes()[:2000])
    with pytest.raises(StoreError, match=r"sub-2_rdm\.h5"):
        run(tmp_path, [model(tmp_path)], brains)


def test_a_file_that_is_no_rdm_file_is_named(tmp_path, brains):
    brains[0] = tmp_path / "cnn3_bp_42_0_grey_32_activations.h5"
    path = model(tmp_path)
    with pytest.raises(StoreError, match=r"activations\.h5: lacks the attribute 'subject'"):
        run(tmp_path, [path], brains)


def test_a_ceiling_of_another_roi_is_refused(tmp_path, brains):
    settings = CeilingSettings(study_seed=1, null_draws=20, interval=0.9, pairs="all")
    with pytest.raises(GuardError, match="is of the ROI 'IT', not 'V1'"):
        roi_ceiling(brains, "V1", settings, tmp_path / "ceiling.csv")


def test_rdms_of_different_numbers_of_pairs_are_not_correlated():
    with pytest.raises(DataError, match="6 pairs, the brains' 10"):
        spearman_matrix(np.arange(6.0), np.arange(10.0))


def test_a_resample_of_too_few_different_stimuli_is_refused():
    with pytest.raises(DataError, match=r"3 stimuli are too few for 50 resamples: \d+ of these"):
        resample_counts(3, draws=50, seed=1)


def test_an_rdm_that_is_constant_in_a_resample_is_named():
    # only the pairs of stimulus 3 stand out, and the resample lacks it
    rdms = np.stack([np.arange(6.0), np.array([1, 1, 2, 1, 2, 2.0])])
    counts = np.array([[1, 1, 1, 1], [2, 1, 1, 0]])
    with pytest.raises(DataError, match="model RDM 1 is constant over the pairs of resample 1"):
        bootstrap_spearman(rdms, np.arange(6.0)[::-1], counts)
    with pytest.raises(DataError, match="brain RDM 1 is constant over the pairs of resample 1"):
        bootstrap_spearman(rdms[0], rdms, counts)


@pytest.fixture
def two_rules(tmp_path, brains):
    """Give a function that aligns bp and fa, fa with changed settings or seed."""

    def make(seed=42, **changed):
        one = run(tmp_path, [model(tmp_path)], brains)
        other = run(tmp_path, [model(tmp_path, rule="fa", seed=seed)], brains, rule="fa", **changed)
        return zip(one, other, strict=True)

    return make


@pytest.mark.parametrize(
    "changed", [{"study_seed": 2}, {"bootstrap_draws": 30}, {"interval": 0.85}]
)
def test_draws_of_different_settings_are_not_mixed(tmp_path, two_rules, changed):
    tables, draws = two_rules(**changed)
    key = next(iter(changed))
    for settings in (TABLE, replace(TABLE, **changed)):
        with pytest.raises(GuardError, match=rf"(?s)rule-.*_draws\.h5.*{key}.*rule-.*_draws\.h5"):
            alignment_table(tables, draws, settings, tmp_path / "alignment.csv")


def test_draws_of_other_settings_than_the_study_are_refused(tmp_path, two_rules):
    with pytest.raises(GuardError, match="the study has 9"):
        alignment_table(*two_rules(), replace(TABLE, study_seed=9), tmp_path / "alignment.csv")


def test_draws_beside_another_table_are_refused(tmp_path, two_rules):
    tables, draws = two_rules()
    with pytest.raises(DataError, match="at place 0 'cnn3_bp_42.*fa_42"):
        alignment_table(tables, draws[::-1], TABLE, tmp_path / "alignment.csv")


def test_a_table_listed_twice_is_refused(tmp_path, two_rules):
    (table, _), (draw, _) = two_rules()
    with pytest.raises(DataError, match="list each table once"):
        alignment_table([table] * 2, [draw] * 2, TABLE, tmp_path / "alignment.csv")


def test_a_rule_with_other_seeds_than_the_study_says_is_refused(tmp_path, two_rules):
    with pytest.raises(DataError, match=r"fa_0.* has the seeds \[7\], the study has \[42\] for"):
        alignment_table(*two_rules(seed=7), TABLE, tmp_path / "alignment.csv")


def test_a_rule_may_have_fewer_seeds_where_the_study_says_so(tmp_path, two_rules):
    fewer = replace(TABLE, seeds={"cnn3": {"bp": [42], "fa": [7]}})
    alignment_table(*two_rules(seed=7), fewer, tmp_path / "alignment.csv")
    assert set(pd.read_csv(tmp_path / "alignment.csv")["n_seeds"]) == {1}


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("1,0.1,2.0,0.5,9\n", "0 lines of epoch 2"),
        ("2,0.1,2.0,0.5,9\n2,0.1,2.0,0.5,9\n", "2 lines of epoch 2"),
        ("2,0.1,2.0,,9\n", "held_out_accuracy is nan"),
        ("2,0.1,2.0,55,9\n", "held_out_accuracy is 55"),
        ("2,0.1,,0.5,9\n", "loss of epoch 2 is nan"),
        ("2,0.1,2.0,0.5,\n", "held_out_images is nan"),
    ],
)
def test_an_incomplete_training_log_is_named(tmp_path, lines, what):
    log = tmp_path / "rule-bp_log.csv"
    log.write_text("epoch,learning_rate,loss,held_out_accuracy,held_out_images\n" + lines)
    known = LoggedNetwork("cnn3", "bp", "bp", "default", 42, 2, True)
    with pytest.raises(DataError, match=rf"rule-bp_log\.csv: .*{what}"):
        training_table([log], [known], tmp_path / "training.csv")


def test_an_rdm_that_differs_by_rounding_only_is_constant():
    # patterns that are all equally far from each other
    equal = correlation_rdm(np.eye(20) * 3.7 + 0.1, centred=False, ids=[str(n) for n in range(20)])
    assert len(set(equal)) > 1
    fine = np.random.default_rng(0).random(len(equal))
    with pytest.raises(DataError, match="brain RDM 0 is constant over the pairs compared"):
        spearman_matrix(fine, equal)
    with pytest.raises(DataError, match="model RDM 0 is constant over the pairs compared"):
        spearman_matrix(equal, fine)
    # a difference that is small, and no rounding
    assert spearman_matrix(1 + 1e-3 * fine, fine) == pytest.approx(1, abs=1e-6)


def test_a_brain_rdm_that_is_constant_over_the_pairs_compared_is_named(tmp_path, brains):
    n_pairs = N * (N - 1) // 2
    mask = np.arange(n_pairs) % 3 > 0
    pairs = tmp_path / "pairs.h5"
    write_h5(pairs, {"cross_run": mask}, ids={"stimulus": IDS}, settings={}, attributes={})
    with h5py.File(brains[1], "r+") as file:
        file["rdm"][...] = np.where(mask, 0.5, np.arange(n_pairs))
    settings = score_settings.alignment(SCORES, pairs="cross_run")
    outputs = tmp_path / "a.csv", tmp_path / "a.h5"
    with pytest.raises(DataError, match="^IT of 2 is constant over the pairs compared"):
        align([model(tmp_path)], brains, Arm("cnn3", "bp"), "IT", settings, *outputs, pairs)
    ceiling = CeilingSettings(study_seed=5, null_draws=40, interval=0.95, pairs="cross_run")
    with pytest.raises(DataError, match="noise ceiling of IT: IT of 2 is constant over the pairs"):
        roi_ceiling(brains, "IT", ceiling, tmp_path / "c.csv", pairs)


def test_rdms_are_read_into_one_array_and_no_copies(tmp_path):
    n, seeds = 80, range(30)
    ids = [f"image_{place:02d}" for place in range(n)]
    files = [model(tmp_path, ids, seed=seed, centring=("centred", "uncentred")) for seed in seeds]
    read_model_rdms(files[:1], Arm("cnn3", "bp"))
    tracemalloc.start()
    read = read_model_rdms([*files[7:], *files[:7]], Arm("cnn3", "bp"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * read.rdms.nbytes
    assert read.index["seed"].tolist() == [seed for seed in seeds for _ in range(2)]
    for place, row in read.index.iterrows():
        with h5py.File(files[row["seed"]]) as file:
            own = file[f"{row['layer']}/{row['descriptor']}/{row['centring']}"][()]
        np.testing.assert_array_equal(read.rdms[place], own)
