"""Check the single-trial responses of one subject in one ROI."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.rsa.quality.roi import roi_quality
from rulealign.rsa.quality.rows import log_lines

with job(snakemake):
    table = roi_quality(
        Path(snakemake.input[0]),
        Path(snakemake.output[0]),
        json.loads(snakemake.params.settings),
    )
    for line in log_lines(table):
        print(line)
