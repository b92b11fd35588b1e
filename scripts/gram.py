"""Turn the RDMs of an ROI into Gram matrices, and split its stimuli into folds."""

from pathlib import Path

from rulealign.encoding.roi_gram import write_roi_gram
from rulealign.job import job
from rulealign.plan.settings.encoding import GramSettings

with job(snakemake):
    write_roi_gram(
        [Path(path) for path in snakemake.input.brain],
        snakemake.wildcards.roi,
        GramSettings.read(snakemake.params.settings),
        Path(snakemake.output[0]),
        [Path(path) for path in snakemake.input.responses],
    )
