"""Bring the noise ceilings of all ROIs into one table."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.rsa.joined_tables import ceilings_table

with job(snakemake):
    ceilings_table(
        [Path(path) for path in snakemake.input],
        json.loads(snakemake.params.settings),
        Path(snakemake.output[0]),
    )
