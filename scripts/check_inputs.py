"""Check that images and brain data belong together, that none is a copy, and that they suffice."""

from pathlib import Path

from rulealign.data.check import check_inputs
from rulealign.data.labels import require_labels
from rulealign.data.rdm_labels import require_same_labels
from rulealign.job import job
from rulealign.plan.settings.brain import InputsSettings
from rulealign.rsa.bootstrap.resample_check import require_resamples
from rulealign.rsa.given_models import require_distinct

with job(snakemake):
    settings = InputsSettings.read(snakemake.params.settings)
    brain = [Path(path) for path in snakemake.input.brain]
    check_inputs(
        [Path(path) for path in snakemake.input.stimuli],
        brain,
        [Path(path) for path in snakemake.input.responses],
        Path(snakemake.output[0]),
        settings.copies,
    )
    require_same_labels(settings.labelled, Path(snakemake.input.stimuli[0]))
    for classes in snakemake.input.classes:
        require_labels(settings.labels, Path(snakemake.input.stimuli[0]), Path(classes))
    require_distinct([Path(path) for path in snakemake.input.models])
    pairs = next(map(Path, snakemake.input.pairs), None)
    require_resamples(brain, settings, pairs)
