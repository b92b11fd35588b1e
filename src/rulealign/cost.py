"""What a study cost: `python -m rulealign.cost results/<study>` sums the logs of its jobs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd

from rulealign.errors import StoreError

LINE = re.compile(
    r"^(?:machine: (.*)\n)?cost of (\w+): wall ([\d.]+) s, cpu ([\d.]+) s, peak (\d+) MB$",
    re.MULTILINE,
)
"""The last lines of a finished job's log, as `rulealign.job` writes them."""


def job_table(results: Path) -> pd.DataFrame:
    """List what the finished jobs of a study cost, from the last lines of their logs.

    Args:
        results: the study's folder of results, with `logs/`.

    Returns:
        One row per log, sorted by name: `job` (the log's name), `stage` (the workflow's
        rule), `wall_s`, `cpu_s` (imports
        included), `peak_mb` and `machine`. Jobs that were killed or failed have no such lines, and
        are not in it; logs of jobs that a later study file has no more are.

    Raises:
        StoreError: there are no logs of finished jobs.
    """
    rows = []
    for path in sorted((results / "logs").glob("*.log")):
        if found := LINE.findall(path.read_text()):
            machine, stage, *numbers = found[-1]
            rows.append((path.stem, stage, *map(float, numbers), machine))
    if not rows:
        raise StoreError(f"{results / 'logs'}: there are no logs of finished jobs here.")
    return pd.DataFrame(rows, columns=["job", "stage", "wall_s", "cpu_s", "peak_mb", "machine"])


def cost_table(results: Path) -> pd.DataFrame:
    """Sum what the jobs of a study cost, by stage.

    Args:
        results: the study's folder of results, with `logs/`.

    Returns:
        One row per stage and a last one for all: jobs, wall-clock and CPU time (minutes, imports
        included in CPU time), peak memory of the largest job (MB).

    Raises:
        StoreError: there are no logs of finished jobs.
    """
    jobs = job_table(results)
    grouped = pd.concat([jobs, jobs.assign(stage="all")]).groupby("stage", sort=False)
    return pd.DataFrame(
        {
            "jobs": grouped.size(),
            "wall_minutes": grouped["wall_s"].sum() / 60,
            "cpu_minutes": grouped["cpu_s"].sum() / 60,
            "peak_mb": grouped["peak_mb"].max(),
        }
    ).reset_index()


if __name__ == "__main__":
    print(cost_table(Path(sys.argv[1])).to_string(index=False, float_format="%.1f"))
