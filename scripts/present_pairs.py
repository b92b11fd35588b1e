"""Find the pairs of stimuli that no given RDM lacks."""

from pathlib import Path

from rulealign.job import job
from rulealign.rsa.pairs import write_present_pairs

with job(snakemake):
    write_present_pairs(list(map(Path, snakemake.input)), Path(snakemake.output[0]))
