"""Bring the scores of the controls with all ROIs into one table."""

from pathlib import Path

from rulealign.job import job
from rulealign.plan.settings.scores import ScoreSettings
from rulealign.rsa.control_alignment import controls_table

with job(snakemake):
    controls_table(
        [Path(path) for path in snakemake.input.tables],
        [Path(path) for path in snakemake.input.draws],
        list(snakemake.params.controls),
        ScoreSettings.read(snakemake.params.settings),
        Path(snakemake.output[0]),
    )
