"""Bring the alignments of all rules and ROIs into one table, averaged over seeds."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.rsa.tables import alignment_table

with job(snakemake):
    alignment_table(
        [Path(path) for path in snakemake.input.tables],
        [Path(path) for path in snakemake.input.draws],
        json.loads(snakemake.params.settings),
        Path(snakemake.output[0]),
    )
