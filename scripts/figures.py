"""Draw all figures of the report."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.report.figures import draw_all
from rulealign.store import open_h5, read_csv, read_ids

with job(snakemake):
    names = ("alignment", "alignment_subjects", "ceilings", "training", "diagnostics", "quality")
    names += ("controls",)
    with open_h5(Path(snakemake.input.training_set)) as file:
        classes = len(read_ids(file, "class"))
    draw_all(
        {
            name: read_csv(Path(snakemake.input[name]))
            for name in names
            if name in snakemake.input.keys()  # noqa: SIM118 - Snakemake's list with names
        },
        views=json.loads(snakemake.params.views),
        layer_map=json.loads(snakemake.params.layer_map),
        rules=snakemake.params.rules,
        classes=classes,
        trajectories=[Path(path) for path in snakemake.output.trajectories],
        finals=[Path(path) for path in snakemake.output.finals],
        accuracy=Path(snakemake.output.accuracy),
        learning=Path(snakemake.output.learning),
        quality=Path(snakemake.output.quality),
    )
