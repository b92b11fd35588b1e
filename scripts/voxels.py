"""Average the trials of an ROI's voxels, estimate noise ceilings, and split stimuli into folds."""

from pathlib import Path

from rulealign.encoding.roi_voxels import write_roi_voxels
from rulealign.job import job
from rulealign.plan.settings.encoding import VoxelSettings

with job(snakemake):
    write_roi_voxels(
        [Path(path) for path in snakemake.input],
        snakemake.wildcards.roi,
        VoxelSettings.read(snakemake.params.settings),
        Path(snakemake.output[0]),
    )
