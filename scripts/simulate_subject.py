"""Simulate one subject's responses, in the table form of THINGS-fMRI."""

from pathlib import Path

from rulealign.data.simulated.data_set import write_subject
from rulealign.job import job
from rulealign.plan.settings.images import SimulatedSubjectSettings

with job(snakemake):
    write_subject(
        SimulatedSubjectSettings.read(snakemake.params.settings),
        int(snakemake.wildcards.subject),
        Path(snakemake.input.images),
        {name: Path(snakemake.output[name]) for name in ("responses", "voxels", "stimuli")},
    )
