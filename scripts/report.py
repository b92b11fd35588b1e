"""Write the report page."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.report.page import report_figures, write_page
from rulealign.store import read_csv

with job(snakemake.log[0], snakemake.threads):
    record = json.loads(Path(snakemake.input.provenance).read_text())
    names = ("alignment", "ceilings", "training")
    tables = {name: read_csv(Path(snakemake.input[name])) for name in names}
    figures = report_figures(
        record["study"],
        tables,
        views=json.loads(snakemake.params.views),
        trajectories=[Path(path) for path in snakemake.input.trajectories],
        finals=[Path(path) for path in snakemake.input.finals],
        accuracy=Path(snakemake.input.accuracy),
    )
    write_page(
        Path(snakemake.output[0]),
        study=record["study"],
        tables=tables,
        figures=figures,
        facts=record,
    )
