"""Bring the logs of all networks into one table."""

from pathlib import Path

from rulealign.job import job
from rulealign.learning.training_table import training_table

with job(snakemake):
    names = ("rule", "kind", "init", "seed", "epoch", "trains")
    training_table(
        [Path(path) for path in snakemake.input],
        [dict(zip(names, network, strict=True)) for network in snakemake.params.networks],
        Path(snakemake.output[0]),
    )
