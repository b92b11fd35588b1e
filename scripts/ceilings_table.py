"""Bring the noise ceilings of all ROIs into one table."""

from pathlib import Path

from rulealign.job import job
from rulealign.plan.settings.scores import CeilingSettings
from rulealign.rsa.joined_tables import ceilings_table

with job(snakemake):
    ceilings_table(
        [Path(path) for path in snakemake.input],
        snakemake.params.rois,
        CeilingSettings.read(snakemake.params.settings),
        Path(snakemake.output[0]),
    )
