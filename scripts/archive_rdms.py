"""Read the given RDMs of one ROI, one file per subject."""

from pathlib import Path

from rulealign.data.download.fetch import resolve
from rulealign.data.rdm_files import write_subject_rdms
from rulealign.job import job
from rulealign.plan.settings.brain import GivenRdmsSettings

with job(snakemake):
    settings, roi = GivenRdmsSettings.read(snakemake.params.settings), snakemake.wildcards.roi
    write_subject_rdms(
        resolve(settings.brain.rois[roi].source, Path("resources")),
        settings,
        roi,
        [Path(path) for path in snakemake.output.rdms],
    )
