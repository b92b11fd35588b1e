"""Measure how one network learned, at all its checkpoints."""

from pathlib import Path

from rulealign.job import job
from rulealign.learning.device import use_threads
from rulealign.learning.diagnostics import write_diagnostics
from rulealign.plan.settings.training import CheckpointSettings

with job(snakemake):
    use_threads(snakemake.threads)
    write_diagnostics(
        CheckpointSettings.read(snakemake.params.settings),
        int(snakemake.wildcards.seed),
        dict(zip(snakemake.params.epochs, map(Path, snakemake.input.checkpoints), strict=True)),
        Path(snakemake.input.images),
        Path(snakemake.output.table),
        Path(snakemake.output.filters),
    )
