"""Only what changed runs again: files touched, replaced, checked out; a checkpoint put between."""

import json
import os
import re
import shutil
import subprocess
import time

import pytest

from expected_jobs import (
    CLAIMS,
    RULE_TABLES,
    SCORES,
    UNIVERSES,
    network,
    shown,
)
from helpers.settings_modules import loaded_by_settings
from rulealign.rerun.explain import record_path
from rulealign.rerun.messages import WORDS_ONLY

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize("first_is_latest", [True, False])
def test_touched_files_run_nothing(done, first_is_latest):
    results = done.folder / "results" / "changed"
    touched = [file for file in results.rglob("*") if "logs" not in file.parts]
    for name in ("src", "scripts", "rules", "envs", "profiles", "docs"):
        touched += (done.folder / name).rglob("*")
    times = {path: path.stat() for path in touched if path.exists()}
    assert len(times) > 300
    # seconds apart, in both orders: every input is newer than what is made of it in one of them
    now = time.time_ns()
    for back, path in enumerate(sorted(times, reverse=not first_is_latest)):
        os.utime(path, ns=(now, now - back * 10**9))
    try:
        assert done.planned() == []
    finally:
        for path, before in times.items():
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_results_of_other_code_without_their_notes_are_refused(done, tmp_path):
    run = done.copy(tmp_path)
    names = [
        "checkpoints/net-cnn3_rule-fa_seed-1_epoch-0.pt",
        "simulated/images",
        "statistics/alignment.csv",
    ]
    for name in names:
        record_path(run.folder / ".snakemake/metadata", f"results/changed/{name}").unlink()
    assert run.planned() == []  # they are what would be made now
    edit = ("Settings = Feedback", "more = 1\n    Settings = Feedback")
    code = run.edited("src/rulealign/learning/rules/fa.py", edit)
    with code, pytest.raises(AssertionError) as caught:
        run.planned()
    assert f"results/changed/{names[0]} (other code): made by other code" in str(caught.value)
    assert "Delete these files and rerun the command" in str(caught.value)
    assert names[1] not in str(caught.value)
    shutil.rmtree(run.folder / ".snakemake/metadata")
    assert run.planned() == []
    more = run.restudied(lambda study: study["statistics"].update(bootstrap_draws=120))
    with more:
        with pytest.raises(AssertionError, match=r"\(other settings\).* and \d+ more"):
            run.planned()
        before = run.results()
        run.snakemake("--cores", "1", "--touch", "--forceall")
        assert run.planned() == []
        assert run.results() == before


def test_results_of_a_rule_that_was_taken_out_are_mentioned(done, tmp_path):
    run = done.copy(tmp_path)
    assert "Not part of this study" not in run.snakemake("--dry-run")
    run.study["rules"].pop("fa")
    run.study["claims"] = {}
    plan = run.snakemake("--dry-run")
    assert re.search(r"Not part of this study.*rule-fa.* and \d+ more.*delete them", plan)


def test_other_simulated_images_are_told_by_the_truth_beside_them(done):
    truth = done.folder / "results" / "changed" / "simulated" / "truth.h5"
    before, times = truth.read_bytes(), truth.stat()
    truth.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    try:
        plan = done.planned()
    finally:
        truth.write_bytes(before)
        os.utime(truth, ns=(times.st_atime_ns, times.st_mtime_ns))
    seeing = {"Prepare the stimulus set shown at 32 px"}
    seeing |= {f"Simulate the responses of sub-0{number}" for number in (1, 2)}
    assert seeing <= set(plan)
    assert not [message for message in plan if message.startswith("Train")]


def test_git_checkout_away_and_back_runs_nothing(done):
    def git(*arguments):
        command = ["git", "-c", "user.name=n", "-c", "user.email=e@e", *arguments]
        subprocess.run(command, cwd=done.folder, check=True, capture_output=True)

    git("init", "--initial-branch", "main")
    try:
        git("add", "src", "scripts", "rules", "profiles", "Snakefile")
        git("commit", "--message", "as it is")
        git("checkout", "-b", "other")
        for name in (
            "src/rulealign/rsa/bootstrap/spearman.py",
            "scripts/train.py",
            "rules/train.smk",
        ):
            path = done.folder / name
            path.write_text(path.read_text() + "\nEXTRA = 1\n")
        git("commit", "--all", "--message", "changed")
        assert "Train cnn3 by fa, seed 1: epoch 0 to 2" in done.planned()
        git("checkout", "main")
        assert done.planned() == []
    finally:
        subprocess.run(["rm", "-rf", done.folder / ".git"], check=True)


TRAINING_SET = {
    "rulealign.data.training_set",
    "rulealign.data.training_sets.synthetic_objects",
}
"""The section of a training set, which a checkpoint's settings have: it is read, and not asked."""


def test_what_jobs_load_is_in_their_fingerprint(done, project):
    notes = [json.loads(path.read_text()) for path in (done.folder / ".snakemake/code").iterdir()]
    codes = [note.keys() for note in notes if isinstance(note, dict)]
    seen = [json.loads(path.read_text()) for path in done.seen.iterdir()]
    assert len(seen) == 56  # all jobs but the target
    for script, loaded in seen:
        allowed = WORDS_ONLY | loaded_by_settings(project)
        if script in ("initial_state", "train", "activations", "diagnostics"):
            allowed |= TRAINING_SET
        own = [code for code in codes if f"scripts/{script}.py" in code]
        left = [set(loaded) - code - allowed for code in own]
        assert set() in left, (script, left)


@pytest.mark.slow
def test_an_inserted_checkpoint_trains_later_stretches_anew_to_the_same_bytes(done, tmp_path):
    again = done.copy(tmp_path)
    again.study["training"]["checkpoints"] = [0, 1, 2]
    inserted = {message for rule in ("bp", "fa") for message in network(rule, 1, 1, start=0)}
    later = {f"Train cnn3 by {rule}, seed 1: epoch 1 to 2" for rule in ("bp", "fa")}
    below = {f"Diagnostics of cnn3 by {rule}, seed 1: epochs 0 1 2" for rule in ("bp", "fa")}
    spared = {shown(rule, 1, 2) for rule in ("bp", "fa")}
    assert set(again.planned()) == (
        inserted | later | below | spared | SCORES | RULE_TABLES | UNIVERSES
    )

    before = again.results()
    again.snakemake("--cores", "2", "--until", "training_table")
    after = again.results()
    assert {name for name in after if name not in before and name.endswith(".pt")} == {
        f"checkpoints/net-cnn3_rule-{rule}_seed-1_epoch-1.pt" for rule in ("bp", "fa")
    }
    networks = [name for name in before if name.startswith("checkpoints/") and ".pt" in name]
    assert [name for name in networks if before[name] != after[name]] == []
    # a second call sees that the later checkpoints are the same, and spares what lies below them
    trained = {f"Train cnn3 by {rule}, seed 1: epoch 0 to 1" for rule in ("bp", "fa")}
    tables = RULE_TABLES - {"Held-out accuracy of all networks; no state appears twice"}
    expected = (inserted - trained) | below | SCORES | tables | CLAIMS
    assert set(again.planned()) == expected
