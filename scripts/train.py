"""Train one rule's network on from the checkpoint before."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.learning.trainer import train_stretch, use_threads

with job(snakemake):
    use_threads(snakemake.threads)
    train_stretch(
        json.loads(snakemake.params.settings),
        int(snakemake.wildcards.seed),
        Path(snakemake.input.previous),
        snakemake.params.start,
        int(snakemake.wildcards.epoch),
        Path(snakemake.input.images),
        Path(snakemake.output.checkpoint),
        Path(snakemake.output.table),
    )
