"""Show the stimuli to one frozen network and keep its activations."""

import json
from pathlib import Path

from rulealign.activations import write_activations
from rulealign.job import job
from rulealign.learning.device import use_threads

with job(snakemake.log[0], snakemake.threads):
    use_threads(snakemake.threads)
    write_activations(
        Path(snakemake.input.checkpoint),
        [Path(path) for path in snakemake.input.stimuli],
        [Path(path) for path in snakemake.output],
        {
            **json.loads(snakemake.params.settings),
            "seed": int(snakemake.wildcards.seed),
            "epoch": int(snakemake.wildcards.epoch),
            "px": int(snakemake.wildcards.size),
        },
    )
