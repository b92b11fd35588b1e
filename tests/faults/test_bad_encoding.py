"""Encoding that cannot be done is refused: while planning, or by the file that shows it."""

import dataclasses

import numpy as np
import pytest

from complete_studies import complete
from rulealign.arm import Arm
from rulealign.config.load import load_study
from rulealign.encoding.roi_gram import write_roi_gram
from rulealign.errors import ConfigurationError, DataError
from rulealign.plan.settings.encoding import (
    EncodingSettings,
    GramSettings,
    SignalSettings,
    VoxelSettings,
)
from rulealign.rsa.rdm import correlation_rdm, write_brain_rdm
from rulealign.store import open_h5


@pytest.mark.parametrize(
    ("study", "change", "message"),
    [
        ("things_repeats", {}, r"encoding: needs distances that tell .*crossnobis"),
        ("cichy92", {"distance": "rank"}, r"encoding: needs distances .*'rank'; use 'correlation'"),
        ("things", {}, r"encoding: needs all pairs of stimuli, .*'cross_run'; use 'all'"),
    ],
)
def test_brain_data_without_gram_matrices_are_refused_while_planning(
    project, study, change, message
):
    settings = complete(project / f"studies/{study}.yaml") | {"encoding": {}}
    settings["brain"] |= change
    with pytest.raises(ConfigurationError, match=message):
        load_study(settings)


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ({"hierarchy": ["V1"]}, r"encoding.hierarchy: needs 2 ROIs or more"),
        ({"hierarchy": ["V1", "V5"]}, r"encoding.hierarchy: .*'V5'.*brain.rois lists"),
        ({"features": ["teaching"]}, r"encoding.features: no rule of the study has 'teaching'"),
        ({"features": ["gradient"], "losses": ["label"]}, r"encoding.losses"),
        ({"folds": 31}, r"encoding.folds: 31 is more than the 30 stimuli of different concepts"),
        ({"folds": 3, "inner_folds": 21}, r"encoding.inner_folds: 21 is more than the 20 stimuli"),
        ({"voxels": {"least_ceiling": 0}}, r"encoding.voxels.least_ceiling"),
    ],
)
def test_what_the_study_cannot_give_is_refused_while_planning(project, encoding, message):
    settings = complete(project / "workflow_config.yaml") | {"encoding": encoding}
    settings["rules"] = {name: settings["rules"][name] for name in ("untrained", "stdp")}
    with pytest.raises(ConfigurationError, match=message):
        load_study(settings)


def test_errors_of_one_size_are_asked_for_at_that_size_alone(project):
    settings = complete(project / "workflow_config.yaml") | {"encoding": {"features": ["teaching"]}}
    settings["claims"], settings["training"]["fewer_seeds"] = {}, {}
    settings["universes"]["baseline"] = ["own"]
    settings["rules"] = {kind: {"kind": kind, "baseline": None} for kind in ("dfa", "bp")}
    with pytest.raises(ConfigurationError, match=r"features: at 96 pixels rule 'dfa' has no"):
        load_study(settings)
    settings["encoding"]["features"].append("activations")
    study = load_study(settings)
    told = {rule: SignalSettings.of(study, Arm("cnn3", rule)).teaching for rule in study.rules}
    assert told == {"dfa": [32], "bp": [32, 96]}


def test_gradients_at_nodes_of_networks_of_others_are_refused_while_planning(project):
    settings = complete(project / "workflow_config.yaml")
    settings["encoding"] = {"features": ["gradient"]}
    network = {"kind": "torchvision", "model": "resnet18", "nodes": ["layer1"]}
    settings["networks"] = {"cnn3": network}
    with pytest.raises(
        ConfigurationError, match=r"encoding.features: .*cannot be computed: nodes of"
    ):
        load_study(settings)


def test_voxels_of_rdm_archives_are_refused_while_planning(project):
    settings = complete(project / "studies/cichy92.yaml") | {"encoding": {"voxels": {}}}
    with pytest.raises(ConfigurationError, match=r"encoding.voxels: needs responses .*use null"):
        load_study(settings)


