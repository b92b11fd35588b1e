"""Bring the alignments of all arms and ROIs into tables: averaged over seeds, and by subject."""

from pathlib import Path

from rulealign.job import job
from rulealign.plan.settings.score_tables import AlignmentTableSettings
from rulealign.rsa.tables import alignment_table

with job(snakemake):
    alignment_table(
        [Path(path) for path in snakemake.input.tables],
        [Path(path) for path in snakemake.input.draws],
        AlignmentTableSettings.read(snakemake.params.settings),
        Path(snakemake.output.table),
        Path(snakemake.output.subjects),
    )
