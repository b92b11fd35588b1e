"""Killed at any moment, out of space, or cut short: the same command ends in the same bytes."""

import os
import random
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import interrupted
from changed_study import counts, small_simulated_study
from helpers.rule_texts import named_rules
from http_site import answering
from interrupted import (
    BRAIN_STAGES,
    ENCODING_STAGES,
    GIVEN_STAGES,
    MEASURE_STAGES,
    STAGES,
    VOXEL_STAGES,
    copy_of,
    differences,
    jobs_of,
    without,
)
from workflow.conftest import STIMULI

pytestmark = pytest.mark.workflow

PAGE = ("report.html", "figures/trajectory_*", "statistics/alignment.csv", "alignment/net*")
ACTIVATIONS = ("activations/*epoch-1*", "rdms/net*epoch-1*")


@pytest.fixture
def stopped(finished, tmp_path):
    """Give a copy of the finished study that lacks some activations and what rests on them."""
    run = copy_of(finished, tmp_path)
    without(run, *PAGE, *ACTIVATIONS)
    return run


@pytest.fixture
def small_disk(tmp_path):
    """Give a function that mounts a disk of some bytes, or makes it larger; skips without root."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def size(kilobytes):
        how = f"size={kilobytes}k"
        if os.path.ismount(folder):
            how += ",remount"
        command = ["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a small disk can be mounted as root only")
        return folder

    yield size
    subprocess.run(["umount", str(folder)], capture_output=True, check=False)


def unlock(run):
    run.snakemake("--unlock", check=True)


@pytest.mark.slow
def test_a_run_that_is_killed_in_every_stage_ends_like_one_that_was_not(new_run, finished):
    moments, reached = random.Random(2026), []
    for rule in STAGES:
        # most jobs last half a second to two from here
        if interrupted.kill_in(new_run, rule, moments.uniform(0, 1.2)):
            reached.append(rule)
        unlock(new_run)
    assert reached == list(STAGES)
    new_run.snakemake(check=True)
    assert differences(new_run, finished) == []


@pytest.mark.slow
@pytest.mark.parametrize("what", ["brain data", "encoding", "encoding by voxel"])
def test_what_few_studies_have_ends_like_the_same_that_was_not_killed(
    project, new_run, tmp_path, what
):
    study, stages, made = PARTS[what](small_simulated_study(project))
    runs = [type(new_run)(project, tmp_path / name, study) for name in ("killed", "other")]
    targets = ["--", *(f"results/changed/{name}" for name in made)]
    for run in runs:
        run.folder.mkdir()
    moments, reached = random.Random(2026), []
    for rule in stages:
        if interrupted.kill_in(runs[0], rule, moments.uniform(0, 1.2), *targets):
            reached.append(rule)
        unlock(runs[0])
    assert reached == list(stages)
    for run in runs:
        run.snakemake(*targets, check=True)
    assert {*made} <= {*runs[1].results()}
    assert differences(*runs) == []


def _with_brain_data(study):
    study["brain"] |= {"stimulus_set": "first-exemplar", "pairs": "cross_run"}
    rois = [f"brain/sub-0{subject}_roi-{roi}_rdm.h5" for subject in (1, 2) for roi in ("V1", "LOC")]
    return study, BRAIN_STAGES, [*rois, "brain/pairs.h5", "statistics/quality.csv"]


def _with_encoding(study):
    features = ["activations", "gradient", "teaching"]
    study["encoding"] = {"features": features, "hierarchy": ["V1", "LOC"]}
    return study, ENCODING_STAGES, ["statistics/encoding.csv", "statistics/encoding_order.csv"]


def _with_voxels(study):
    study["encoding"] = {"voxels": {}}
    return study, VOXEL_STAGES, ["encoding/roi-V1_voxels.h5"]


PARTS = {
    "brain data": _with_brain_data,
    "encoding": _with_encoding,
    "encoding by voxel": _with_voxels,
}
"""Part of a study -> the study with it, the stages it is killed in, and what is made."""


@pytest.mark.slow
def test_measures_and_times_end_like_those_that_were_not_killed(finished, tmp_path):
    runs = [copy_of(finished, tmp_path / name) for name in ("killed", "other")]
    for run in runs:
        _with_measures_and_times(run)
    targets = ["--", *(f"results/small/statistics/{name}.csv" for name in ("claims", "over_time"))]
    moments, reached = random.Random(2026), []
    for rule in MEASURE_STAGES:
        if interrupted.kill_in(runs[0], rule, moments.uniform(0, 1.2), *targets):
            reached.append(rule)
        unlock(runs[0])
    assert reached == list(MEASURE_STAGES)
    for run in runs:
        run.snakemake(*targets, check=True)
    assert differences(*runs) == []


def _with_measures_and_times(run):
    asked = {"features": ["activations", "gradient"]}
    axes = {"measure": ["rsa", "encoding"], "comparison": ["spearman"], "control": ["none"]}
    run.study["encoding"] = {"folds": 3, "inner_folds": 2, "penalties": [1.0]} | asked
    run.study["universes"] |= asked | axes | {"crossed": ["features", "measure"]}
    meg = {"source": "./meg.npz", "key": "rdms", "axes": ["times", "subjects", "pairs"]}
    run.study["brain"]["rois"]["MEG"] = meg | {"times": [0, 60]}
    pairs = STIMULI * (STIMULI - 1) // 2
    np.savez(run.folder / "meg.npz", rdms=np.random.default_rng(3).random((2, 3, pairs)))


def test_every_rule_is_killed_somewhere(project):
    rules = set()
    for file in (project / "rules").glob("*.smk"):
        rules |= set(re.findall(r"^ *rule (\w+):", named_rules(file.read_text()), re.MULTILINE))
    # downloads: below, and in the tests of their own; what things_* read is no network there
    others = {"fetch", "things_tables", "things_unpack"}
    # given models: in test_given.py
    simulated = BRAIN_STAGES | ENCODING_STAGES | VOXEL_STAGES
    assert rules - others == set(simulated | GIVEN_STAGES | MEASURE_STAGES | STAGES)


def test_a_job_that_fails_once_is_made_by_the_same_command(stopped, finished):
    process = stopped.begin()
    interrupted.kill_one(process, "activations")
    assert process.wait() == 1
    assert differences(stopped, finished) != []
    stopped.snakemake(check=True)
    assert differences(stopped, finished) == []


@pytest.mark.slow
def test_a_stale_lock_is_explained_and_jobs_that_outlive_their_run_do_no_harm(stopped, finished):
    process = stopped.begin()
    interrupted.wait_for(lambda: jobs_of(process, "activations"), process)
    os.kill(process.pid, signal.SIGKILL)  # the main process alone, as the kernel does it
    process.wait()
    assert jobs_of(process, "activations")
    refused = stopped.snakemake()
    assert refused.returncode != 0
    assert "cannot be locked" in refused.output, refused.output
    assert "--unlock" in refused.output
    unlock(stopped)
    stopped.snakemake(check=True)
    interrupted.kill(process)
    assert differences(stopped, finished) == []


@pytest.mark.slow
def test_a_lost_manifest_is_made_again(finished, tmp_path):
    run = copy_of(finished, tmp_path)
    without(run, "manifests/statistics/alignment.csv.json", "manifests/report.html.json")
    run.snakemake(check=True)
    assert differences(run, finished) == []


def test_the_target_asks_for_every_result(finished, project):
    listed = project / "tests/helpers/listed.py"
    command = [sys.executable, listed, finished.folder, project / "Snakefile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    asked = {line.removeprefix("results/small/") for line in done.stdout.splitlines()}
    assert sorted(set(finished.results()) - asked) == []  # new files: rules/everything.smk


@pytest.mark.slow
def test_a_change_whose_job_is_killed_does_not_leave_old_numbers(finished, tmp_path):
    run = copy_of(finished, tmp_path)
    run.study["stimuli"]["grey"]["background"] = "another"
    process = run.begin()
    interrupted.kill_one(process, "stimuli")
    assert process.wait() == 1
    plan = run.snakemake("--dry-run", check=True).output
    jobs = counts(plan)
    # every image is shown again; nothing is trained
    assert (jobs["stimuli"], jobs["activations"], jobs["alignment"]) == (1, 5, 3)
    assert "train" not in jobs
    run.study = finished.study
    run.snakemake(check=True)
    assert differences(run, finished) == []


@pytest.mark.slow
def test_a_full_disk_is_named_and_space_is_all_it_takes(finished, small_disk):
    total = sum(map(len, finished.results().values())) // 1024
    run = copy_of(finished, small_disk(4 * total + 4000))
    without(run, *PAGE, *ACTIVATIONS)
    used = interrupted.used_kilobytes(run.folder)
    small_disk(used + 60)
    full = run.snakemake()
    assert full.returncode != 0
    assert re.search(r"disk is full|No space left on device", full.output), full.output
    small_disk(4 * total + 4000)
    run.snakemake("--unlock")
    run.snakemake(check=True)
    assert differences(run, finished) == []


@pytest.mark.slow
def test_files_that_were_cut_short_are_named_and_made_again(finished, tmp_path):
    run = copy_of(finished, tmp_path)
    names = [
        "checkpoints/net-cnn3_rule-bp_seed-1_epoch-1.pt",
        "rdms/net-cnn3_rule-fa_seed-1_epoch-1_stim-grey_px-32.h5",
        "checkpoints/net-cnn3_rule-untrained_bn_seed-1_epoch-0_log.csv",
    ]
    for name in names:
        path = run.folder / "results/small" / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    failed = run.snakemake("--keep-going")
    assert failed.returncode != 0
    for name in names:
        refusal = f"{re.escape(name)}: was changed after .*Delete it and rerun"
        assert re.search(refusal, failed.output), failed.output
        (run.folder / "results/small" / name).unlink()
    run.snakemake(check=True)
    assert differences(run, finished) == []


def test_a_download_that_is_killed_goes_on(new_run, mirror, monkeypatch):
    content = (mirror / "cichy92/fmri_EVC_RDMs.npz").read_bytes()
    halfway, released, requests = threading.Event(), threading.Event(), []

    def answer(handler):
        requests.append(handler.headers["Range"])
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if not halfway.is_set():
            handler.wfile.write(content[: len(content) // 2])
            halfway.set()
            released.wait(60)
        else:
            handler.wfile.write(content)

    target = ("--", "resources/cichy92-evc/fetched.json")
    with answering(answer) as address:
        new_run.environment |= {"RULEALIGN_DATA_MIRRORS": address, "NO_PROXY": "127.0.0.1"}
        process = new_run.begin(*target)
        try:
            interrupted.wait_for(halfway.is_set, process)
            interrupted.kill(process)
            unlock(new_run)
            new_run.snakemake(*target, check=True)
        finally:
            released.set()
    folder = new_run.folder / "resources/cichy92-evc"
    assert sorted(path.name for path in folder.iterdir()) == ["fetched.json", "fmri_EVC_RDMs.npz"]
    assert (folder / "fmri_EVC_RDMs.npz").read_bytes() == content
