"""Make the training set's images and labels."""

from pathlib import Path

from rulealign.data.download.fetch import resolve
from rulealign.data.images.training_set import build
from rulealign.job import job
from rulealign.plan.settings.training import TrainingSetSettings

with job(snakemake):
    source = snakemake.params.source
    build(
        TrainingSetSettings.read(snakemake.params.settings),
        resolve(source, Path("resources")) if source else None,
        Path(snakemake.output[0]),
    )
