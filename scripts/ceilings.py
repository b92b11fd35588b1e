"""Noise ceilings of every ROI, with their permutation null."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.rsa.ceiling import ceilings_table

with job(snakemake.log[0], snakemake.threads):
    ceilings_table(
        [Path(path) for path in snakemake.input.brain],
        json.loads(snakemake.params.settings),
        Path(snakemake.output[0]),
        *map(Path, snakemake.input.get("pairs", [])),
    )
