"""The pipeline from end to end, on a study of seconds."""

import html
import json
import re
import time

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from changed_study import counts
from rulealign.store import read_csv

pytestmark = pytest.mark.workflow


def test_it_ends_in_a_report_and_says_where(finished):
    assert "The report is results/small/report.html" in finished.first.output
    page = (finished.folder / "results/small/report.html").read_text()
    assert 'http-equiv="refresh"' not in page
    assert re.search(r"<svg", page)


def test_text_of_the_study_is_shown_as_it_was_written(finished):
    page = (finished.folder / "results/small/report.html").read_text()
    text = finished.study["title"]
    assert text in html.unescape(page)
    assert text not in page  # it has <word> in it
    record = json.loads((finished.folder / "results/small/provenance.json").read_text())
    assert [record["study"][key] for key in ("title", "question")] == [text, text]
    assert record["study"]["claims"]["bp_drop"]["statement"] == text
    table = finished.folder / "results/small/statistics/claims_summary.csv"
    assert set(read_csv(table)["statement"]) == {text}
    assert f"'{text}" in table.read_text()  # no formula to a spreadsheet


def test_it_shows_a_line_per_job(finished):
    assert "Train cnn3 by bp, seed 1: epoch 0 to 1" in finished.first.output
    assert "Activations and RDMs of cnn3 by fa, seed 1, epoch 1, at 32 px" in finished.first.output
    assert re.search(r"^[\d:]+  (\d+) of \1  ", finished.first.output, re.MULTILINE)


def test_a_second_call_has_nothing_to_do(finished):
    assert "Nothing to be done" in finished.snakemake("--dry-run", check=True).output


def test_a_score_in_the_table_is_that_of_scipy_on_the_activations(finished):
    root = finished.folder / "results/small"
    with h5py.File(root / "activations/net-cnn3_rule-bp_seed-1_epoch-1_stim-grey_px-32.h5") as file:
        features = file["conv2/grid-2"][()].astype(float)
    features -= features.mean(axis=0)
    model = 1 - np.corrcoef(features)
    pairs = np.triu_indices(len(model), 1)
    brain = np.load(finished.folder / "rdms.npz")["EVC"]
    expected = np.mean([spearmanr(model[pairs], one[pairs]).statistic for one in brain])
    table = read_csv(root / "statistics/alignment.csv")
    row = table.query(
        "rule == 'bp' and epoch == 1 and layer == 'conv2' and descriptor == 'grid-2'"
        " and convention == 'per_subject'"
    )
    assert len(row) == 1
    assert row["score"].item() == pytest.approx(expected, abs=2e-5)
    assert row["low"].item() < row["score"].item() < row["high"].item()


def test_every_setting_of_the_study_has_its_row(finished):
    table = read_csv(finished.folder / "results/small/statistics/alignment.csv")
    conv = table[table["layer"] != "fc1"]
    # 1 + 2 + 2 networks x 3 conv layers x 2 descriptors x 2 conventions; fc1 has one descriptor
    assert len(conv) == 5 * 3 * 2 * 2
    assert len(table) - len(conv) == 5 * 2
    keys = ["rule", "epoch", "layer", "descriptor", "convention"]
    assert not table.duplicated(keys).any()


def test_rules_start_from_the_same_weights(finished):
    logs = sorted((finished.folder / "results/small/checkpoints").glob("*epoch-0_log.csv"))
    assert len(logs) == 3
    assert len({read_csv(log)["initial_hash"].item() for log in logs}) == 1


@pytest.mark.slow
def test_the_same_study_gives_the_same_bytes_elsewhere_with_other_cores(finished, new_run):
    # each job a new Python, whose sets have another order
    new_run.snakemake(cores=1, check=True, jobs_as_forks=False)
    first, second = finished.results(), new_run.results()
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_a_longer_run_trains_only_the_added_epoch(finished):
    finished.study["training"]["checkpoints"] = [0, 1, 2]
    try:
        plan = finished.snakemake("--dry-run", check=True).output
    finally:
        finished.study["training"]["checkpoints"] = [0, 1]
    jobs = counts(plan)
    assert (jobs["train"], jobs["activations"]) == (2, 2)
    assert not {"initial_state", "stimuli"} & jobs.keys()


def test_a_result_that_was_cut_short_is_named_and_made_again(new_run):
    new_run.snakemake("--until", "stimuli", check=True)
    file = next((new_run.folder / "results/small/stimuli").iterdir())
    file.write_bytes(file.read_bytes()[:100])
    failed = new_run.snakemake("--until", "check_inputs")
    assert failed.returncode != 0
    assert re.search(r"stim-grey_px-32_images\.h5: was changed .* Delete it", failed.output)
    file.unlink()
    new_run.snakemake("--until", "check_inputs", check=True)


def test_provenance_names_what_made_the_results_and_no_time(finished):
    record = json.loads((finished.folder / "results/small/provenance.json").read_text())
    assert record["study"]["training"]["seeds"] == [1]
    assert record["packages"]["torch"]
    assert time.strftime("%Y-%m-%d") not in json.dumps(record)


def test_tables_are_tidy_and_complete(finished):
    statistics = finished.folder / "results/small/statistics"
    for name in ("alignment", "ceilings", "training", "inputs"):
        table = pd.read_csv(statistics / f"{name}.csv")
        # no loss before training, no reason where nothing is missing, no copy where there is none,
        # and no reliability of one subject where there are several
        allowed = {"training": ["loss"], "inputs": ["copy", "reason"]}
        allowed["ceilings"] = ["reason", "reliability", "null_reliability_high"]
        table = table.drop(columns=allowed.get(name, []), errors="ignore")
        assert not table.isna().any().any(), name
