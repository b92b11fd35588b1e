"""Faults planted into the files that universes are scored from: each is named with its file."""

from dataclasses import replace

import numpy as np
import pytest

from rulealign.arm import Arm
from rulealign.claims.universes.scores import score_universes
from rulealign.errors import ConfigurationError, DataError, GuardError
from rulealign.store import read_csv
from universe_files import (
    IDS,
    PAIRS,
    PLAIN,
    SETTINGS,
    brain_file,
    control_file,
    model_file,
    model_files,
    pairs_file,
)

SMALL = replace(SETTINGS, bootstrap_draws=20)
SETS = {"seeds": (1,), "epochs": (0, 3), "stimuli": ("grey",), "sizes": (16, 32)}
PARTIAL = [PLAIN | {"control": "silhouette"}]


def swapped(ids):
    return [*ids[:3], ids[4], ids[3], *ids[5:]]


def score(folder, models, brains=None, controls=(), pairs=None, **settings):
    brains = brains or [brain_file(folder, subject) for subject in (1, 2, 3)]
    outputs = folder / "t.csv", folder / "t.h5"
    try:
        told = replace(SMALL, **settings)
        score_universes(models, brains, controls, Arm("cnn3", "bp"), "V1", told, *outputs, pairs)
    except Exception:
        assert not any(path.exists() for path in outputs)  # whole or not at all
        raise
    return read_csv(outputs[0])


def test_what_is_sound_is_scored(tmp_path):
    table = score(tmp_path, model_files(tmp_path, **SETS))
    assert len(table) == 4 * 2 * 3
    assert table["score"].notna().all()


def test_fewer_draws_than_the_interval_allows_are_refused(tmp_path):
    words = "interval of 0.9 needs at least 20 draws, not 19; raise statistics.bootstrap_draws"
    with pytest.raises(DataError, match=words):
        score(tmp_path, model_files(tmp_path, **SETS), bootstrap_draws=19)


def test_other_stimuli_or_another_order(tmp_path):
    models = model_files(tmp_path, **SETS)
    models[2] = model_file(tmp_path, 1, 3, "grey", 16, ids=swapped(IDS))
    with pytest.raises(DataError, match="epoch-3.*px-16.*at place 3 'image_04' and 'image_03'"):
        score(tmp_path, models)


def test_controls_of_other_stimuli(tmp_path):
    models = model_files(tmp_path, **SETS)
    controls = [control_file(tmp_path, "grey", size, ids=swapped(IDS)) for size in (16, 32)]
    with pytest.raises(DataError, match="controls_stim-grey_px-16.*at place 3"):
        score(tmp_path, models, controls=controls, analyses=PARTIAL)


def test_a_control_file_that_is_missing_for_a_size(tmp_path):
    models, controls = model_files(tmp_path, **SETS), [control_file(tmp_path, "grey", 16)]
    with pytest.raises(DataError, match="holds controls of the stimuli 'grey' at 32 px"):
        score(tmp_path, models, controls=controls, analyses=PARTIAL)
    with pytest.raises(DataError, match="no control RDM files"):
        score(tmp_path, models, analyses=PARTIAL)


def test_a_control_that_nobody_computed(tmp_path):
    models = model_files(tmp_path, **SETS)
    controls = [control_file(tmp_path, "grey", size) for size in (16, 32)]
    with pytest.raises(DataError, match="px-16.*holds no control 'contrast'"):
        score(tmp_path, models, controls=controls, analyses=[PLAIN | {"control": "contrast"}])


def test_the_file_of_another_rule_roi_or_setting(tmp_path):
    models = model_files(tmp_path, **SETS)
    other = model_file(tmp_path, 1, 3, "grey", 32, rule="fa")
    with pytest.raises(GuardError, match="rule-fa.*is of cnn3 by fa, not of cnn3 by bp"):
        score(tmp_path, [*models[:3], other])
    with pytest.raises(GuardError, match="sub-1_roi-IT.*is of the ROI 'IT', not 'V1'"):
        score(tmp_path, models, [brain_file(tmp_path, subject, "IT") for subject in (1, 2)])
    models[3] = model_file(tmp_path, 1, 3, "grey", 32, settings={"centring": ["centred"]})
    with pytest.raises(GuardError, match="epoch-0.*px-16.*epoch-3.*px-32.*different settings"):
        score(tmp_path, models)


