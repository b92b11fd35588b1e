"""A study of one subject, from its trials to its page: reliability in place of a noise ceiling."""

import html

import h5py
import numpy as np
import pytest
from scipy.stats import spearmanr

from changed_study import small_simulated_study
from rulealign.store import read_csv

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def test_one_subject_is_judged_by_the_halves_of_its_trials(new_run, project):
    study = small_simulated_study(project)
    study["brain"] |= {"subjects": 1, "sessions": 4, "noise": 0.5, "rois": {"V1": ["V1"]}}
    study["layer_map"] = [{"layer": "conv1", "roi": "V1"}]
    new_run.study = study
    new_run.snakemake(check=True)
    root = new_run.folder / "results" / study["study"]
    with h5py.File(root / "brain/sub-01_roi-V1_rdm.h5") as file:
        one, other = file["repeats"][()]
    (row,) = read_csv(root / "statistics/ceilings.csv").to_dict("records")
    assert row["reliability"] == pytest.approx(spearmanr(one, other).statistic, abs=1e-6)
    assert row["informative_by"] == "reliability over 2 halves of the trials"
    assert np.isnan(row["lower"])
    checked = read_csv(root / "statistics/quality.csv").query("check == 'reliability'")
    assert checked["value"].item() == pytest.approx(row["reliability"])
    assert checked["flagged"].item() != row["informative"]
    verdicts = set(read_csv(root / "statistics/claims.csv")["verdict"])
    assert ("uninformative" in verdicts) != row["informative"]
    page = html.unescape((root / "report.html").read_text())
    assert "One subject has no noise ceiling" in page
    assert "reliability over 2 halves of the trials" in page
    assert "1 subject: no noise ceiling" in page
