"""Make a checkpoint of a network that learned elsewhere."""

from pathlib import Path

from rulealign.job import job
from rulealign.learning.device import use_threads
from rulealign.learning.given_states import given_checkpoint
from rulealign.plan.settings.training import CheckpointSettings

with job(snakemake):
    use_threads(snakemake.threads)
    given_checkpoint(
        CheckpointSettings.read(snakemake.params.settings),
        int(snakemake.wildcards.seed),
        int(snakemake.wildcards.epoch),
        Path(*snakemake.input.file),
        Path(snakemake.input.images),
        Path(snakemake.output.checkpoint),
        Path(snakemake.output.table),
    )
