"""Draw all figures of the report."""

from pathlib import Path

from rulealign.job import job
from rulealign.plan.settings.report import FigureSettings
from rulealign.report.figures import TITLES, draw_all
from rulealign.report.shown import read_shown
from rulealign.store import read_csv

with job(snakemake):
    names = ("alignment", "alignment_subjects", "ceilings", "training", "diagnostics", "quality")
    names += ("controls", "over_time")
    told = FigureSettings.read(snakemake.params.settings)
    filters = [Path(path) for path in snakemake.input.filters]
    draw_all(
        {
            name: read_csv(Path(snakemake.input[name]))
            for name in names
            if name in snakemake.input.keys()  # noqa: SIM118 - Snakemake's list with names
        },
        told,
        read_shown(Path(snakemake.input.shown_rdms), filters, told),
        views={
            "trajectory": [Path(path) for path in snakemake.output.trajectories],
            "final": [Path(path) for path in snakemake.output.finals],
        },
        once={
            name: Path(snakemake.output[name])
            for name in TITLES
            if name in snakemake.output.keys()  # noqa: SIM118
        },
    )
