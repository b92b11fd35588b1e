"""The report names whose data a study rests on, as the registry has it."""

import pytest
import yaml

from complete_studies import complete
from rulealign.config.load import load_study
from rulealign.data.stimulus_sets.brain_others import OtherBrainImages
from rulealign.data.stimulus_sets.folder import FolderStimuli
from rulealign.errors import ConfigurationError
from rulealign.report.formatting import counted
from rulealign.report.sources import sources


def _study(project, path, **changes):
    values = complete(project / path)
    for key, section in changes.items():
        values[key] = values[key] | section
    return load_study(values)


@pytest.mark.parametrize("path", ["studies/cichy92.yaml", "studies/cichy92_quick.yaml"])
def test_every_dataset_has_the_registrys_title_citation_and_licence(project, path):
    registry = yaml.safe_load((project / "src/rulealign/data/download/registry.yaml").read_text())
    found = sources(_study(project, path))[:5]
    assert [name for name, _ in found] == [
        *("cifar10", "cichy92-grey", "cichy92-white", "cichy92-evc", "cichy92-it")
    ]
    for name, text in found:
        for key in ("title", "citation", "licence"):
            assert registry[name][key] in text


def test_a_dataset_that_is_named_twice_is_listed_once(project):
    roi = {"source": "cichy92-it", "key": "Net_RDM"}
    study = _study(
        project,
        "studies/cichy92.yaml",
        brain={"rois": dict.fromkeys(("EVC", "IT", "IT_2008"), roi)},
    )
    assert [name for name, _ in sources(study)].count("cichy92-it") == 1


def test_local_paths_are_the_users_own_as_the_study_gives_them(project):
    values = complete(project / "studies/cichy92.yaml")
    values["training_set"] = {"kind": "image-folder", "source": "~/photos/./set.zip"}
    values["brain"]["rois"]["IT"] = {"source": "./it.npy", "key": None}
    study = load_study(values)
    found = dict(sources(study))
    assert found["~/photos/./set.zip"] == found["./it.npy"] == "The user's own files."
    assert "Training images" not in found
    assert "cifar10" not in found


def test_generated_data_are_called_generated(project):
    (images, text), (brain, again), (stimuli, come) = sources(
        _study(project, "workflow_config.yaml")
    )
    assert (images, brain, stimuli) == ("Training images", "Brain data", "Stimuli “shown”")
    assert text == again
    assert "Generated" in text
    assert come == "They come with the brain data."


def test_what_was_measured_is_cited_and_not_called_generated(project):
    found = dict(sources(_study(project, "studies/things.yaml")))
    assert "Hebart et al. (2023). THINGS-data" in found["Brain data"]
    assert "Generated" not in found["Brain data"]


def test_calibration_images_are_cited_or_said_where_they_come_from(project):
    study = _study(project, "studies/cichy92.yaml")
    assert len(sources(study)) == 7  # CIFAR-10, two sets of stimuli, three of RDMs, calibration
    name, text = sources(study)[-1]
    assert name == "Calibration images “objects”"
    assert text.startswith("Generated")
    look = {"background": "grey", "as_shown": False}
    own = {
        "others": OtherBrainImages(kind="brain-others", **look),
        "photographs": FolderStimuli(kind="folder", source="./photographs", **look),
        "cited": FolderStimuli(kind="folder", source="cifar10-jpeg", **look),
    }
    found = dict(sources(study.model_copy(update={"calibration": own})))
    assert found["Calibration images “others”"] == "They come with the brain data."
    assert found["./photographs"] == "The user's own files."
    registry = yaml.safe_load((project / "src/rulealign/data/download/registry.yaml").read_text())
    assert registry["cifar10-jpeg"]["citation"] in found["cifar10-jpeg"]


def test_a_dataset_that_the_registry_lacks_is_an_error(project):
    grey = complete(project / "studies/cichy92.yaml")["stimuli"]["grey"]
    grey["source"] = "cichy93-grey"
    study = _study(project, "studies/cichy92.yaml", stimuli={"grey": grey})
    with pytest.raises(ConfigurationError, match="no dataset 'cichy93-grey'"):
        sources(study)


def test_counts_take_the_singular_for_one_alone():
    assert counted([1], "seed", "seeds") == "1 seed"
    assert counted([0], "seed", "seeds") == "0 seeds"
    assert counted([], "seed", "seeds") == "0 seeds"  # of a study that trains nothing
    assert counted([11], "stimulus", "stimuli") == "11 stimuli"
    assert counted([5, 1, 5], "seed", "seeds") == "1 or 5 seeds"
    assert counted([5, 1, 2], "seed", "seeds") == "1, 2 or 5 seeds"


def test_what_appears_twice_is_named_with_the_reason(project):
    copies = {"sub-02_roi-V1": "one subject was scanned under two names"}
    study = _study(project, "studies/cichy92.yaml", copies=copies)
    assert sources(study)[-1] == (
        "“sub-02_roi-V1” appears twice",
        "one subject was scanned under two names",
    )
