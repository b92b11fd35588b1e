"""A plan, a run and an error fit a screen, and an error ends with what to do."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

import interrupted
from helpers.snakemake_calls import Call
from interrupted import copy_of, jobs_of

pytestmark = pytest.mark.workflow

SCREEN = (45, 130)  # lines, and characters of a line


def fits(text, lines=SCREEN[0]):
    """Tell whether a text fits the screen, but for what Snakemake says before it reads a study."""
    shown = [line for line in text.splitlines() if not line.startswith("Using ")]
    return len(shown) <= lines and max(map(len, shown)) <= SCREEN[1]


def plan_of_the_default_study(project, folder, *arguments, **environment):
    """Plan the default study in an empty folder, as `snakemake -n` does; give what is printed."""
    words = ["--snakefile", project / "Snakefile", "--directory", folder, "--dry-run"]
    words += ["--configfile", project / "workflow_config.yaml", *arguments]
    told = {**os.environ, "RULEALIGN_EXPLAIN": "", **environment}
    done = Call(words, Path.cwd(), told).ended()
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) <= 1, done.stderr
    return done.stdout


def test_the_plan_of_the_default_study_ends_with_a_table_of_stages(project, tmp_path):
    text = plan_of_the_default_study(project, tmp_path)
    assert fits(text, lines=20), text
    lines = text[text.index("stage") :].splitlines()
    head, *rows, total = [line.split(maxsplit=2) for line in lines]
    assert head == ["stage", "jobs", "why"]
    assert {row[2] for row in rows} == {"not made yet"}
    stages = [path.stem for path in (project / "rules").glob("*.smk")]
    assert {row[0] for row in rows} <= set(stages)
    assert int(total[1]) == sum(int(row[1]) for row in rows) > 100


@pytest.mark.parametrize("how", [(), ("all",)])
def test_a_quiet_plan_is_quiet(project, tmp_path, how):
    text = plan_of_the_default_study(project, tmp_path, "--quiet", *how)
    assert "stage" not in text
    assert fits(text, lines=2), text


def test_who_reads_the_first_line_only_gets_no_traceback(project, tmp_path):
    command = f"{sys.executable} -m snakemake --snakefile {project}/Snakefile --dry-run"
    command += f" --configfile {project}/workflow_config.yaml --directory {tmp_path}"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -1"],
        env={**os.environ, "RULEALIGN_EXPLAIN": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr


NO_TIMER = """
from snakemake.cli import main
from snakemake.scheduling.job_scheduler import JobScheduler


def refuse(*_):
    raise AssertionError("a timer was set")


JobScheduler._schedule_reevalutation = refuse
main()
"""


def test_snakemake_looks_for_jobs_when_one_has_ended_and_at_no_other_time(new_run):
    # each timer sets another one, for every job that ends: hundreds of them keep a core busy
    study = new_run.folder / "study.yaml"
    study.write_text(yaml.safe_dump(new_run.study))
    words = ["results/small/training_set/images.h5", "--cores", "1", "--configfile", study]
    words += ["--snakefile", new_run.project / "Snakefile", "--directory", new_run.folder]
    command = [sys.executable, "-c", NO_TIMER, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (new_run.folder / "results/small/training_set/images.h5").is_file()


def test_a_run_has_a_line_where_a_job_starts_and_ends(finished):
    jobs = int(finished.first.output.partition("total")[2].split()[0])
    text = finished.first.output
    assert text.count("  start  ") == jobs
    assert all(f"  {done} of {jobs} " in text for done in range(1, jobs + 1))
    assert fits(text, lines=2 * jobs + SCREEN[0])
    assert text.rstrip().endswith("The report is results/small/report.html")


def test_a_failed_job_is_told_last_with_its_error_its_log_and_what_to_do(finished, tmp_path):
    run = copy_of(finished, tmp_path)
    checkpoint = run.folder / "results/small/checkpoints/net-cnn3_rule-fa_seed-1_epoch-0.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    failed = run.snakemake("--until", "train")
    assert failed.returncode == 1
    told = failed.output[failed.output.index("Failed: ") :].splitlines()
    assert told[0] == "Failed: Train cnn3 by fa, seed 1: epoch 0 to 1"
    assert "net-cnn3_rule-fa_seed-1_epoch-0.pt: was changed after it had been written" in told[1]
    assert told[2] == "  Log: results/small/logs/train_net-cnn3_rule-fa_seed-1_epoch-1.log"
    assert "rerun the command" in told[3]
    assert len(told) == 4
    for word in ("CalledProcessError", "Traceback", "Error in rule", "WorkflowError"):
        assert word not in failed.output
    assert len(failed.output.splitlines()) <= SCREEN[0], failed.output
    quiet = run.snakemake("--until", "train", "--quiet")
    assert quiet.returncode == 1
    assert "Failed: Train cnn3 by fa" in quiet.output
    assert "start" not in quiet.output


def send(processes, what):
    """Send a signal to those of the processes that still run."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, what)


@pytest.mark.parametrize("stopped", ["the job is killed", "the run is interrupted"])
def test_who_stops_a_run_is_told_apart(finished, tmp_path, stopped):
    run = copy_of(finished, tmp_path)
    run.study["stimuli"]["grey"]["background"] = "another"
    process = run.begin("--until", "stimuli")
    if stopped == "the job is killed":
        interrupted.kill_one(process, "stimuli")
    else:
        assert interrupted.wait_for(lambda: jobs_of(process, "stimuli"), process)
        held = jobs_of(process, "stimuli")
        send(held, signal.SIGSTOP)  # they last a second, and must not end before the run is stopped
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C
        send(held, signal.SIGCONT)
    assert process.wait() != 0
    last = process.output().rstrip()
    if stopped == "the job is killed":
        assert "Failed: Prepare the stimulus set grey at 32 px" in last
        assert "the machine was out of memory" in last
    else:
        assert "out of memory" not in last
        assert "The run was stopped before its end." in last
    assert last.endswith("it continues from here.")
