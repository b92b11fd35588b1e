"""Bring the logs of all networks into one table."""

from pathlib import Path

from rulealign.job import job
from rulealign.learning.tables import LoggedNetwork, training_table

with job(snakemake):
    training_table(
        [Path(path) for path in snakemake.input],
        [LoggedNetwork(*network) for network in snakemake.params.networks],
        Path(snakemake.output[0]),
    )
