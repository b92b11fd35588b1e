"""Read one subject's responses in one ROI."""

from pathlib import Path

from rulealign.data.responses.forms import open_form
from rulealign.data.responses.roi_responses import write_roi_responses
from rulealign.job import job
from rulealign.plan.settings.brain import FormSettings, ResponsesSettings

with job(snakemake):
    form = open_form(
        FormSettings.read(snakemake.params.form),
        Path(snakemake.params.place),
        parallel=snakemake.config["parallel"],
    )
    write_roi_responses(
        form,
        snakemake.wildcards.subject,
        snakemake.wildcards.roi,
        ResponsesSettings.read(snakemake.params.settings),
        Path(snakemake.output[0]),
    )
