"""Write the report page."""

from pathlib import Path

from rulealign.config.load import read_study
from rulealign.job import job
from rulealign.json_files import read_json
from rulealign.plan.settings.report import FigureSettings
from rulealign.report.dictionary import write_dictionary
from rulealign.report.page import write_page
from rulealign.report.page_figures import report_figures
from rulealign.report.shown import read_shown
from rulealign.store import read_csv

with job(snakemake):
    study = read_study(Path(snakemake.input.study))
    names = ("alignment", "layers", "ceilings", "training", "diagnostics", "quality", "controls")
    names += ("claims", "claims_summary", "specification_curves", "mixed_models")
    names += ("alignment_subjects", "inputs", "over_time")
    given = [name for name in names if name in snakemake.input.keys()]  # noqa: SIM118
    tables_of = {name: Path(snakemake.input[name]) for name in given}
    if snakemake.input.courses:  # none where no rule trains
        tables_of["trajectories"] = Path(snakemake.input.courses)
        tables_of["baselines"] = Path(snakemake.input.baselines)
    for name in ("encoding", "encoding_order"):
        if snakemake.input[name]:
            tables_of[name] = Path(snakemake.input[name])
    tables = {name: read_csv(path) for name, path in tables_of.items()}
    filters = [Path(path) for path in snakemake.input.filters]
    shown = read_shown(Path(snakemake.input.shown_rdms), filters, FigureSettings.of(study))
    figures = report_figures(
        study,
        tables,
        shown,
        trajectories=[Path(path) for path in snakemake.input.trajectories],
        finals=[Path(path) for path in snakemake.input.finals],
        accuracy=Path(snakemake.input.accuracy),
        learning=Path(snakemake.input.learning),
        layers=Path(snakemake.input.layers_figure),
        rdms=Path(snakemake.input.rdms),
        maps=Path(snakemake.input.maps),
        filters=Path(snakemake.input.filters_figure),
        quality=Path(snakemake.input.quality_figure),
        over_time=[Path(path) for path in snakemake.input.over_time_figure],
        of_claims=[
            Path(snakemake.input[name])
            for name in ("claims_figure", "overview_figure")
            if name in snakemake.input.keys()  # noqa: SIM118
        ],
    )
    write_dictionary(Path(snakemake.output.dictionary), tables)
    write_page(
        Path(snakemake.output[0]),
        study=study,
        tables=tables,
        figures=figures,
        shown=shown,
        facts=read_json(Path(snakemake.input.provenance)),
        files=tables_of,
    )
