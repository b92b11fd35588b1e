"""Bring the diagnostics of all networks into one table, and warn of rules that did not learn."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.learning.verdict import diagnostics_table, warnings
from rulealign.store import open_h5, read_ids

with job(snakemake):
    with open_h5(Path(snakemake.input.training_set)) as file:
        classes = len(read_ids(file, "class"))
    table = diagnostics_table(
        [Path(path) for path in snakemake.input.parts],
        Path(snakemake.input.training),
        classes,
        Path(snakemake.output[0]),
    )
    for line in warnings(table, json.loads(snakemake.params.settings)):
        print(line)
