"""Record the study's settings and the versions of what computes it."""

import json
from pathlib import Path

from rulealign.job import job
from rulealign.study_folder import write_record

with job(snakemake.log[0], snakemake.threads):
    write_record(
        Path(snakemake.output[0]),
        json.loads(snakemake.params.study),
        snakemake.params.study_file,
        json.loads(snakemake.params.versions),
    )
