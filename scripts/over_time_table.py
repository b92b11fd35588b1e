"""Join the scores over time of all rules and ROIs."""

from pathlib import Path

from rulealign.job import job
from rulealign.plan.settings.score_tables import OverTimeTableSettings
from rulealign.rsa.over_time_table import over_time_table

with job(snakemake):
    over_time_table(
        [Path(path) for path in snakemake.input],
        OverTimeTableSettings.read(snakemake.params.settings),
        Path(snakemake.output[0]),
    )
