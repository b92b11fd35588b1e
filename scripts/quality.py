"""Check the single-trial responses of one subject in one ROI."""

from pathlib import Path

from rulealign.job import job
from rulealign.plan.settings.brain import QualitySettings
from rulealign.rsa.quality.roi import roi_quality
from rulealign.rsa.quality.rows import log_lines

with job(snakemake):
    table = roi_quality(
        Path(snakemake.input[0]),
        Path(snakemake.output[0]),
        QualitySettings.read(snakemake.params.settings),
    )
    for line in log_lines(table):
        print(line)
