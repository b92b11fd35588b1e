"""Prepare one stimulus set at one size."""

import json
from pathlib import Path

from rulealign.data.download.fetch import resolve
from rulealign.data.images.stimulus_images import write_stimuli
from rulealign.data.images.stimulus_sets import other_stimulus_ids, stimulus_images
from rulealign.job import job

with job(snakemake):
    settings = json.loads(snakemake.params.settings)
    settings["px"] = int(snakemake.wildcards.size)
    source, wanted = None, {}
    if settings["kind"] in ("brain", "brain-others"):
        source, trials = Path(snakemake.input.images[0]), Path(snakemake.input.trials)
        if settings["kind"] == "brain":
            wanted = {"groups": stimulus_images(trials, settings["stimulus_set"])}
        else:
            wanted = {"ids": other_stimulus_ids(trials, settings["stimulus_set"])}
    elif settings["kind"] != "synthetic-objects":
        source = resolve(settings["source"], Path("resources"))
    write_stimuli(settings, source, Path(snakemake.output[0]), **wanted)
