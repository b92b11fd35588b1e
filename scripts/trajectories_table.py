"""Measure every rule's course of alignment over training, and hold it against its baseline."""

from pathlib import Path

from rulealign.job import job
from rulealign.plan.settings.score_tables import BaselineSettings, TrajectorySettings
from rulealign.rsa.baseline_table import baselines_table
from rulealign.rsa.trajectory_table import trajectories_table

with job(snakemake):
    trajectories_table(
        [Path(path) for path in snakemake.input.tables],
        [Path(path) for path in snakemake.input.draws],
        TrajectorySettings.read(snakemake.params.settings),
        Path(snakemake.output.courses),
    )
    baselines_table(
        [Path(path) for path in snakemake.input.get("compared", [])],
        [Path(path) for path in snakemake.input.get("compared_draws", [])],
        BaselineSettings.read(snakemake.params.baselines),
        Path(snakemake.output.baselines),
    )
