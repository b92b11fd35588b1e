"""Check that images and brain data have the same stimuli in the same order, and no copies."""

import json
from pathlib import Path

from rulealign.data.check import check_inputs
from rulealign.job import job

with job(snakemake):
    check_inputs(
        [Path(path) for path in snakemake.input.stimuli],
        [Path(path) for path in snakemake.input.brain],
        Path(snakemake.output[0]),
        json.loads(snakemake.params.copies),
    )
