"""Read the given RDMs of one ROI, one file per subject."""

from pathlib import Path

from rulealign.data.download.fetch import resolve
from rulealign.data.rdm_files import write_subject_rdms
from rulealign.job import job
from rulealign.plan.settings.brain import GivenRdmsSettings
from rulealign.store import stimulus_ids

with job(snakemake):
    settings, roi = GivenRdmsSettings.read(snakemake.params.settings), snakemake.wildcards.roi
    write_subject_rdms(
        [resolve(source, Path("resources")) for source in settings.brain.sources(roi)],
        settings,
        roi,
        [Path(path) for path in snakemake.output.rdms],
        [name for path in snakemake.input.stimuli for name in stimulus_ids(Path(path))],
    )
