"""Unpack one subject's files of THINGS-fMRI."""

from pathlib import Path

from rulealign.data.things.unpack import RECORD, archive_of, unpack_tables, unpack_volumes
from rulealign.job import job

with job(snakemake):
    archives = [archive_of(Path(path)) for path in snakemake.input]
    outputs = [Path(path) for path in snakemake.output]
    if outputs[0].name == RECORD:
        unpack_volumes(archives, snakemake.wildcards.subject, outputs[0])
    else:
        unpack_tables(archives[0], snakemake.wildcards.subject, outputs)
