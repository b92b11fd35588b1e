"""How long `snakemake --dry-run` takes: its start, and per job; `plan.py [runs]`, the best of 3.

Also the part of the start that reads the library: all files parsed, and none that is known.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rulealign.rerun.code_fingerprint import Sources

PROJECT = Path(__file__).parent.parent
RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 3


def plan(*arguments: str) -> tuple[float, int]:
    """Time one dry run: seconds (the best of the runs) and jobs."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT / "Snakefile")]
    seconds, jobs = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(RUNS):
            start = time.perf_counter()
            done = subprocess.run(
                [*command, "--directory", folder, "--dry-run", "--quiet", "rules", *arguments],
                capture_output=True,
                text=True,
                check=True,
            )
            seconds.append(time.perf_counter() - start)
            jobs = int(re.search(r"^total +(\d+)$", done.stdout + done.stderr, re.MULTILINE)[1])
    return min(seconds), jobs


def reading() -> tuple[float, float]:
    """Time the fingerprints of all code: CPU seconds without notes, and with all noted."""
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder)
        Sources(PROJECT / "scripts", remember=notes).versions()
        spent = []
        for remember in (None, notes):
            start = time.process_time()
            Sources(PROJECT / "scripts", remember=remember).versions()
            spent.append(time.process_time() - start)
    return spent[0], spent[1]


if __name__ == "__main__":
    parsed, noted = reading()
    print(f"all code: {parsed:.2f} CPU s parsed, {noted:.3f} noted: {parsed / noted:.0f} times")
    one = "training={seeds: [42]}"
    for name in ("cichy92", "things"):
        full = str(PROJECT / "studies" / f"{name}.yaml")
        small_seconds, small_jobs = plan("--configfile", full, "--config", one)
        seconds, jobs = plan("--configfile", full)
        per_job = (seconds - small_seconds) / (jobs - small_jobs)
        print(
            f"{name}: {small_jobs} jobs {small_seconds:.2f} s, {jobs} jobs {seconds:.2f} s:",
            end=" ",
        )
        print(f"start {seconds - jobs * per_job:.2f} s, then {1000 * per_job:.1f} ms a job")
