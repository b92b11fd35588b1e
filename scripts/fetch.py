"""Get one dataset of the registry into resources/."""

from pathlib import Path

from rulealign.data.download.fetch import fetch, mirrors_in_force
from rulealign.job import job

with job(snakemake):
    fetch(
        snakemake.wildcards.dataset,
        Path(snakemake.output[0]).parent.parent,
        mirrors_in_force(snakemake.config["mirrors"]),
    )
