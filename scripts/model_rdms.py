"""Make the RDMs of one network at one size, one file per stimulus set."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.rsa.rdm import write_model_rdms

with job(snakemake.log[0], snakemake.threads):
    for activations, rdms in zip(snakemake.input, snakemake.output, strict=True):
        write_model_rdms(Path(activations), Path(rdms), json.loads(snakemake.params.settings))
