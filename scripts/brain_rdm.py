"""Make the RDM of one subject's ROI from its responses."""

from pathlib import Path

from rulealign.data.responses.cleaning import check_cleaning
from rulealign.data.responses.patterns import read_response_trials
from rulealign.job import job
from rulealign.plan.settings.brain import BrainRdmSettings
from rulealign.rsa.brain_distance import brain_distance, half_rdms
from rulealign.rsa.rdm import write_brain_rdm

with job(snakemake):
    settings = BrainRdmSettings.read(snakemake.params.settings)
    responses = Path(snakemake.input[0])
    print(check_cleaning(read_response_trials(responses), settings.zscore))
    found = brain_distance(responses, settings)
    print(f"{len(found.ids)} stimuli, {found.repetitions:.3g} trials each; {found.words}")
    write_brain_rdm(
        found.ids,
        found.rdm,
        Path(snakemake.output[0]),
        settings=settings,
        subject=snakemake.wildcards.subject,
        roi=snakemake.wildcards.roi,
        distance=found.words,
        acquisition=settings.acquisition,
        repetitions=found.repetitions,
        kept_apart=found.kept_apart,
        halves=half_rdms(responses, settings) if settings.halves else None,
        times=found.times,
        over_time=found.over_time,
    )
