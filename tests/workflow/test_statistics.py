"""The tables of statistics in a real run, and what a change of their settings runs again."""

import copy

import h5py
import numpy as np
import pytest
from scipy.stats import linregress

from changed_study import counts
from rulealign.store import read_csv

pytestmark = pytest.mark.workflow


def planned(run, change):
    """Plan the study after a change; give how often each rule would run."""
    kept, run.study = run.study, copy.deepcopy(run.study)
    try:
        change(run.study)
        plan = run.snakemake("--dry-run", check=True).output
    finally:
        run.study = kept
    return counts(plan)


def test_memory_runs_nothing_again(finished):
    assert planned(finished, lambda study: study["statistics"].update(memory_mb=100)) == {}


def test_other_splits_run_what_chooses_layers_and_nothing_before(finished):
    jobs = planned(finished, lambda study: study["statistics"].update(layer_splits=4))
    assert jobs["alignment"] == len(finished.study["rules"])
    assert jobs["layers_table"] == 1
    before = {"train", "activations", "controls", "control_alignment", "ceiling", "brain_rdms"}
    assert not before & set(jobs)


def test_another_map_runs_tables_and_the_intervals_of_differences_from_baselines(finished):
    jobs = planned(finished, lambda study: study["layer_map"][0].update(layer="conv2"))
    assert {"layers_table", "trajectories_table", "figures", "report"} <= set(jobs)
    assert jobs["alignment"] == len(finished.study["rules"])  # all are held against a baseline
    assert not {"universes", "ceiling", "control_alignment"} & set(jobs)


def test_another_goal_runs_what_intervals_rest_on(finished):
    jobs = planned(finished, lambda study: study["statistics"].update(generalise_to="subjects"))
    assert jobs["alignment"] == len(finished.study["rules"])
    assert {"universes", "claims", "trajectories_table"} <= set(jobs)
    assert not {"activations", "ceiling", "control_alignment"} & set(jobs)


def test_an_added_roi_leaves_the_nulls_of_others_alone(finished):
    new = {"source": "./rdms.npz", "key": "EVC"}
    jobs = planned(finished, lambda study: study["brain"]["rois"].update(IT=new))
    assert jobs["ceiling"] == jobs["brain_rdms"] == jobs["control_alignment"] == 1
    assert jobs["alignment"] == len(finished.study["rules"])
    assert not {"train", "activations"} & set(jobs)


def test_layers_and_courses_are_those_of_the_alignment_table(finished):
    statistics = finished.folder / "results/small/statistics"
    tables = {name: read_csv(statistics / f"{name}.csv") for name in ("alignment", "layers")}
    keys = ["rule", "epoch", "layer", "descriptor", "convention"]
    scores = tables["alignment"].set_index(keys)["score"].sort_index()
    layers = tables["layers"]
    own = scores.loc[list(layers[keys].itertuples(index=False, name=None))]
    np.testing.assert_allclose(layers["score"], own, atol=1e-9)
    # fc1 stands beside both descriptors of the others
    assert len(layers) == len(tables["alignment"]) + (layers["layer"] == "fc1").sum() / 2
    assert layers["nested"].notna().all()
    courses = read_csv(statistics / "trajectories.csv").query("measure == 'net_change'")
    assert set(courses["rule"]) == {"bp", "fa"}
    for row in courses.itertuples():
        at = [(row.rule, epoch, row.layer, row.descriptor, row.convention) for epoch in (0, 1)]
        assert row.value == pytest.approx(scores[at[1]] - scores[at[0]], abs=1e-9)


def test_the_share_of_the_mean_vector_is_that_of_the_activations(finished):
    root = finished.folder / "results/small"
    layers = read_csv(root / "statistics/layers.csv")
    with h5py.File(root / "activations/net-cnn3_rule-bp_seed-1_epoch-1_stim-grey_px-32.h5") as file:
        features = file["conv2/grid-2"][()].astype(float)
    pairs = np.triu_indices(len(features), 1)
    typical = [np.corrcoef(one, features.mean(axis=0))[0, 1] for one in features]
    fit = linregress(np.outer(typical, typical)[pairs], np.corrcoef(features)[pairs])
    rows = layers.query("rule == 'bp' and epoch == 1 and layer == 'conv2'")
    rows = rows[rows["descriptor"] == "grid-2"]
    assert len(rows) == 2
    assert rows["mean_vector_share"].to_numpy() == pytest.approx(fit.rvalue**2, abs=1e-6)
    page = (root / "report.html").read_text()
    assert 'id="table-course-1"' in page
    assert repr(float(rows["mean_vector_share"].iloc[0])) in page
