"""Make the RDM of one subject's ROI from its responses."""

import json
from pathlib import Path

from rulealign.data.things import select_patterns
from rulealign.job import job
from rulealign.rsa.rdm import write_brain_rdm

with job(snakemake.log[0], snakemake.threads):
    settings = json.loads(snakemake.params.settings)
    ids, patterns, repetitions = select_patterns(Path(snakemake.input[0]), settings["stimulus_set"])
    write_brain_rdm(
        ids,
        patterns,
        Path(snakemake.output[0]),
        settings=settings,
        subject=snakemake.wildcards.subject,
        roi=snakemake.wildcards.roi,
        distance="1 - Pearson",
        acquisition=settings["acquisition"],
        repetitions=repetitions,
    )
