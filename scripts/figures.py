"""Draw all figures of the report."""

from pathlib import Path

from rulealign.data.images.training_split import class_names
from rulealign.job import job
from rulealign.plan.settings.report import FigureSettings
from rulealign.report.figures import draw_all
from rulealign.store import read_csv

with job(snakemake):
    names = ("alignment", "alignment_subjects", "ceilings", "training", "diagnostics", "quality")
    names += ("controls",)
    classes = len(class_names(Path(snakemake.input.training_set)))
    draw_all(
        {
            name: read_csv(Path(snakemake.input[name]))
            for name in names
            if name in snakemake.input.keys()  # noqa: SIM118 - Snakemake's list with names
        },
        FigureSettings.read(snakemake.params.settings),
        classes=classes,
        trajectories=[Path(path) for path in snakemake.output.trajectories],
        finals=[Path(path) for path in snakemake.output.finals],
        accuracy=Path(snakemake.output.accuracy),
        learning=Path(snakemake.output.learning),
        quality=Path(snakemake.output.quality),
    )
