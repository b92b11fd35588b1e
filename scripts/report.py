"""Write the report page."""

from pathlib import Path

from rulealign.config.study import read_study
from rulealign.job import job
from rulealign.json_files import read_json
from rulealign.report.page import report_figures, write_page
from rulealign.store import read_csv

with job(snakemake):
    study = read_study(Path(snakemake.input.study))
    names = ("alignment", "layers", "ceilings", "training", "diagnostics", "quality", "controls")
    names += ("claims", "claims_summary", "specification_curves", "mixed_models")
    given = [name for name in names if name in snakemake.input.keys()]  # noqa: SIM118
    tables = {name: read_csv(Path(snakemake.input[name])) for name in given}
    if snakemake.input.courses:  # none where no rule trains
        tables["trajectories"] = read_csv(Path(snakemake.input.courses))
        tables["baselines"] = read_csv(Path(snakemake.input.baselines))
    figures = report_figures(
        study,
        tables,
        trajectories=[Path(path) for path in snakemake.input.trajectories],
        finals=[Path(path) for path in snakemake.input.finals],
        accuracy=Path(snakemake.input.accuracy),
        learning=Path(snakemake.input.learning),
        quality=Path(snakemake.input.quality_figure),
        claims_figure=Path(snakemake.input.claims_figure) if "claims" in tables else None,
    )
    write_page(
        Path(snakemake.output[0]),
        study=study,
        tables=tables,
        figures=figures,
        facts=read_json(Path(snakemake.input.provenance)),
    )
