"""What large studies cost: `python benchmarks/scaling.py --results results/cichy92_jpeg`.

Times `snakemake --dry-run` of generated studies of 1,000, 10,000 and 50,000 jobs, one after the
other, and works out jobs, bytes and CPU time of the THINGS study, and of one ten times as large,
from what the jobs of a finished study cost (the `cost:` lines of its logs). Both tables are written
into docs/scaling.md, between its markers. Without --results only the dry runs are made; `--jobs`
without numbers makes none. It takes about four minutes.
"""

import argparse
import copy
import os
import re
import subprocess
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path

import yaml

import scaling_estimate

PROJECT = Path(__file__).parent.parent
PAGE = PROJECT / "docs" / "scaling.md"
SEEDS = 10
JOBS_OF_A_RULE = 190  # 10 seeds x (8 checkpoints + 1 + 2 sizes x 8) at most, and 6 ROIs


def study_of(jobs: int) -> dict:
    """Make a study of about as many jobs: THINGS with 10 seeds, and rules in several copies."""
    study = yaml.safe_load((PROJECT / "studies" / "things.yaml").read_text())
    # from the last one, because the first are controls, which have one checkpoint only
    rules = islice(cycle(reversed(study["rules"].items())), max(1, jobs // JOBS_OF_A_RULE))
    study["study"] = f"jobs_{jobs}"
    study["rules"] = {
        f"{label}_{number}": copy.deepcopy(settings)
        for number, (label, settings) in enumerate(rules)
    }
    used = {settings.get("images") for settings in study["rules"].values()}
    study["calibration"] = {key: v for key, v in study["calibration"].items() if key in used}
    study["training"]["seeds"] = list(range(1, SEEDS + 1))
    # claims name rules, of which the copies have other names; they are a few jobs
    study["claims"] = {}
    study["universes"] |= {"baseline": ["own"], "initialisation": {"default": {}}}
    return study


def plan(study: dict, *arguments: str) -> tuple[int, float, float]:
    """Make one dry run at low priority: jobs, CPU seconds, and peak memory (MB)."""
    with tempfile.TemporaryDirectory() as folder:
        file, log = Path(folder, "study.yaml"), Path(folder, "output")
        file.write_text(yaml.safe_dump(study, sort_keys=False))
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT / "Snakefile")]
        command += ["--directory", folder, "--configfile", str(file), "--dry-run"]
        command += ["--quiet", "rules", *arguments]
        with log.open("wb") as output:
            process = subprocess.Popen(["nice", *command], stdout=output, stderr=output)
            _, status, usage = os.wait4(process.pid, 0)
        seconds = usage.ru_utime + usage.ru_stime
        text = log.read_text()
        if status:
            sys.exit(f"{' '.join(command)} failed:\n{text}")
    jobs = int(re.search(r"^total +(\d+)$", text, re.MULTILINE)[1])
    return jobs, seconds, usage.ru_maxrss / 1000


def plans(sizes: list[int]) -> str:
    """Table the dry runs of several sizes; of the largest also those of parts of it."""
    rows = [("whole study", *plan(study_of(size))) for size in sizes]
    part = study_of(max(sizes))
    arm = f"net-{next(iter(part['networks']))}_rule-{next(iter(part['rules']))}"
    one = f"results/{part['study']}/alignment/{arm}_roi-V1.csv"
    rows.append((f"of it, `--batch alignment_table=1/{SEEDS}`", *_batch(part)))
    rows.append(("of it, one file: one rule in one ROI", *plan(part, "--", one)))
    lines = [
        "| what is planned | jobs | CPU seconds | peak memory, MB | ms a job |",
        "|---|---|---|---|---|",
    ]
    for what, jobs, seconds, memory in rows:
        lines.append(
            f"| {what} | {jobs:,} | {seconds:.1f} | {memory:,.0f} | {1e3 * seconds / jobs:.1f} |"
        )
    return "\n".join(lines)


def _batch(study: dict) -> tuple[int, float, float]:
    target = f"results/{study['study']}/statistics/alignment.csv"
    return plan(study, "--batch", f"alignment_table=1/{SEEDS}", "--", target)


def write(marker: str, table: str) -> None:
    """Put a table into the page, between the comments that name it."""
    begin, end = f"<!-- {marker}: written by benchmarks/scaling.py -->", f"<!-- end of {marker} -->"
    before, found, rest = PAGE.read_text().partition(begin)
    _, also, after = rest.partition(end)
    if not found or not also:
        sys.exit(f"{PAGE}: lacks the comments {begin} and {end}")
    PAGE.write_text(f"{before}{begin}\n{table}\n{end}{after}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, nargs="*", default=[1000, 10_000, 50_000])
    parser.add_argument("--results", type=Path, help="a finished study, with its logs")
    given = parser.parse_args()
    tables = {"plans": plans(given.jobs)} if given.jobs else {}
    if given.results:
        tables |= scaling_estimate.tables(given.results)
    for name, text in tables.items():
        print(f"{text}\n")
        write(name, text)
