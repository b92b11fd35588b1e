"""Bring the layer x ROI rows of all arms and ROIs into one table, averaged over seeds."""

from pathlib import Path

from rulealign.job import job
from rulealign.plan.settings.score_tables import LayersTableSettings
from rulealign.rsa.joined_tables import layers_table

with job(snakemake):
    layers_table(
        [Path(path) for path in snakemake.input],
        LayersTableSettings.read(snakemake.params.settings),
        Path(snakemake.output[0]),
    )
