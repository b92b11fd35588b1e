"""The report names whose data a study rests on, as the registry has it."""

import pytest
import yaml

from complete_studies import complete
from rulealign.config.study import load_study
from rulealign.errors import ConfigurationError
from rulealign.plan import stages
from rulealign.report.formatting import counted
from rulealign.report.sources import sources


def _study(project, path, **changes):
    values = complete(project / path)
    return stages.plain(load_study({**values, **changes}))


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
    study = _study(project, "studies/cichy92.yaml")
    study["brain"]["rois"] = {"EVC": roi, "IT": roi}
    assert [name for name, _ in sources(study)].count("cichy92-it") == 1


def test_local_paths_are_the_users_own_as_the_study_gives_them(project):
    study = _study(project, "studies/cichy92.yaml")
    study["training_set"] = {"kind": "image-folder", "source": "~/photos/./set.zip"}
    study["brain"]["rois"]["IT"] = {"source": "./it.npy", "key": None}
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


def test_calibration_images_are_cited_or_said_where_they_come_from(project):
    study = _study(project, "studies/cichy92.yaml")
    assert len(sources(study)) == 6
    name, text = sources(study)[-1]
    assert name == "Calibration images “objects”"
    assert text.startswith("Generated")
    study["calibration"] |= {
        "others": {"kind": "brain-others"},
        "photographs": {"kind": "folder", "source": "./photographs"},
        "cited": {"kind": "folder", "source": "cifar10-jpeg"},
    }
    found = dict(sources(study))
    assert found["Calibration images “others”"] == "They come with the brain data."
    assert found["./photographs"] == "The user's own files."
    registry = yaml.safe_load((project / "src/rulealign/data/download/registry.yaml").read_text())
    assert registry["cifar10-jpeg"]["citation"] in found["cifar10-jpeg"]


def test_a_dataset_that_the_registry_lacks_is_an_error(project):
    study = _study(project, "studies/cichy92.yaml")
    study["stimuli"]["grey"]["source"] = "cichy93-grey"
    with pytest.raises(ConfigurationError, match="no dataset 'cichy93-grey'"):
        sources(study)


def test_counts_take_the_singular_for_one_alone():
    assert counted([1], "seed", "seeds") == "1 seed"
    assert counted([0], "seed", "seeds") == "0 seeds"
    assert counted([11], "stimulus", "stimuli") == "11 stimuli"
    assert counted([1, 5], "seed", "seeds") == "1, 5 seeds"


def test_what_appears_twice_is_named_with_the_reason(project):
    copies = {"sub-02_roi-V1": "one subject was scanned under two names"}
    study = _study(project, "studies/cichy92.yaml") | {"copies": copies}
    assert sources(study)[-1] == (
        "“sub-02_roi-V1” appears twice",
        "one subject was scanned under two names",
    )
