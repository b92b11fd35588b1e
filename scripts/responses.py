"""Read one subject's responses in one ROI."""

import json
from pathlib import Path

from rulealign.data.things import write_roi_responses
from rulealign.job import job

with job(snakemake.log[0], snakemake.threads):
    settings = json.loads(snakemake.params.settings)
    write_roi_responses(
        Path(snakemake.input.responses),
        Path(snakemake.input.voxels),
        Path(snakemake.input.stimuli),
        settings["columns"],
        subject=snakemake.wildcards.subject,
        roi=snakemake.wildcards.roi,
        settings=settings,
        output=Path(snakemake.output[0]),
    )
