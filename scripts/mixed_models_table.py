"""Fit a mixed model of seeds and subjects to every claim."""

import json
from pathlib import Path

from rulealign.claims.mixed_models import mixed_models_table
from rulealign.job import job

with job(snakemake):
    mixed_models_table(
        Path(snakemake.input[0]),
        json.loads(snakemake.params.settings),
        Path(snakemake.output[0]),
    )
