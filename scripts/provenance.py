"""Record the study's settings, its inputs, and the code and versions of what computes it."""

import json
from pathlib import Path

from rulealign.data.inputs import records, remote_records
from rulealign.job import job, machine
from rulealign.rerun.study_folder import write_record, write_study

with job(snakemake):
    write_record(
        Path(snakemake.output.record),
        json.loads(snakemake.params.study),
        snakemake.params.study_file,
        json.loads(snakemake.params.versions),
        {
            "code": json.loads(snakemake.params.modules),
            "inputs": records(
                json.loads(snakemake.params.datasets),
                json.loads(snakemake.params.own),
                Path("resources"),
                Path(".snakemake/checksums"),
            )
            + remote_records(json.loads(snakemake.params.remote)),
            "machine": machine(),
        },
    )
    write_study(Path(snakemake.output.study), json.loads(snakemake.params.complete))
