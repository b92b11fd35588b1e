"""Bring the layer x area rows of all rules and ROIs into one table, averaged over seeds."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.rsa.joined_tables import layers_table

with job(snakemake):
    layers_table(
        [Path(path) for path in snakemake.input],
        json.loads(snakemake.params.settings),
        Path(snakemake.output[0]),
    )
