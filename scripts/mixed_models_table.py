"""Fit a mixed model of seeds and subjects to every claim."""

from pathlib import Path

from rulealign.claims.mixed_models import mixed_models_table
from rulealign.job import job
from rulealign.plan.settings.claims import MixedModelsSettings

with job(snakemake):
    mixed_models_table(
        Path(snakemake.input[0]),
        MixedModelsSettings.read(snakemake.params.settings),
        Path(snakemake.output[0]),
    )
