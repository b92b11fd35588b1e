"""Join the encoding tables of all rules and ROIs."""

from pathlib import Path

from rulealign.encoding.table import encoding_table
from rulealign.job import job
from rulealign.plan.settings.encoding import EncodingTableSettings

with job(snakemake):
    encoding_table(
        [Path(path) for path in snakemake.input],
        EncodingTableSettings.read(snakemake.params.settings),
        Path(snakemake.output[0]),
    )
