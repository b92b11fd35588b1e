"""What a run says of its jobs: a line where one starts or ends, and a last word on failed ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

SHOWN = 3
"""How many failed jobs are explained at the end."""

LONGEST = 600
"""Longest error that is repeated at the end, characters; its log has the rest."""

REPORT_EVERY = 5.0
"""Seconds between two lines that say how far a long reading or download is."""

_KILLED = (
    "There is no error in its log, so the job was killed: most likely the machine was out of memory"
    " (--resources mem_mb=<less> gpu=1 lets fewer jobs run at a time) or, on a cluster, the job was"
    " out of time (docs/cluster.md)."
)


class Progress:
    """Counts the jobs of one run.

    Args:
        total: how many jobs will run.
    """

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._running: dict[int, tuple[str, float]] = {}

    def started(self, number: int, message: str, now: float) -> str:
        """Say that a job starts.

        Args:
            number: Snakemake's number of the job.
            message: what the job does.
            now: seconds, as `time.time` gives them.
        """
        self._running[number] = (message, now)
        return self._line(now, "start", message)

    def finished(self, number: int, now: float) -> str:
        """Say that a job is done, how many are, and how long it took.

        Args:
            number: as in `started`.
            now: as in `started`.

        Returns:
            One line; empty for a job that never started.
        """
        if number not in self._running:
            return ""
        message, start = self._running.pop(number)
        self._done += 1
        counted = f"{self._done} of {self._total}"
        return self._line(now, counted, f"{message} ({_duration(now - start)})")

    def failed(self, number: int, log: str, now: float, why: str = "") -> str:
        """Say that a job failed, and where its log is.

        Args:
            number: as in `started`.
            log: the job's log.
            now: as in `started`.
            why: what a cluster says of it.
        """
        message, _ = self._running.pop(number, (f"job {number}", now))
        return self._line(now, "failed", "; ".join(filter(None, [message, why, f"log: {log}"])))

    def _line(self, now: float, what: str, message: str) -> str:
        wide = 2 * len(str(self._total)) + len(" of ")
        return f"{time.strftime('%H:%M:%S', time.localtime(now))}  {what:{wide}}  {message}"


def ending(failed: Sequence[tuple[str, str]]) -> str:
    """Say at the end of a run that did not finish what failed, why, and what to do.

    Args:
        failed: message and log of each failed job; none when the run was stopped from outside.

    Returns:
        A few lines.
    """
    again = "Whatever finished is kept. Rerun the command: it continues from here."
    if not failed:
        return f"The run was stopped before its end. {again}"
    lines = []
    for message, log in failed[:SHOWN]:
        lines += [f"Failed: {message}", f"  {last_error(Path(log)) or _KILLED}", f"  Log: {log}"]
    if len(failed) > SHOWN:
        lines += [f"{len(failed) - SHOWN} other jobs failed: {_logs(failed[SHOWN:])}"]
    lines.append(again.replace("Rerun", "Remove the cause, then rerun"))
    return "\n".join(lines)


def last_error(log: Path) -> str:
    """Read the error that ended a job.

    Args:
        log: the job's log, which ends with the traceback of the error.

    Returns:
        The message, with the name of the error before it unless it is one of this project's; empty
        where there is no traceback, or no log.
    """
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    _, found, traceback = text.rpartition("Traceback (most recent call last):\n")
    lines = traceback.splitlines() if found else []
    while lines and lines[0].startswith(" "):  # the calls, and the code of each
        del lines[0]
    message = " ".join(line.strip() for line in lines)
    if message.startswith("rulealign.errors."):
        message = message.partition(": ")[2]
    return message if len(message) <= LONGEST else f"{message[:LONGEST]}..."


def _logs(failed: Sequence[tuple[str, str]]) -> str:
    return ", ".join(log for _, log in failed)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
