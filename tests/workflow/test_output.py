"""A plan, a run and an error fit a screen, and an error ends with what to do."""

import os
import signal
import subprocess
import sys

import pytest

import interrupted
from interrupted import copy_of, jobs_of

pytestmark = pytest.mark.workflow

SCREEN = (45, 130)  # lines, and characters of a line


def fits(text, lines=SCREEN[0]):
    """Tell whether a text fits the screen, but for what Snakemake says before it reads a study."""
    shown = [line for line in text.splitlines() if not line.startswith("Using ")]
    return len(shown) <= lines and max(map(len, shown)) <= SCREEN[1]


def plan_of_the_default_study(project, folder, *arguments, **environment):
    """Plan the default study in an empty folder, as `snakemake -n` does; give what is printed."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", project / "Snakefile"]
    command += ["--configfile", project / "workflow_config.yaml", "--directory", folder]
    done = subprocess.run(
        [*map(str, command), "--dry-run", *arguments],
        env={**os.environ, "RULEALIGN_EXPLAIN": "", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
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


def test_a_run_has_a_line_where_a_job_starts_and_ends(finished):
    jobs = int(finished.first.output.partition("total")[2].split()[0])
    text = finished.first.output
    assert text.count("  start  ") == jobs
    assert all(f"  {done} of {jobs} " in text for done in range(1, jobs + 1))
    assert fits(text, lines=2 * jobs + SCREEN[0])
    assert text.rstrip().endswith("The report is results/small/report.html")


def test_a_failed_job_is_told_last_with_its_error_its_log_and_what_to_do(finished, tmp_path):
    run = copy_of(finished, tmp_path)
    checkpoint = run.folder / "results/small/checkpoints/rule-fa_seed-1_epoch-0.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    failed = run.snakemake("--until", "train")
    assert failed.returncode == 1
    told = failed.output[failed.output.index("Failed: ") :].splitlines()
    assert told[0] == "Failed: Train fa, seed 1: epoch 0 to 1"
    assert "rule-fa_seed-1_epoch-0.pt: was changed after it had been written" in told[1]
    assert told[2] == "  Log: results/small/logs/train_rule-fa_seed-1_epoch-1.log"
    assert "rerun the command" in told[3]
    assert len(told) == 4
    for word in ("CalledProcessError", "Traceback", "Error in rule", "WorkflowError"):
        assert word not in failed.output
    assert len(failed.output.splitlines()) <= SCREEN[0], failed.output
    quiet = run.snakemake("--until", "train", "--quiet")
    assert quiet.returncode == 1
    assert "Failed: Train fa" in quiet.output
    assert "start" not in quiet.output


@pytest.mark.parametrize("stopped", ["the job is killed", "the run is interrupted"])
def test_who_stops_a_run_is_told_apart(finished, tmp_path, stopped):
    run = copy_of(finished, tmp_path)
    run.study["stimuli"]["grey"]["background"] = "another"
    process = run.begin("--until", "stimuli")
    assert interrupted.wait_for(lambda: jobs_of(process, "stimuli"), process)
    jobs = jobs_of(process, "stimuli")
    for job in jobs:
        os.kill(job, signal.SIGSTOP)  # it lasts a second, and must not end before it is stopped
    if stopped == "the job is killed":
        os.kill(jobs[0], signal.SIGKILL)
    else:
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C
    for job in jobs:
        os.kill(job, signal.SIGCONT)
    assert process.wait() != 0
    last = process.output().rstrip()
    if stopped == "the job is killed":
        assert "Failed: Prepare the stimulus set grey at 32 px" in last
        assert "the machine was out of memory" in last
    else:
        assert "out of memory" not in last
        assert "The run was stopped before its end." in last
    assert last.endswith("it continues from here.")
