"""Take over the activations of one model that were computed elsewhere; make their RDMs."""

from pathlib import Path

from rulealign.arm import Arm
from rulealign.job import job
from rulealign.plan.settings.activations import GivenActivationSettings
from rulealign.plan.settings.scores import ModelRdmSettings
from rulealign.rsa.given_models import take_activations
from rulealign.rsa.rdm import write_model_rdms

with job(snakemake):
    paths = (snakemake.input.stimuli, snakemake.output.activations, snakemake.output.rdms)
    for stimuli, activations, rdms in zip(*paths, strict=True):
        take_activations(
            snakemake.params.file,
            Path(stimuli),
            Path(activations),
            GivenActivationSettings.read(snakemake.params.settings),
            arm=Arm(snakemake.wildcards.network, snakemake.wildcards.rule),
            seed=int(snakemake.wildcards.seed),
            epoch=int(snakemake.wildcards.epoch),
            size=int(snakemake.wildcards.size),
        )
        settings = ModelRdmSettings.read(snakemake.params.rdms)
        write_model_rdms(Path(activations), Path(rdms), settings)
