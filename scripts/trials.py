"""Read the trials of one subject."""

from pathlib import Path

from rulealign.data.responses.forms import open_form
from rulealign.data.responses.roi_responses import write_trials
from rulealign.job import job
from rulealign.plan.settings.brain import FormSettings

with job(snakemake):
    form = open_form(
        FormSettings.read(snakemake.params.form),
        Path(snakemake.params.place),
        parallel=snakemake.config["parallel"],
    )
    write_trials(
        form,
        snakemake.wildcards.subject,
        Path(snakemake.output.trials),
        Path(snakemake.output.acquisition),
    )
