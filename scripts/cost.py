"""Collect what the study's jobs cost from their logs."""

from pathlib import Path

from rulealign.job import job
from rulealign.report.cost_page import write_cost

with job(snakemake):
    page = Path(snakemake.output.page)
    write_cost(page.parent.parent, Path(snakemake.output.table), page)
