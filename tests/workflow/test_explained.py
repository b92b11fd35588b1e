"""Why jobs would run again is said in words; results without notes are not taken for new ones."""

import json
import os
import re
import subprocess

import pytest

pytestmark = pytest.mark.workflow

THE_BOOTSTRAP = (
    "src/rulealign/rsa/bootstrap/spearman.py",
    ('"stimulus bootstrap"', '"other draws"'),
)


def explained(checkout):
    """Plan the study; give the reasons of each job by its message, and the rows of the table."""
    listed, _, table = checkout.snakemake("--dry-run").rpartition("\n\n")
    blocks = re.findall(r"^- \w+: (.*)\n((?:    .*\n?)+)", listed, re.MULTILINE)
    jobs = {message: [line.strip() for line in lines.splitlines()] for message, lines in blocks}
    return jobs, [line.split(maxsplit=2) for line in table.splitlines()]


def test_the_reasons_are_given_in_words(done):
    assert explained(done)[0] == {}

    def change(study):
        study["rules"]["fa"]["learning_rate"] = 0.002
        study["brain"]["rois"]["LOC"] = ["lLOC"]
        study["claims"]["fa_drop"]["smallest_effect"] = {"value": 0.25, "reason": "so much"}

    with done.restudied(change), done.edited(*THE_BOOTSTRAP):
        jobs, table = explained(done)
        assert sorted(jobs) == done.planned()
    assert ["total", str(len(jobs))] in table
    rate = "setting rule.learning_rate: 0.001 -> 0.002"
    assert jobs["Make the initial cnn3 of fa, seed 1"] == [rate]
    assert jobs["Hold cnn3 by bp against V1"] == ["code of rulealign.rsa.bootstrap.spearman"]
    assert jobs["Train cnn3 by fa, seed 1: epoch 0 to 2"] == [
        rate,
        "follows from: results/changed/checkpoints/net-cnn3_rule-fa_seed-1_epoch-0.pt",
    ]
    assert ["train", "3", rate] in table
    assert jobs["Activations and RDMs of cnn3 by fa, seed 1, epoch 2, at 32 px"] == [
        "setting checkpoint.rule.learning_rate: 0.001 -> 0.002",
        "follows from: results/changed/checkpoints/net-cnn3_rule-fa_seed-1_epoch-2.pt",
    ]
    judged = [line for lines in jobs.values() for line in lines if "smallest_effect: " in line]
    assert judged
    assert all(line.startswith("setting claims.fa_drop.smallest_effect: ") for line in judged)
    assert all("0.25" in line for line in judged)
    assert jobs["Read the responses of sub-01 in LOC"] == [
        'setting voxels.union: ["lLOC", "rLOC"] -> ["lLOC"]'
    ]


def test_a_longer_training_names_its_new_settings_and_what_follows(done):
    def change(study):
        study["training"]["checkpoints"] = [0, 2, 3]

    with done.restudied(change):
        jobs, _ = explained(done)
    assert jobs["Train cnn3 by fa, seed 1: epoch 2 to 3"] == ["not made yet"]
    new = "results/changed/rdms/net-cnn3_rule-fa_seed-1_epoch-3_stim-shown_px-32.h5"
    assert f"new input: {new}" in jobs["Hold cnn3 by fa against V1"]


def test_a_reason_that_is_noted_nowhere_does_not_hide_the_job(done):
    notes = done.folder / ".snakemake" / "code"
    notes.rename(notes.with_name("elsewhere"))
    try:
        with done.restudied(lambda study: study["rules"]["fa"].update(learning_rate=0.002)):
            jobs, _ = explained(done)
    finally:
        subprocess.run(["rm", "-rf", notes], check=True)
        notes.with_name("elsewhere").rename(notes)
    assert jobs["Make the initial cnn3 of fa, seed 1"] == [
        "settings of checkpoint: changed; what it was is no longer known"
    ]


def test_results_without_snakemakes_notes_are_not_taken_for_new_ones(done):
    notes = done.folder / ".snakemake" / "metadata"
    notes.rename(notes.with_name("elsewhere"))
    try:
        assert done.planned() == []  # the same code and settings
        with (
            done.edited(*THE_BOOTSTRAP),
            pytest.raises(
                AssertionError,
                match=r"results/changed/\S+ \(other code\)",
            ),
        ):
            done.planned()
        with (
            done.restudied(lambda study: study["rules"]["fa"].update(learning_rate=0.002)),
            pytest.raises(AssertionError, match=r"results/changed/\S+ \(other settings\)"),
        ):
            done.planned()
    finally:
        subprocess.run(["rm", "-rf", notes], check=True)
        notes.with_name("elsewhere").rename(notes)
    assert done.planned() == []


def test_results_copied_over_others_are_not_taken_for_those_of_the_notes(done):
    path = done.folder / "results" / "changed" / "provenance.json"
    record = json.loads(path.read_text())
    record["study"]["rules"]["fa"]["learning_rate"] = 0.5
    with (
        done.rewritten(path, json.dumps(record)),
        pytest.raises(
            AssertionError, match=r"learning_rate: 0\.5 -> 0\.001.*which these have replaced"
        ),
    ):
        done.planned()
    # the same record from elsewhere, at another time
    with done.rewritten(path, path.read_text()):
        os.utime(path, (1, 1))
        assert done.planned() == []
