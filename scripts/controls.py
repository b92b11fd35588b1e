"""Compute the controls of one stimulus set at one size, and their RDMs."""

from pathlib import Path

from rulealign.job import job
from rulealign.plan.settings.scores import ControlRdmSettings
from rulealign.rsa.control_rdms import write_control_rdms

with job(snakemake):
    write_control_rdms(
        Path(snakemake.input[0]),
        Path(snakemake.output[0]),
        ControlRdmSettings.read(snakemake.params.settings),
        stimuli=snakemake.wildcards.stimuli,
    )
