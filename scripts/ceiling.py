"""The noise ceiling of one ROI, with its permutation null."""

from pathlib import Path

from rulealign.job import job
from rulealign.plan.settings.scores import CeilingSettings
from rulealign.rsa.ceiling_table import roi_ceiling

with job(snakemake):
    roi_ceiling(
        [Path(path) for path in snakemake.input.brain],
        snakemake.wildcards.roi,
        CeilingSettings.read(snakemake.params.settings),
        Path(snakemake.output[0]),
        *map(Path, snakemake.input.get("pairs", [])),
    )
