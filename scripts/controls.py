"""Compute the controls of one stimulus set at one size, and their RDMs."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.rsa.control_rdms import write_control_rdms

with job(snakemake):
    write_control_rdms(
        Path(snakemake.input[0]),
        Path(snakemake.output[0]),
        json.loads(snakemake.params.settings),
        stimuli=snakemake.wildcards.stimuli,
    )
