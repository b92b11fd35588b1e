"""Bring the diagnostics of all networks into one table, and warn of rules that did not learn."""

from pathlib import Path

from rulealign.data.images.training_split import class_names
from rulealign.job import job
from rulealign.learning.tables import diagnostics_table
from rulealign.learning.verdict import warnings
from rulealign.plan.settings.diagnostics import DiagnosticsSettings

with job(snakemake):
    classes = len(class_names(Path(snakemake.input.training_set)))
    table = diagnostics_table(
        [Path(path) for path in snakemake.input.parts],
        Path(snakemake.input.training),
        classes,
        Path(snakemake.output[0]),
    )
    told = DiagnosticsSettings.read(snakemake.params.settings)
    for line in warnings(table, told.remedies):
        print(line)
