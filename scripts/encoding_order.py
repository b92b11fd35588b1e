"""Measure in which order layers predict the ROIs of a hierarchy."""

from pathlib import Path

from rulealign.encoding.order import order_table
from rulealign.job import job
from rulealign.plan.settings.encoding import OrderSettings

with job(snakemake):
    settings = OrderSettings.read(snakemake.params.settings)
    errors, n_rois = [Path(path) for path in snakemake.input.errors], len(settings.hierarchy)
    order_table(
        [errors[first : first + n_rois] for first in range(0, len(errors), n_rois)],
        [Path(path) for path in snakemake.input.grams],
        settings,
        Path(snakemake.output[0]),
    )
