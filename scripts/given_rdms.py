"""Take over the RDMs of one model that were computed elsewhere."""

from pathlib import Path

from rulealign.arm import Arm
from rulealign.job import job
from rulealign.plan.settings.activations import GivenModelRdmSettings
from rulealign.rsa.given_models import take_rdms

with job(snakemake):
    for stimuli, rdms in zip(snakemake.input.stimuli, snakemake.output.rdms, strict=True):
        take_rdms(
            snakemake.params.file,
            Path(stimuli),
            Path(rdms),
            GivenModelRdmSettings.read(snakemake.params.settings),
            arm=Arm(snakemake.wildcards.network, snakemake.wildcards.rule),
            seed=int(snakemake.wildcards.seed),
            epoch=int(snakemake.wildcards.epoch),
            size=int(snakemake.wildcards.size),
        )
