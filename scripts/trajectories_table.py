"""Measure every rule's course of alignment over training."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.rsa.trajectory_table import trajectories_table

with job(snakemake):
    trajectories_table(
        [Path(path) for path in snakemake.input.tables],
        [Path(path) for path in snakemake.input.draws],
        json.loads(snakemake.params.settings),
        Path(snakemake.output[0]),
    )
