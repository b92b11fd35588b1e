"""Prepare one stimulus set at one size."""

import json
from pathlib import Path

from rulealign.data.fetch import resolve
from rulealign.data.images import write_stimuli
from rulealign.data.things import stimulus_ids
from rulealign.job import job

with job(snakemake.log[0], snakemake.threads):
    settings = json.loads(snakemake.params.settings)
    if settings["kind"] == "brain":
        source, table = map(Path, snakemake.input)
        ids = stimulus_ids(table, settings["stimulus_set"])
    else:
        source, ids = resolve(settings["source"], Path("resources")), None
    settings["px"] = int(snakemake.wildcards.size)
    write_stimuli(settings, source, Path(snakemake.output[0]), ids=ids)
