"""Compute the RDMs of one network's gradients or teaching signals."""

from pathlib import Path

from rulealign.job import job
from rulealign.plan.settings.scores import SignalRdmSettings
from rulealign.rsa.signal_rdms import write_signal_rdms

with job(snakemake):
    settings = SignalRdmSettings.read(snakemake.params.settings)
    for signals, rdms in zip(snakemake.input.signals, snakemake.output.rdms, strict=True):
        write_signal_rdms(Path(signals), Path(rdms), settings)
