"""How much memory jobs ask for RDMs: by the number of stimuli that a plan can tell."""

import pytest
import yaml

from rulealign.config.load import load_study
from rulealign.data.memory import planned_stimuli, rdms_mb

OWN_BETAS = {
    "kind": "betas",
    "subjects": ["ann", "ben"],
    "acquisition": "7T",
    "betas": "./own/sub-{subject}/{stimulus}_{run}_{roi}.npy",
    "rois": {"V1": ["V1"]},
}


@pytest.mark.parametrize(
    ("name", "stimuli", "megabytes"),
    [
        ("studies/things.yaml", 720, 4000),  # of which a job of THINGS-fMRI was measured
        ("studies/things_repeats.yaml", 720, 4000),
        ("workflow_config.yaml", 60, 0),
        ("studies/cichy92.yaml", 100, 0),  # a download, of which a plan knows no number
    ],
)
def test_memory_of_studies_here(project, name, stimuli, megabytes):
    study = load_study(yaml.safe_load((project / name).read_text()))
    assert planned_stimuli(study) == stimuli
    assert rdms_mb(study, 4000) == megabytes


def own_betas(project, folder, **changes):
    values = yaml.safe_load((project / "studies/recipes/nsd.yaml").read_text())
    values["brain"] = OWN_BETAS | changes
    values["layer_map"] = [{"layer": "conv1", "roi": "V1"}]
    values["stimuli"]["shown"]["source"] = f"{folder}/images"
    return load_study(values)


def test_own_betas_ask_for_as_many_images_as_are_in_their_folder(project, tmp_path):
    """1000 stimuli have 499500 pairs: MB are 4000 * 499500 / 258840, in hundreds."""
    (tmp_path / "images").mkdir()
    for number in range(1000):
        (tmp_path / "images" / f"{number}.png").touch()
    study = own_betas(project, tmp_path)
    assert planned_stimuli(study) == 1000
    assert rdms_mb(study, 4000) == 7700


def test_own_betas_whose_images_are_not_there_yet_ask_as_published_ones_do(project, tmp_path):
    assert rdms_mb(own_betas(project, tmp_path), 4000) == 4000


def test_a_list_of_stimuli_tells_their_number(project, tmp_path):
    (tmp_path / "list.txt").write_text("\n".join(map(str, range(500))) + "\n\n")
    study = own_betas(project, tmp_path, stimulus_set=str(tmp_path / "list.txt"))
    assert planned_stimuli(study) == 500
    assert rdms_mb(study, 4000) == 1900
