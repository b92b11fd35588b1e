"""Score one arm with one ROI in universes of a measure of Gram matrices."""

from pathlib import Path

from rulealign.arm import Arm
from rulealign.claims.universes.gram_scores import GramFiles, score_grams
from rulealign.job import job
from rulealign.plan.settings.claims import MeasuredSettings

with job(snakemake):
    score_grams(
        GramFiles(
            [Path(path) for path in snakemake.input.models],
            [Path(path) for path in snakemake.input.brain],
            Path(snakemake.input.folds),
        ),
        Arm(snakemake.wildcards.network, snakemake.wildcards.rule),
        snakemake.wildcards.roi,
        MeasuredSettings.read(snakemake.params.settings),
        Path(snakemake.output.table),
        Path(snakemake.output.draws),
    )
