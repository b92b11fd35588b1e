"""Read the trials of one subject."""

import json
from pathlib import Path

from rulealign.data.responses.forms import open_configured
from rulealign.data.responses.roi_responses import write_trials
from rulealign.job import job

with job(snakemake):
    form = open_configured(
        json.loads(snakemake.params.form),
        Path(snakemake.params.place),
        parallel=snakemake.config["parallel"],
    )
    write_trials(
        form,
        snakemake.wildcards.subject,
        Path(snakemake.output.trials),
        Path(snakemake.output.acquisition),
    )
