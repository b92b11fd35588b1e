"""Find the pairs of stimuli that lie in different runs for every subject."""

from pathlib import Path

from rulealign.job import job
from rulealign.rsa.pairs import write_pairs

with job(snakemake):
    write_pairs(
        [Path(path) for path in snakemake.input.trials],
        snakemake.params.stimulus_set,
        Path(snakemake.output[0]),
    )