@pytest.mark.parametrize("again", ["", "_run-{run}"])
def test_ceilings_of_one_response_an_image_are_refused_while_planning(project, again):
    settings = complete(project / "workflow_config.yaml")
    settings["brain"] = {
        "kind": "betas",
        "subjects": 3,
        "acquisition": "3T",
        "betas": f"./sub-{{subject}}{again}_{{stimulus}}.nii.gz",
        "masks": "./sub-{subject}_{roi}.nii.gz",
        "rois": {roi: ["V1"] for roi in ("V1", "V2", "LOC", "IT")},
    }
    own = {"kind": "folder", "source": "./images", "background": "grey", "as_shown": True}
    settings["stimuli"] = {"shown": own}
    settings["encoding"] = {"voxels": {}}
    if again:
        assert load_study(settings).encoding.voxels.ceiling
    else:
        with pytest.raises(ConfigurationError, match=r"voxels.ceiling: .*one response of each"):
            load_study(settings)
        settings["encoding"]["voxels"]["ceiling"] = False
        assert not VoxelSettings.of(load_study(settings)).ceiling


@pytest.mark.parametrize("study", ["things_repeats", "things"])
def test_voxels_need_no_distance_and_no_pairs(project, study):
    settings = complete(project / f"studies/{study}.yaml") | {"encoding": {"voxels": {}}}
    study = load_study(settings)
    assert VoxelSettings.of(study).ceiling
    assert study.brain.named_by_concept
    concepts = study.brain.model_copy(update={"stimulus_set": "concept-mean"})
    assert not concepts.named_by_concept


@pytest.mark.parametrize(
    ("device", "encoding", "told"),
    [
        ("cpu", {"voxels": {}}, {}),
        ("cuda", {"voxels": {}}, {"device": "cuda"}),
        ("cuda", {}, {}),
    ],
)
def test_only_fits_of_voxels_that_run_on_a_gpu_are_told_so(project, device, encoding, told):
    settings = complete(project / "workflow_config.yaml")
    settings |= {"encoding": encoding, "device": device}
    plain = EncodingSettings.of(load_study(settings)).plain()
    assert {key: value for key, value in plain.items() if key == "device"} == told


@pytest.mark.parametrize(
    ("study", "distance"),
    [("cichy92", "correlation"), ("things_repeats", "squared-euclidean")],
)
def test_other_brain_data_name_their_distance(project, study, distance):
    settings = complete(project / f"studies/{study}.yaml") | {"encoding": {}}
    if study == "things_repeats":
        settings["brain"]["distance"] = "euclidean"
    assert GramSettings.of(load_study(settings)).distance == distance


def subjects_files(folder, stimuli, change=lambda rdm: rdm):
    """Write the RDMs of two subjects; the second one changed."""
    rng = np.random.default_rng(0)
    ids = [f"image_{place}" for place in range(stimuli)]
    told = {"study_seed": 1, "distance": "correlation", "inner_folds": 4, "by_concept": False}
    files = [folder / f"sub-0{subject}_roi-V1_rdm.h5" for subject in (1, 2)]
    settings = GramSettings(**told, folds=5)
    for subject, file in enumerate(files):
        rdm = correlation_rdm(rng.normal(size=(stimuli, 30)), centred=False, ids=ids)
        rdm = change(rdm) if subject else rdm
        about = {"distance": "1 - Pearson", "acquisition": "x", "repetitions": 1, "roi": "V1"}
        write_brain_rdm(ids, rdm, file, settings=settings, subject=f"0{subject + 1}", **about)
    return files, settings


def test_sound_rdms_give_gram_matrices_and_folds(tmp_path):
    files, settings = subjects_files(tmp_path, 12)
    write_roi_gram(files, "V1", settings, tmp_path / "gram.h5")
    with open_h5(tmp_path / "gram.h5") as file:
        assert file["grams"].shape == (2, 12, 12)
        np.testing.assert_allclose(np.einsum("sii->si", file["grams"][()]), 1)
        assert sorted(np.bincount(file["folds"][0])) == [2, 2, 2, 3, 3]


def test_ranks_given_as_correlations_name_their_subject(tmp_path):
    files, settings = subjects_files(tmp_path, 12, lambda rdm: rdm.argsort().argsort() / 33)
    with pytest.raises(DataError, match=r"sub-02_roi-V1_rdm.h5: no patterns have these distances"):
        write_roi_gram(files, "V1", settings, tmp_path / "gram.h5")


@pytest.mark.parametrize(
    ("stimuli", "message"),
    [(4, "4 stimuli that may be held out apart do not fill 5 folds"), (5, "do not fill 4 inner")],
)
def test_fewer_stimuli_than_folds_are_refused(tmp_path, stimuli, message):
    files, settings = subjects_files(tmp_path, stimuli)
    if stimuli == 5:
        settings = dataclasses.replace(settings, folds=3)
    with pytest.raises(DataError, match=message):
        write_roi_gram(files, "V1", settings, tmp_path / "gram.h5")
