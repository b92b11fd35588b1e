"""Compare the subjects' orders and RDMs, gather all quality checks, and name what is wrong."""

from pathlib import Path

from rulealign.job import job
from rulealign.plan.settings.brain import QualityTableSettings
from rulealign.rsa.quality.rows import log_lines
from rulealign.rsa.quality.table import quality_table

with job(snakemake):
    subjects = snakemake.params.subjects
    table = quality_table(
        Path(snakemake.output[0]),
        brain=[Path(path) for path in snakemake.input.brain],
        trials=dict(zip(subjects, map(Path, snakemake.input.trials), strict=True)),
        acquisition=dict(zip(subjects, map(Path, snakemake.input.acquisition), strict=True)),
        parts=[Path(path) for path in snakemake.input.parts],
        responses=[Path(path) for path in snakemake.input.responses],
        settings=QualityTableSettings.read(snakemake.params.settings),
    )
    for line in log_lines(table):
        print(line)
