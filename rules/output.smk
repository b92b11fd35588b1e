# What is printed: a plan ends with a table (stage, jobs, why), a run has a line where a job starts
# or ends, and an error ends with what failed and what to do. Snakemake's own words are kept in
# .snakemake/log, and printed with --verbose. Included first: it prints mistakes of a study, too.

import logging
import os
from pathlib import Path

from snakemake.common import NOTHING_TO_BE_DONE_MSG
from snakemake.exceptions import WorkflowError
from snakemake.logging import ColorizingTextHandler, logger
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

from rulealign.rerun import explain
from rulealign.progress import Progress, ending, last_error

NOTES = Path(
    ".snakemake/code"
)  # what the fingerprints that Snakemake records stand for
LAST_WORD = "last word"


def planned_jobs():
    """List the jobs that would run, stage by stage; a target is no job."""
    order = {one: number for number, one in enumerate(workflow.rules)}
    jobs = [job for job in workflow.dag.needrun_jobs() if job.output]
    return [
        planned_job(job)
        for job in sorted(jobs, key=lambda job: (order[job.rule], job.jobid))
    ]


def planned_job(job):
    reason, recorded = workflow.dag.reason(job), workflow.persistence
    return explain.Job(
        message=job.message,
        rule_name=job.rule.name,
        stage=Path(job.rule.snakefile).stem,
        outputs=list(map(str, job.output)),
        inputs=list(map(str, job.input)),
        params={name: repr(value) for name, value in job.params.items()},
        missing=list(map(str, reason.missing_output)),
        unfinished=list(map(str, reason.incomplete_output)),
        updated=list(map(str, reason.updated_input)),
        made_before={
            str(file): before.rule.name
            for before, files in workflow.dag.dependencies[job].items()
            for file in reason.updated_input_run.intersection(files)
        },
        forced=reason.forced,
        recorded_params=recorded.params(job.output[0]),
        recorded_inputs=recorded.input(job.output[0]) or [],
    )


class Console(ColorizingTextHandler):
    """Prints in place of Snakemake's own handler; what it is not told to print, it leaves out."""

    def __init__(self, replaced):
        super().__init__(workflow.output_settings.nocolor, replaced.stream)
        self.filters = replaced.filters  # --quiet
        self.refusal = (
            ""  # a mistake in the study, which Snakemake would print with our line
        )
        self.working = False  # a plan or a run has begun
        self.progress = None
        self.lines = {
            LogEvent.WORKFLOW_STARTED: self.begun,
            LogEvent.RUN_INFO: self.planned,
            LogEvent.JOB_INFO: self.job_started,
            LogEvent.JOB_FINISHED: self.job_finished,
            LogEvent.JOB_ERROR: self.job_failed,
            LogEvent.GROUP_ERROR: self.group_failed,
            LogEvent.ERROR: self.error,
            LAST_WORD: self.last_word,
            None: self.other,
        }

    def emit(self, record):
        line = self.lines.get(getattr(record, "event", None), lambda record: "")
        if not (text := line(record)):
            return
        try:
            self.stream.write(f"{self.decorate(record, text)}\n")
            self.flush()
        except BrokenPipeError:  # `snakemake -n | head`: nobody reads on
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())

    def begun(self, record):
        self.working = True

    def planned(self, record):
        if self.progress:  # a plan says it twice
            return ""
        jobs = planned_jobs()
        self.progress = Progress(len(jobs))
        if Quietness.ALL in (workflow.output_settings.quiet or ()):
            return ""
        parts = [explain.table(jobs, NOTES)]
        if workflow.dryrun and os.environ.get("RULEALIGN_EXPLAIN"):
            parts.insert(0, explain.listing(jobs, NOTES))
        return "\n\n".join(parts)

    def job_started(self, record):
        if workflow.dryrun or not record.output:
            return ""
        return self.progress.started(record.jobid, record.rule_msg, record.created)

    def job_finished(self, record):
        return self.progress.finished(record.job_id, record.created)

    def job_failed(self, record):
        if record.indent and not any(map(last_error, map(Path, record.log))):
            return ""  # it shared a Slurm job with the one that failed
        where = ", ".join(record.log)
        return self.progress.failed(
            record.jobid, where, record.created, record.rule_msg or ""
        )

    def group_failed(self, record):
        logs = ", ".join(record.aux_logs)
        return (
            f"A Slurm job of {len(record.job_error_info)} jobs failed; its log: {logs}"
        )

    def error(self, record):
        if self.refusal:
            return self.refusal
        # a failed script: its own error is in its log; and the end, after our last word
        told = "CalledProcessError" in record.getMessage() or not self.working
        return "" if told and self.progress else record.getMessage()

    def last_word(self, record):
        self.working = False
        return record.getMessage()

    def other(self, record):
        text = record.getMessage()
        if text == NOTHING_TO_BE_DONE_MSG:
            self.working = False
            return text
        told = record.levelno >= logging.WARNING or text.startswith("Error")
        told = told and not text.startswith("Exiting because")  # see our last word
        return text if told or not (self.working or self.progress) else ""


def refused(error):
    """Give what stops Snakemake because of a mistake in the study; the console prints the mistake."""
    for handler in logger.handlers:
        if isinstance(handler, Console):
            handler.refusal = str(error)
    return WorkflowError(str(error))


def failed_jobs():
    """List message and log of the jobs that failed; of those that shared a Slurm job, the culprit."""
    for job in sorted(workflow.scheduler.failed, key=str):
        members = list(job) if job.is_group() else [job]
        culprits = [one for one in members if last_error(Path(one.log[0]))]
        for one in culprits or members[:1]:
            yield one.message, one.log[0]


if workflow.is_main_process and not workflow.output_settings.verbose:
    for handler in list(logger.handlers):
        if handler.name == "DefaultStreamHandler":
            logger.removeHandler(handler)
            logger.addHandler(Console(handler))


onsuccess:
    if Path(FILES.page).exists():
        logger.info(
            f"The report is {FILES.page}",
            extra={"event": LAST_WORD, "quietness": Quietness.PROGRESS},
        )
    mention_left_over()


onerror:
    logger.error(ending(list(failed_jobs())), extra={"event": LAST_WORD})
