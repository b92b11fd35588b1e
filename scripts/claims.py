"""Evaluate every claim in every universe."""

from pathlib import Path

from rulealign.claims.evaluate import evaluate
from rulealign.job import job
from rulealign.plan.settings.claims import ClaimsSettings

with job(snakemake):
    evaluate(
        [Path(path) for path in snakemake.input.tables],
        [Path(path) for path in snakemake.input.draws],
        [Path(path) for path in snakemake.input.alignments],
        [Path(path) for path in snakemake.input.encodings],
        [Path(path) for path in snakemake.input.ceilings],
        ClaimsSettings.read(snakemake.params.settings),
        Path(snakemake.output.claims),
        Path(snakemake.output.summary),
        Path(snakemake.output.curves),
    )
