"""Make the network of epoch 0 of one rule and seed."""

from pathlib import Path

from rulealign.job import job
from rulealign.learning.trainer import initial_checkpoint, use_threads
from rulealign.plan.settings.training import CheckpointSettings

with job(snakemake):
    use_threads(snakemake.threads)
    initial_checkpoint(
        CheckpointSettings.read(snakemake.params.settings),
        int(snakemake.wildcards.seed),
        Path(snakemake.input.images),
        Path(snakemake.output.checkpoint),
        Path(snakemake.output.table),
        next(map(Path, snakemake.input.calibration), None),
        [Path(path) for path in snakemake.input.compared],
    )
