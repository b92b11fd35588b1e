"""The noise ceiling of one ROI, with its permutation null."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.rsa.ceiling_table import roi_ceiling

with job(snakemake):
    roi_ceiling(
        [Path(path) for path in snakemake.input.brain],
        {**json.loads(snakemake.params.settings), "roi": snakemake.wildcards.roi},
        Path(snakemake.output[0]),
        *map(Path, snakemake.input.get("pairs", [])),
    )
