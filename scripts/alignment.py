"""Hold one rule's RDMs against the RDMs of one ROI."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.rsa.alignment import align

with job(snakemake):
    align(
        [Path(path) for path in snakemake.input.models],
        [Path(path) for path in snakemake.input.brain],
        {
            **json.loads(snakemake.params.settings),
            "rule": snakemake.wildcards.rule,
            "roi": snakemake.wildcards.roi,
        },
        Path(snakemake.output.table),
        Path(snakemake.output.draws),
        *map(Path, snakemake.input.get("pairs", [])),
        layers=(Path(snakemake.output.layers), json.loads(snakemake.params.layers)),
        primary=json.loads(snakemake.params.primary),
        work_mb=snakemake.resources.bootstrap_mb,
        threads=snakemake.threads,
    )
