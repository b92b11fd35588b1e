"""Run a study through profiles/slurm while things go wrong, and compare it with a local run.

python interrupted_run.py <checkout> <local results> [arguments for snakemake ...]
"""

import atexit
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

DEADLINE = time.monotonic() + 540  # seconds; the test as a whole may take ten minutes
# smaller than those of profiles/slurm, so that a small study, too, keeps both nodes busy: its brain
# data make a job per person, its alignments three jobs
GROUPS = ("brain=1", "stimuli=6", "alignment=3", "ceiling=4")


def tell(what):
    print(f"[{540 - DEADLINE + time.monotonic():4.0f} s] {what}", flush=True)


def slurm(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    return done.stdout


def jobs(*states):
    """List (id, node, rule or group, name) of Slurm's jobs, newest last."""
    wanted = ["--states", ",".join(states or ("all",))]
    lines = slurm("squeue", "--noheader", *wanted, "--format", "%i|%N|%k|%T|%C|%m|%l|%M|%P")
    return sorted((line.split("|") for line in lines.splitlines()), key=lambda job: int(job[0]))


def megabytes(job):
    """Give the memory that a job asked for (MB)."""
    return int(job[5].removesuffix("M"))


def wait_for(what, condition, process=None):
    """Wait until a condition gives something, and give it."""
    while True:
        found = condition()
        if found:
            return found
        if process is not None and process.poll() is not None:
            raise SystemExit(f"snakemake ended ({process.returncode}) before {what}")
        if time.monotonic() > DEADLINE:
            raise SystemExit(f"out of time, waiting until {what}")
        time.sleep(0.5)


class Study:
    """A checkout in which the study is run, and Snakemake's calls in it."""

    def __init__(self, checkout, arguments):
        self.checkout, self.arguments = Path(checkout), arguments
        self.log = self.checkout / "cluster_run.log"
        self.slurm = self.checkout.parent / "slurm"

    def snakemake(self, *more):
        """Start Snakemake as the leader of its own processes, its output in the log."""
        command = [sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm"]
        command += ["--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "15"]
        command += ["--group-components", *GROUPS]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*command, *self.arguments, *more],
                cwd=self.checkout,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # a shell's background job ignores it, and so would every process below
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )
        atexit.register(kill, process)
        return process

    def said(self, pattern):
        return re.search(pattern, self.log.read_text(errors="replace"))

    def checkpoints(self):
        found = self.checkout.glob("results/*/checkpoints/*.pt")
        return {str(path): path.stat().st_mtime_ns for path in found}


def kill(process):
    """Kill a process and all that it started, if it still runs."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def running(group, node=""):
    """List the running jobs of a group or rule, on any node or on one."""
    kept = [job for job in jobs("running") if job[2].startswith(f"rule_{group}")]
    return [job for job in kept if job[1].startswith(node)]


def refuse_what_cannot_be_had(study):
    """Ask for more than the nodes have, and for a partition that does not exist."""
    for said, arguments, environment in (
        ("rule train asks for 900000 MB of memory", ("--set-resources", "train:mem_mb=900000"), {}),
        ("partition nowhere: Slurm does not know it", (), {"RULEALIGN_PARTITION": "nowhere"}),
    ):
        before = dict(os.environ)
        os.environ.update(environment)
        assert study.snakemake(*arguments).wait() != 0, said
        os.environ.update(before)
        assert study.said(said), f"not explained: {said}"
    assert not jobs(), "a job was submitted"
    assert not (study.checkout / "results").exists(), "something was computed"
    tell("what no node can give is refused before anything is submitted")


def requests_are_those_of_the_members(listed):
    """Hold against what each group should ask for: 1 CPU, and its largest member's memory."""
    assert {job[4] for job in listed} == {"1"}, "a group asks for CPUs that it does not use"
    chains = [job for job in listed if job[2].startswith("rule_chain")]
    assert {job[8] for job in chains} == {"networks"}
    largest = {"3000M", "6000M", "9000M", "2000M", "4000M"}  # 2000: no activations were left to do
    assert {job[5] for job in chains} <= largest, "not the largest member's"
    assert len(listed) <= 40, "jobs of seconds are not batched"


def cancel_a_chain(study, process):
    """Cancel one Slurm job: it comes back, with twice the memory."""
    before = wait_for("a chain runs", lambda: running("chain"), process)[0]
    slurm("scancel", before[0])
    tell(f"cancelled job {before[0]} ({before[2]}, {before[5]})")
    again = wait_for(
        "the cancelled chain is submitted again",
        lambda: [job for job in jobs() if job[2].startswith("rule_chain") and job[5] != before[5]],
        process,
    )[0]
    tell(f"it came back as job {again[0]}, with {again[5]}")
    assert megabytes(again) == 2 * megabytes(before)


def take_a_node_down(study, process):
    """Take a node down under its jobs: they are lost, and come back with more memory."""
    numbers = wait_for("chains run on n2", lambda: started_on("n2"), process)
    last = int(jobs()[-1][0])
    end(int((study.slurm / "n2.pid").read_text()))
    while members := processes_of(numbers):
        for member in members:
            end(member)
    slurm("scontrol", "update", "nodename=n2", "state=down", "reason=test")
    tell(f"took n2 down under jobs {', '.join(sorted(numbers))}")
    wait_for(
        "the loss is noticed",
        lambda: not {job[0] for job in jobs("running", "completing")} & numbers,
        process,
    )
    ended = [job for job in jobs() if job[0] in numbers]
    lost = [job for job in ended if job[3] == "NODE_FAIL"]
    # one may have completed in the moment before
    others = [job for job in ended if job[3] not in ("NODE_FAIL", "COMPLETED")]
    assert lost, f"none was lost: {ended}"
    assert not others, f"ended otherwise: {others}"
    wanted = Counter((job[2], 2 * megabytes(job)) for job in lost)
    wait_for(
        "what was lost is submitted again, with twice the memory",
        lambda: wanted <= Counter((job[2], megabytes(job)) for job in jobs() if int(job[0]) > last),
        process,
    )
    slurm("slurmd", "-N", "n2")
    slurm("scontrol", "update", "nodename=n2", "state=resume")
    tell("what was lost is submitted again; n2 is back")


def started_on(node):
    """Give the numbers of a node's running chains, once Slurm's daemons run all their scripts."""
    numbers = {job[0] for job in running("chain", node)}
    all_started = all(len(processes_of({number})) > 1 for number in numbers)
    return numbers if all_started else None


def processes_of(numbers):
    """List the processes of Slurm jobs on this machine, their daemons first.

    A daemon (slurmstepd) that outlived its job would report a failed job, not a lost node.
    """
    titles = {f"slurmstepd: [{number}.".encode() for number in numbers}
    wanted = {f"SLURM_JOB_ID={number}".encode() for number in numbers}
    daemons, others = [], []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.joinpath("cmdline").read_bytes().startswith(tuple(titles)):
                daemons.append(int(process.name))
            elif wanted & set(process.joinpath("environ").read_bytes().split(b"\0")):
                others.append(int(process.name))
        except OSError:
            continue  # it has ended
    return daemons + others


def end(process):
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def kill_the_main_process(study, process):
    """Kill Snakemake itself: what Slurm has goes on, and is not run again."""
    wait_for("two chains are done", lambda: len(done("chain")) >= 2, process)
    kill(process)
    tell(f"killed the main process; Slurm goes on with {len(jobs('running', 'pending'))} jobs")
    wait_for("Slurm has no job left", lambda: not jobs("running", "pending", "completing"))
    assert study.snakemake().wait() != 0, "a lock should have been left"
    assert study.said("Directory cannot be locked"), "the lock is not explained"
    assert study.snakemake("--unlock").wait() == 0


def done(group):
    return [job for job in jobs("completed") if job[2].startswith(f"rule_{group}")]


def different(one, other):
    """List results that are missing in one of two folders, or have other bytes; logs have times."""
    names = {
        path.relative_to(folder)
        for folder in (one, other)
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] != "logs"
    }
    assert len(names) > 50, f"{one}: hardly any results"
    return sorted(
        str(name)
        for name in names
        if not (one / name).exists()
        or not (other / name).exists()
        or (one / name).read_bytes() != (other / name).read_bytes()
    )


def main(checkout, local, *arguments):
    study = Study(checkout, arguments)
    refuse_what_cannot_be_had(study)
    process = study.snakemake()
    cancel_a_chain(study, process)
    take_a_node_down(study, process)
    kill_the_main_process(study, process)
    kept = study.checkpoints()
    tell(f"{len(kept)} checkpoints are there; the same command again")
    last = study.snakemake()
    wait_for("the study is complete", lambda: last.poll() is not None)
    tell(f"snakemake ended with {last.returncode}")
    for job in jobs():
        print("  ", *job)
    requests_are_those_of_the_members(jobs())
    assert last.returncode == 0, study.log.read_text()[-5000:]
    again = [path for path, time in kept.items() if study.checkpoints()[path] != time]
    assert not again, f"trained again after the main process was killed: {again}"
    result = study.checkout / "results" / Path(local).name
    wrong = different(result, Path(local))
    assert not wrong, f"not as in the local run: {wrong}"
    tell("all results have the bytes of the local run")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped from outside"))
    main(*sys.argv[1:])
