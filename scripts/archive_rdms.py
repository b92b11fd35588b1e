"""Read the given RDMs of one ROI, one file per subject."""

import json
from pathlib import Path

from rulealign.data.download.fetch import resolve
from rulealign.data.rdm_archive import write_subject_rdms
from rulealign.job import job

with job(snakemake):
    settings = json.loads(snakemake.params.settings)
    write_subject_rdms(
        resolve(settings["source"], Path("resources")),
        settings,
        snakemake.wildcards.roi,
        [Path(path) for path in snakemake.output.rdms],
    )
