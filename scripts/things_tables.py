"""Get one subject's tables of voxels and trials, without any responses."""

import json
from pathlib import Path

from rulealign.data.things.remote_rows import fetch_small_tables
from rulealign.job import job

with job(snakemake):
    fetch_small_tables(
        json.loads(snakemake.params.form)["address"],
        snakemake.wildcards.subject,
        Path(snakemake.output[0]).parent,
    )
