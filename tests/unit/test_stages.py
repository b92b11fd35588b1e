"""Each stage is given the settings that it uses, and no others."""

import copy

import pytest

from complete_studies import complete
from no_claims import without_claims
from rulealign.arm import Arm
from rulealign.config.load import load_study
from rulealign.plan.settings.activations import ActivationSettings
from rulealign.plan.settings.brain import BrainRdmSettings, InputsSettings, ResponsesSettings
from rulealign.plan.settings.images import (
    SimulatedImagesSettings,
    SimulatedSubjectSettings,
    StimuliSettings,
)
from rulealign.plan.settings.scores import (
    CeilingSettings,
    ControlRdmSettings,
    ModelRdmSettings,
    ScoreSettings,
)
from rulealign.plan.settings.training import CheckpointSettings, TrainingSetSettings
from rulealign.provenance import fingerprint, folder_listing

STAGES = {
    "training_set": TrainingSetSettings.of,
    "stimuli": lambda study: StimuliSettings.of(study, "shown"),
    "simulated_images": SimulatedImagesSettings.of,
    "simulated_subject": SimulatedSubjectSettings.of,
    "responses of V1": lambda study: ResponsesSettings.of(study, "V1"),
    "responses of LOC": lambda study: ResponsesSettings.of(study, "LOC"),
    "brain_rdm": lambda study: BrainRdmSettings.of(study, "V1"),
    "checkpoint of bp": lambda study: CheckpointSettings.of(study, Arm("cnn3", "bp")),
    "checkpoint of fa": lambda study: CheckpointSettings.of(study, Arm("cnn3", "fa")),
    "activations of bp": lambda study: ActivationSettings.of(study, Arm("cnn3", "bp")),
    "activations of fa": lambda study: ActivationSettings.of(study, Arm("cnn3", "fa")),
    "model_rdms": ModelRdmSettings.of,
    "controls": ControlRdmSettings.of,
    "alignment": ScoreSettings.of,
    "ceilings": CeilingSettings.of,
}
TRAINING = {
    f"{stage} of {rule}" for stage in ("checkpoint", "activations") for rule in ("bp", "fa")
}


@pytest.fixture
def values(project):
    return without_claims(complete(project / "workflow_config.yaml"))


@pytest.mark.parametrize(
    ("path", "value", "changed"),
    [
        (("data_mirrors",), ["/data"], set()),
        (("title",), "another", set()),
        (("training", "checkpoints"), [0, 2, 10], set()),
        (("training", "seeds"), [42, 123, 7], set()),
        (("evaluation", "sizes"), [32, 64, 96], set()),
        (("report", "size"), 96, set()),
        (("brain", "subjects"), 5, set()),
        (("brain", "noise"), 3.0, {"simulated_subject"}),
        (("brain", "rois", "LOC"), ["lLOC"], {"responses of LOC"}),
        (
            ("brain", "rois", "V1"),
            {
                **{"union": ["V1"], "intersection": [], "difference": [], "hemisphere": "both"},
                "voxels": {"by": "nc_testset", "top": 50},
            },
            {"responses of V1"},
        ),
        (("brain", "zscore"), "run", {"brain_rdm"}),
        (("brain", "distance"), {"crossnobis": {"folds": "run"}}, {"brain_rdm"}),
        (("brain", "faulty_voxels"), "drop", {"responses of V1", "responses of LOC"}),
        (("brain", "concepts"), 40, {"simulated_images", "simulated_subject"}),
        (("brain", "stimulus_set"), "first-exemplar", {"stimuli", "brain_rdm"}),
        (
            ("rules", "fa", "learning_rate"),
            0.1,
            {f"{stage} of fa" for stage in ("checkpoint", "activations")},
        ),
        (("training", "batch_size"), 64, TRAINING),
        (
            ("evaluation", "descriptors"),
            ["global-average", "grid-8", "grid-2"],
            {"activations of bp", "activations of fa"},
        ),
        (("evaluation", "centring"), ["centred"], {"model_rdms", "controls"}),
        (("controls",), ["pixels"], {"controls"}),
        (("statistics", "bootstrap_draws"), 2000, {"alignment"}),
        (("statistics", "null_draws"), 2000, {"ceilings"}),
        (("training_set", "train_images"), 1000, TRAINING | {"training_set"}),
    ],
)
def test_a_changed_value_changes_the_stages_that_use_it_and_no_other(values, path, value, changed):
    before = load_study(copy.deepcopy(values))
    section = values
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = value
    after = load_study(values)
    assert {name for name, stage in STAGES.items() if stage(before) != stage(after)} == changed


def test_the_pairs_change_comparisons_alone(values):
    values["brain"]["stimulus_set"] = "first-exemplar"
    before = load_study(copy.deepcopy(values))
    values["brain"]["pairs"] = "cross_run"
    after = load_study(values)
    changed = {name for name, stage in STAGES.items() if stage(before) != stage(after)}
    assert changed == {"alignment", "ceilings"}


def test_where_the_data_are_taken_from_is_no_part_of_a_study(project):
    values = complete(project / "studies/things.yaml")
    before = load_study(copy.deepcopy(values))
    values["things"] |= {"form": "volumes", "root": "/data", "parallel": 2}
    after = load_study(values)
    assert before.computed() == after.computed()
    assert ResponsesSettings.of(before, "V1") == ResponsesSettings.of(after, "V1")


def test_activations_expect_the_very_settings_that_the_checkpoint_was_trained_with(values):
    study = load_study(values)
    for arm in study.arms:
        expected = ActivationSettings.of(study, arm).checkpoint_settings_hash
        assert expected == fingerprint(CheckpointSettings.of(study, arm).plain())


def test_every_combination_is_viewed_once_the_reports_own_first(values):
    views = load_study(values).views()
    assert views[0].model_dump().items() <= values["report"].items()
    assert len(views) == 1 * 2 * 2 * 2
    assert all(views.count(view) == 1 for view in views)


def test_a_folder_with_a_changed_removed_or_added_file_has_another_listing(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"1")
    listings = [folder_listing(str(tmp_path))]
    (tmp_path / "a" / "x.png").write_bytes(b"12")
    listings.append(folder_listing(str(tmp_path)))
    (tmp_path / "a" / "y.png").write_bytes(b"1")
    listings.append(folder_listing(str(tmp_path)))
    assert len(set(listings)) == 3
    assert folder_listing(str(tmp_path)) == listings[-1]
    assert folder_listing("cifar10-jpeg") == folder_listing(None) == ""


def test_whether_copies_are_explained_is_told_and_not_in_which_words(values):
    values["training_set"] = {
        **{key: values["training_set"][key] for key in ("image_size", "train_images")},
        **{"held_out_images": 10, "kind": "image-folder", "source": "./images"},
    }
    told = []
    for copies in ({}, {"held-out": "as published"}, {"held-out": "another reason"}):
        study = load_study(values | {"copies": copies | {"sub-02_roi-V1": "scanned twice"}})
        told.append(TrainingSetSettings.of(study).copies_explained)
        assert InputsSettings.of(study).copies == {"sub-02_roi-V1": "scanned twice"}
    assert told == [False, True, True]
