"""Bring the scores of the controls with all ROIs into one table."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.rsa.control_alignment import controls_table

with job(snakemake):
    controls_table(
        [Path(path) for path in snakemake.input.tables],
        [Path(path) for path in snakemake.input.draws],
        {**json.loads(snakemake.params.settings), "controls": list(snakemake.params.controls)},
        Path(snakemake.output[0]),
    )
