"""Train one rule's network on from the checkpoint before."""

from pathlib import Path

from rulealign.job import job
from rulealign.learning.trainer import train_stretch, use_threads
from rulealign.plan.settings.training import CheckpointSettings

with job(snakemake):
    use_threads(snakemake.threads)
    train_stretch(
        CheckpointSettings.read(snakemake.params.settings),
        int(snakemake.wildcards.seed),
        Path(snakemake.input.previous),
        snakemake.params.start,
        int(snakemake.wildcards.epoch),
        Path(snakemake.input.images),
        Path(snakemake.output.checkpoint),
        Path(snakemake.output.table),
    )
