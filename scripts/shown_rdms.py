"""Choose the RDMs that the report shows, and map their stimuli."""

from pathlib import Path

from rulealign.job import job
from rulealign.plan.settings.report import ShownRdmsSettings
from rulealign.rsa.shown import write_shown_rdms

with job(snakemake):
    write_shown_rdms(
        [Path(path) for path in snakemake.input.models],
        [Path(path) for path in snakemake.input.brains],
        Path(snakemake.input.stimuli) if snakemake.input.stimuli else None,
        Path(snakemake.output[0]),
        ShownRdmsSettings.read(snakemake.params.settings),
    )
