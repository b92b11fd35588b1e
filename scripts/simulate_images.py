"""Draw the images of the simulated study and its known truth."""

import json
from pathlib import Path

from rulealign.data.simulated.data_set import write_images
from rulealign.job import job

with job(snakemake):
    write_images(
        json.loads(snakemake.params.settings),
        Path(snakemake.output.images),
        Path(snakemake.output.truth),
    )
