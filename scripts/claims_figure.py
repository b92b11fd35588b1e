"""Draw every claim in every universe."""

from pathlib import Path

from rulealign.job import job
from rulealign.report.claims_overview import draw_claims
from rulealign.store import read_csv

with job(snakemake):
    draw_claims(
        read_csv(Path(snakemake.input.claims)),
        read_csv(Path(snakemake.input.claims_summary)),
        each=Path(snakemake.output.each),
        every=Path(snakemake.output.every),
    )
