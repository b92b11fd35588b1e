"""A study with an ROI over time: what it runs besides, and the table at its end."""

import shutil

import h5py
import numpy as np
import pytest
from scipy.stats import spearmanr

from changed_study import counts
from rulealign.store import open_h5, read_csv
from workflow.conftest import STIMULI, Run

pytestmark = pytest.mark.workflow

TIMES = [-50, 0, 60, 120]
MEG = {"source": "./meg.npz", "key": "rdms", "axes": ["times", "subjects", "pairs"]}
MEG["times"] = {"key": "seconds", "unit": "s"}


def test_an_roi_over_time_adds_its_jobs_and_comes_to_the_table(finished, tmp_path):
    folder = shutil.copytree(finished.folder, tmp_path / "copy", symlinks=True)
    run = Run(finished.project, folder, finished.study)
    root = run.folder / "results" / run.study["study"]
    before = run.results()
    shown = root / "rdms/net-cnn3_rule-bp_seed-1_epoch-1_stim-grey_px-32.h5"
    write_meg(run.folder, shown)
    run.study["brain"]["rois"]["MEG"] = MEG
    jobs = counts(run.snakemake("--dry-run", check=True).output)
    rules = len(run.study["rules"])
    assert (jobs["over_time"], jobs["over_time_table"], jobs["alignment"]) == (rules, 1, rules)
    assert (jobs["brain_rdms"], jobs["ceiling"]) == (1, 1)
    assert not {"train", "activations"} & set(jobs)
    run.snakemake(check=True)
    assert counts(run.snakemake("--dry-run", check=True).output) == {}
    after = run.results()
    assert all(after[name] == before[name] for name in before if "EVC" in name)
    rows = read_csv(root / "statistics/over_time.csv")
    assert set(rows["epoch"]) == {1, 0}  # untrained_bn has no other one
    bp = rows[(rows["rule"] == "bp") & (rows["descriptor"] != "global-average")]
    scores, peaks = (bp[bp["statistic"] == name] for name in ("score", "peak"))
    with open_h5(shown) as file, np.load(run.folder / "meg.npz") as meg:
        for layer, own in scores.groupby("layer"):
            name = "vector" if layer == "fc1" else "grid-2"
            rdm = file[f"{layer}/{name}/centred"][()]
            expected = [[spearmanr(rdm, one)[0] for one in at] for at in meg["rdms"]]
            np.testing.assert_allclose(own["value"], np.mean(expected, axis=1), atol=1e-6)
            np.testing.assert_array_equal(own["time"], TIMES)
    found = peaks.set_index("layer")["value"]
    assert (found["conv1"], found["fc1"]) == (60, 120)
    assert (rows["statistic"] == "rank_correlation").sum() == 3 * 2  # rules, descriptors


def write_meg(folder, shown):
    """Write RDMs in which conv1 is seen at 60 ms and fc1 at 120 ms, with little noise."""
    rng = np.random.default_rng(3)
    with h5py.File(shown) as file:
        early, late = (
            file[f"{name}/centred"][()].astype(float) for name in ("conv1/grid-2", "fc1/vector")
        )
    pairs = STIMULI * (STIMULI - 1) // 2
    made = rng.random((4, 3, pairs))
    made[2], made[3] = (0.2 * made[2] + early / early.std(), 0.2 * made[3] + late / late.std())
    np.savez(folder / "meg.npz", rdms=made, seconds=np.array(TIMES) / 1000)
