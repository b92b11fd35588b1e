"""What a study cost: `python -m rulealign.cost results/<study>` sums the logs of its jobs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd

from rulealign.errors import StoreError

LINE = re.compile(r"^cost: wall ([\d.]+) s, cpu ([\d.]+) s, peak (\d+) MB$", re.MULTILINE)
STAGES = (
    "fetch",
    "training_set",
    "simulate",
    "stimuli",
    "things_tables",
    "things_unpack",
    "trials",
    "responses",
    "quality_table",
    "quality",
    "pairs",
    "brain_rdm",
    "check_inputs",
    "training_table",
    "train",
    "activations",
    "diagnostics_table",
    "diagnostics",
    "controls_table",
    "controls",
    "control_alignment",
    "alignment_table",
    "alignment",
    "ceilings_table",
    "ceiling",
    "layers_table",
    "trajectories_table",
    "universes",
    "claims_figure",
    "claims",
    "figures",
    "provenance",
    "report",
)
"""What the names of logs begin with; the longest that fits is the stage."""


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
    rows = [
        (_stage(path.stem), *map(float, found[-1]))
        for path in sorted((results / "logs").glob("*.log"))
        if (found := LINE.findall(path.read_text()))
    ]
    if not rows:
        raise StoreError(f"{results / 'logs'}: there are no logs of finished jobs here.")
    jobs = pd.DataFrame(rows, columns=["stage", "wall", "cpu", "peak"])
    total = jobs.assign(stage="all")
    grouped = pd.concat([jobs, total]).groupby("stage", sort=False)
    return pd.DataFrame(
        {
            "jobs": grouped.size(),
            "wall_minutes": grouped["wall"].sum() / 60,
            "cpu_minutes": grouped["cpu"].sum() / 60,
            "peak_mb": grouped["peak"].max(),
        }
    ).reset_index()


def _stage(log: str) -> str:
    return next((stage for stage in sorted(STAGES, key=len)[::-1] if log.startswith(stage)), log)


if __name__ == "__main__":
    print(cost_table(Path(sys.argv[1])).to_string(index=False, float_format="%.1f"))
