"""Bring the diagnostics of all networks into one table, and warn of rules that did not learn."""

import json
from pathlib import Path

from rulealign.data.images.training_split import class_names
from rulealign.job import job
from rulealign.learning.verdict import diagnostics_table, warnings

with job(snakemake):
    classes = len(class_names(Path(snakemake.input.training_set)))
    table = diagnostics_table(
        [Path(path) for path in snakemake.input.parts],
        Path(snakemake.input.training),
        classes,
        Path(snakemake.output[0]),
    )
    for line in warnings(table, json.loads(snakemake.params.settings)):
        print(line)
