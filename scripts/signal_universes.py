"""Score the gradients or teaching signals of one arm with one ROI by RSA, in every universe."""

from pathlib import Path

from rulealign.arm import Arm
from rulealign.claims.universes.scores import score_universes
from rulealign.job import job
from rulealign.plan.settings.claims import MeasuredSettings
from rulealign.rsa.signal_rdms import require_features

with job(snakemake):
    settings = MeasuredSettings.read(snakemake.params.settings)
    models = [Path(path) for path in snakemake.input.models]
    require_features(models, settings.dataset)
    score_universes(
        models,
        [Path(path) for path in snakemake.input.brain],
        [Path(path) for path in snakemake.input.controls],
        Arm(snakemake.wildcards.network, snakemake.wildcards.rule),
        snakemake.wildcards.roi,
        settings,
        Path(snakemake.output.table),
        Path(snakemake.output.draws),
        *map(Path, snakemake.input.pairs),
        work_mb=snakemake.resources.bootstrap_mb,
        threads=snakemake.threads,
    )
