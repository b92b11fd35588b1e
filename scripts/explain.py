"""Say of each job that would run why it would: `python scripts/explain.py [options of snakemake]`.

Not a job: it plans the study as `snakemake --dry-run` does, listens to what is planned, and reads
what Snakemake has noted of the last run.
"""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from snakemake.cli import main
from snakemake.logging import logger
from snakemake_interface_logger_plugins.common import LogEvent

from rulealign.explain import record_path, why

METADATA = Path(".snakemake/metadata")
NOTES = Path(".snakemake/code")


jobs = []


def listen(record):
    """Keep what Snakemake says of a job that it would run; not of a target, which makes nothing."""
    if getattr(record, "event", None) == LogEvent.JOB_INFO and record.output:
        jobs.append(vars(record))
    return True


def recorded(job):
    """Read what was noted when the job last ran."""
    path = record_path(METADATA, job["output"][0])
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


logger.addFilter(listen)
said = io.StringIO()
try:
    with redirect_stdout(said), redirect_stderr(said):
        main(["--dry-run", *sys.argv[1:]])
except SystemExit as end:
    if end.code:
        sys.exit(said.getvalue())
for job in jobs:
    print(job["rule_msg"] or job["rule_name"])
    print(*(f"    {line}" for line in why(job, recorded(job), NOTES)), sep="\n")
print(f"{len(jobs)} jobs would run." if jobs else "Nothing would run again.")
