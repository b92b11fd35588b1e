"""Draw the images of the simulated study and its known truth."""

from pathlib import Path

from rulealign.data.simulated.data_set import write_images
from rulealign.job import job
from rulealign.plan.settings.images import SimulatedImagesSettings

with job(snakemake):
    write_images(
        SimulatedImagesSettings.read(snakemake.params.settings),
        Path(snakemake.output.images),
        Path(snakemake.output.truth),
    )
