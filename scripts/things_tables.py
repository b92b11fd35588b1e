"""Get one subject's tables of voxels and trials, without any responses."""

from pathlib import Path

from rulealign.data.things.remote_rows import fetch_small_tables
from rulealign.job import job
from rulealign.plan.settings.brain import FormSettings

with job(snakemake):
    fetch_small_tables(
        FormSettings.read(snakemake.params.form).address,
        snakemake.wildcards.subject,
        Path(snakemake.output[0]).parent,
    )
