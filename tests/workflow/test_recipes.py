"""The recipes for public data sets plan on generated folders of their layout, and are read."""

import numpy as np
import pytest

from helpers.brain_settings import patterns_by, responses_of
from helpers.public_sets import SHARED, write_algonauts, write_bold5000, write_nsd
from rulealign.config.load import read_study
from rulealign.data.betas.form import OwnBetas
from rulealign.data.responses.roi_responses import write_roi_responses
from rulealign.rsa.brain_distance import brain_distance
from workflow.conftest import Run

pytestmark = pytest.mark.workflow

RECIPES = {"nsd": write_nsd, "bold5000": write_bold5000, "algonauts2023": write_algonauts}
REPEATS = {"nsd": 3, "bold5000": 4, "algonauts2023": 1}


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_plans_and_reads_a_folder_of_its_layout(project, tmp_path, monkeypatch, name):
    RECIPES[name](tmp_path)
    file = project / "studies" / "recipes" / f"{name}.yaml"
    study = read_study(file)
    planned = Run(project, tmp_path, {}).snakemake("-n", "--quiet", "all", study_file=file)
    assert planned.returncode == 0, planned.output
    monkeypatch.chdir(tmp_path)
    brain = study.brain
    for subject in brain.subject_names[:2]:
        for roi, section in brain.rois.items():
            form = OwnBetas(brain.beta_files)
            told = responses_of(section, faulty_voxels=brain.faulty_voxels)
            write_roi_responses(form, subject, roi, told, tmp_path / "r.h5")
            settings = patterns_by(stimulus_set=brain.stimulus_set)
            found = brain_distance(tmp_path / "r.h5", settings)
            assert len(found.ids) == SHARED
            assert found.repetitions == REPEATS[name]
            assert np.isfinite(found.rdm).all()


def test_recipes_are_all_tried(project):
    assert {path.stem for path in (project / "studies" / "recipes").iterdir()} == set(RECIPES)
