"""Score one arm with one ROI in every universe that a claim needs."""

from pathlib import Path

from rulealign.arm import Arm
from rulealign.claims.universes.scores import score_universes
from rulealign.job import job
from rulealign.plan.settings.claims import UniverseSettings

with job(snakemake):
    score_universes(
        [Path(path) for path in snakemake.input.models],
        [Path(path) for path in snakemake.input.brain],
        [Path(path) for path in snakemake.input.controls],
        Arm(snakemake.wildcards.network, snakemake.wildcards.rule),
        snakemake.wildcards.roi,
        UniverseSettings.read(snakemake.params.settings),
        Path(snakemake.output.table),
        Path(snakemake.output.draws),
        *map(Path, snakemake.input.pairs),
        work_mb=snakemake.resources.bootstrap_mb,
        threads=snakemake.threads,
    )
