"""Score the layers of one arm against one ROI at each time."""

from pathlib import Path

from rulealign.arm import Arm
from rulealign.job import job
from rulealign.plan.settings.scores import OverTimeSettings
from rulealign.rsa.over_time import write_over_time

with job(snakemake):
    write_over_time(
        [Path(path) for path in snakemake.input.models],
        [Path(path) for path in snakemake.input.brain],
        Arm(snakemake.wildcards.network, snakemake.wildcards.rule),
        snakemake.wildcards.roi,
        OverTimeSettings.read(snakemake.params.settings),
        Path(snakemake.output[0]),
        *map(Path, snakemake.input.get("pairs", [])),
    )
