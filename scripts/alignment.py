"""Hold the RDMs of one arm against the RDMs of one ROI."""

from pathlib import Path

from rulealign.arm import Arm
from rulealign.job import job
from rulealign.plan.settings.scores import AlignmentSettings
from rulealign.rsa.alignment import align

with job(snakemake):
    align(
        [Path(path) for path in snakemake.input.models],
        [Path(path) for path in snakemake.input.brain],
        Arm(snakemake.wildcards.network, snakemake.wildcards.rule),
        snakemake.wildcards.roi,
        AlignmentSettings.read(snakemake.params.settings),
        Path(snakemake.output.table),
        Path(snakemake.output.draws),
        *map(Path, snakemake.input.get("pairs", [])),
        layers=Path(snakemake.output.layers),
        work_mb=snakemake.resources.bootstrap_mb,
        threads=snakemake.threads,
    )
