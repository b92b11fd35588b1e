"""Score how the networks of one rule encode one ROI."""

from pathlib import Path

from rulealign.encoding.encode import encode
from rulealign.job import job
from rulealign.plan.settings.encoding import EncodingSettings

with job(snakemake):
    encode(
        [Path(path) for path in snakemake.input.activations],
        Path(snakemake.input.gram),
        EncodingSettings.read(snakemake.params.settings),
        Path(snakemake.output.table),
        Path(snakemake.output.errors),
        [Path(path) for path in snakemake.input.signals],
    )
