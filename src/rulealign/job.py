"""What every job needs around its one call: whole inputs, a log, its threads, and manifests."""

from __future__ import annotations

import os
import resource
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, Protocol, TextIO

from threadpoolctl import threadpool_limits

from rulealign import computer
from rulealign.errors import RulealignError
from rulealign.manifest import verify, write_manifests


def let_jobs_import_rulealign() -> None:
    """Put this library on the path of the jobs to come, whatever environment they run in."""
    library = str(Path(__file__).parent.parent)
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if library not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [library, *paths]))


class Told(Protocol):
    """What a workflow tells a script of its job.

    Attributes:
        log: the log file, written anew, is the first.
        threads: how many threads numerical libraries may use.
        input: all files to read.
        output: all files to make, manifests among them.
        params: settings by name; under `code` the fingerprint of the job's code.
    """

    log: Sequence[str]
    threads: int
    input: Sequence[str]
    output: Sequence[str]
    params: Any


@contextmanager
def job(told: Told) -> Iterator[None]:
    """Run one job: everything printed goes to its log, errors too, with their traceback.

    Results among its inputs are verified before, and manifests of its results written after it.

    Args:
        told: what the workflow says of the job.

    Raises:
        SystemExit: with the error's message, when the job failed; the traceback is in the log.
    """
    path = Path(told.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    with _log(path) as handle:
        try:
            with redirect_stdout(handle), redirect_stderr(handle), threadpool_limits(told.threads):
                verify(told.input)
                yield
                write_manifests(told.output, dict(told.params.items()))
        except Exception as error:
            with suppress(OSError):  # a full disk has no room for the traceback either
                traceback.print_exc(file=handle)
            kind = "" if isinstance(error, RulealignError) else f"{type(error).__name__}: "
            sys.exit(f"{kind}{error}\n(traceback: {path})")
        with suppress(OSError):
            print(f"machine: {computer.describe()}", file=handle)
            print(_cost(time.perf_counter() - start), file=handle)


@contextmanager
def _log(path: Path) -> Iterator[TextIO]:
    # what could not be written is tried again by close(), which would hide the job's own error
    handle = path.open("w", buffering=1)
    try:
        yield handle
    finally:
        with suppress(OSError):
            handle.close()


def _cost(wall: float) -> str:
    own = resource.getrusage(resource.RUSAGE_SELF)
    # Linux counts the peak in kilobytes, macOS in bytes
    peak = own.ru_maxrss * (1e-6 if sys.platform == "darwin" else 1e-3)
    return f"cost: wall {wall:.1f} s, cpu {own.ru_utime + own.ru_stime:.1f} s, peak {peak:.0f} MB"