def test_a_network_that_is_missing_or_listed_twice(tmp_path):
    models = model_files(tmp_path, **SETS)
    with pytest.raises(DataError, match="no file of cnn3 by bp, seed 1, epoch 3 .*'grey' at 32 px"):
        score(tmp_path, models[:3])
    with pytest.raises(DataError, match="epoch-0_stim-grey_px-16.h5' appears twice"):
        score(tmp_path, [*models, models[0]])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"layers": ["conv3"]}, "no RDM of the layer 'conv3' with the descriptor"),
        ({"descriptors": ["grid-4"]}, "layer 'conv1' with the descriptor 'grid-4'"),
        ({"centring": ["ranked"]}, "layer 'conv1' with the centring 'ranked'"),
    ],
)
def test_a_layer_descriptor_or_centring_that_is_not_there(tmp_path, changed, said):
    with pytest.raises(
        DataError, match=f"px-16.h5: has no RDM of the .*{said.split('the ', 1)[-1]}"
    ):
        score(tmp_path, model_files(tmp_path, **SETS), **changed)


def test_a_constant_rdm_is_no_score_of_0(tmp_path):
    models = model_files(tmp_path, **SETS)
    flat = {"conv1/grid-8/centred": np.full(PAIRS, 0.5, np.float32)}
    models[3] = model_file(tmp_path, 1, 3, "grey", 32, rdms=flat)
    with pytest.raises(DataError, match="epoch-3.*px-32.h5: conv1/grid-8/centred.*constant"):
        score(tmp_path, models)


def test_an_rdm_that_is_constant_over_a_resample_is_named_by_its_keys(tmp_path):
    rdm = np.full(PAIRS, 0.5, np.float32)
    rdm[0] = 1  # the pair of the first two stimuli: not in every resample
    models = model_files(tmp_path, **SETS)
    models[3] = model_file(tmp_path, 1, 3, "grey", 32, rdms={"conv1/grid-8/centred": rdm})
    with pytest.raises(
        DataError, match="^cnn3_bp_1_3_grey_32_conv1_grid-8_centred is .* the pairs of"
    ):
        score(tmp_path, models)
    for change in ({"comparison": "kendall_tau_a"}, {"convention": "mean_rdm"}):
        with pytest.raises(
            DataError, match="^cnn3_bp_1_3_grey_32_conv1_grid-8_centred is .* the pairs"
        ):
            score(tmp_path, models, analyses=[PLAIN, PLAIN | change])


def test_a_control_that_is_the_model_leaves_nothing_of_it_and_stops_the_run(tmp_path):
    models = model_files(tmp_path, **SETS)
    controls = [control_file(tmp_path, "grey", 16)]
    same = np.random.default_rng(1).random(PAIRS).astype(np.float32)
    controls.append(control_file(tmp_path, "grey", 32, silhouette=same))
    models[3] = model_file(tmp_path, 1, 3, "grey", 32, rdms={"conv1/grid-8/centred": same})
    named = "^cnn3_bp_1_3_grey_32_conv1_grid-8_centred, in draw 0: the controls leave"
    with pytest.raises(DataError, match=named):
        score(tmp_path, models, controls=controls, analyses=PARTIAL)


def test_a_control_that_is_constant_over_a_resample_stops_the_run(tmp_path):
    rdm = np.full(PAIRS, 0.5, np.float32)
    rdm[0] = 1  # the pair of the first two stimuli: not in every resample
    controls = [control_file(tmp_path, "grey", 16), control_file(tmp_path, "grey", 32)]
    controls[1] = control_file(tmp_path, "grey", 32, silhouette=rdm)
    models = model_files(tmp_path, **SETS)
    with pytest.raises(DataError, match="^the control silhouette is constant over the pairs of"):
        score(tmp_path, models, controls=controls, analyses=PARTIAL)


def test_pairs_in_different_runs_without_a_file_or_of_other_stimuli(tmp_path):
    models, cross = model_files(tmp_path, **SETS), [PLAIN | {"pairs": "cross_run"}]
    with pytest.raises(ConfigurationError, match="'cross_run' needs a file of the pairs"):
        score(tmp_path, models, analyses=cross)
    path = pairs_file(tmp_path / "pairs.h5", np.ones(PAIRS, dtype=bool), ids=swapped(IDS))
    with pytest.raises(DataError, match="pairs.h5 have different ids: at place 3"):
        score(tmp_path, models, pairs=path, analyses=cross)


def test_a_comparison_that_does_not_exist_and_no_analysis_at_all(tmp_path):
    models = model_files(tmp_path, **SETS)
    with pytest.raises(ConfigurationError, match="comparison 'manhattan'"):
        score(tmp_path, models, analyses=[PLAIN | {"comparison": "manhattan"}])
    with pytest.raises(DataError, match="t.csv: no analysis is asked for"):
        score(tmp_path, models, analyses=[])
