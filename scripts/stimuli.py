"""Prepare one stimulus set at one size."""

import json
from pathlib import Path

from rulealign.data.fetch import resolve
from rulealign.data.images import write_stimuli
from rulealign.data.things import other_stimulus_ids, stimulus_ids
from rulealign.job import job

with job(snakemake.log[0], snakemake.threads):
    settings = json.loads(snakemake.params.settings)
    if settings["kind"] in ("brain", "brain-others"):
        source, table = map(Path, snakemake.input)
        choose = stimulus_ids if settings["kind"] == "brain" else other_stimulus_ids
        ids = choose(table, settings["stimulus_set"])
    elif settings["kind"] == "synthetic-objects":
        source, ids = None, None
    else:
        source, ids = resolve(settings["source"], Path("resources")), None
    settings["px"] = int(snakemake.wildcards.size)
    write_stimuli(settings, source, Path(snakemake.output[0]), ids=ids)
