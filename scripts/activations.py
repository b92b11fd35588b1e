"""Show the stimuli to one frozen network; keep its activations and their RDMs."""

from pathlib import Path

from rulealign.activations import write_activations
from rulealign.arm import Arm
from rulealign.job import job
from rulealign.learning.device import use_threads
from rulealign.plan.settings.activations import ActivationSettings
from rulealign.plan.settings.scores import ModelRdmSettings
from rulealign.rsa.rdm import write_model_rdms

with job(snakemake):
    use_threads(snakemake.threads)
    activations = [Path(path) for path in snakemake.output.activations]
    write_activations(
        Path(snakemake.input.checkpoint),
        [Path(path) for path in snakemake.input.stimuli],
        activations,
        ActivationSettings.read(snakemake.params.settings),
        arm=Arm(snakemake.wildcards.network, snakemake.wildcards.rule),
        seed=int(snakemake.wildcards.seed),
        epoch=int(snakemake.wildcards.epoch),
        size=int(snakemake.wildcards.size),
    )
    for made, rdms in zip(activations, snakemake.output.rdms, strict=True):
        write_model_rdms(made, Path(rdms), ModelRdmSettings.read(snakemake.params.rdms))
