"""Make the training set's images and labels."""

import json
from pathlib import Path

from rulealign.data.download.fetch import resolve
from rulealign.data.images.training_set import build
from rulealign.job import job

with job(snakemake):
    settings = json.loads(snakemake.params.settings)
    source = snakemake.params.source
    build(
        settings,
        resolve(source, Path("resources")) if source else None,
        Path(snakemake.output[0]),
    )
