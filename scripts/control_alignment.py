"""Hold all controls against the RDMs of one ROI."""

from pathlib import Path

from rulealign.job import job
from rulealign.plan.settings.scores import ScoreSettings
from rulealign.rsa.control_alignment import align_controls

with job(snakemake):
    align_controls(
        [Path(path) for path in snakemake.input.controls],
        [Path(path) for path in snakemake.input.brain],
        snakemake.wildcards.roi,
        ScoreSettings.read(snakemake.params.settings),
        Path(snakemake.output.table),
        Path(snakemake.output.draws),
        *map(Path, snakemake.input.get("pairs", [])),
        work_mb=snakemake.resources.bootstrap_mb,
        threads=snakemake.threads,
    )
