"""Make the RDM of one subject's ROI from its responses."""

import json
from pathlib import Path

from rulealign.data.responses.cleaning import check_cleaning
from rulealign.data.responses.patterns import read_response_trials
from rulealign.job import job
from rulealign.rsa.brain_distance import brain_distance, half_rdms
from rulealign.rsa.rdm import write_brain_rdm

with job(snakemake):
    settings = json.loads(snakemake.params.settings)
    responses = Path(snakemake.input[0])
    print(check_cleaning(read_response_trials(responses), settings["zscore"]))
    chosen = (settings["stimulus_set"], settings["zscore"], settings["distance"])
    found = brain_distance(responses, *chosen)
    print(f"{len(found.ids)} stimuli, {found.repetitions} trials each; {found.words}")
    write_brain_rdm(
        found.ids,
        found.rdm,
        Path(snakemake.output[0]),
        settings=settings,
        subject=snakemake.wildcards.subject,
        roi=snakemake.wildcards.roi,
        distance=found.words,
        acquisition=settings["acquisition"],
        repetitions=found.repetitions,
        halves=half_rdms(responses, *chosen) if settings.get("halves") else None,
    )
