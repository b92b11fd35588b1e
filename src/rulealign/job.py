"""What every job needs around its one call: a log that holds the traceback, and its threads."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from threadpoolctl import threadpool_limits

from rulealign.errors import RulealignError


@contextmanager
def job(log: str | Path, threads: int = 1) -> Iterator[None]:
    """Run one job: everything printed goes to its log, errors too, with their traceback.

    Args:
        log: the log file; it is written anew.
        threads: how many threads numerical libraries may use.

    Raises:
        SystemExit: with the error's message, when the job failed; the traceback is in the log.
    """
    path = Path(log)
    path.parent.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    with path.open("w", buffering=1) as handle:
        try:
            with redirect_stdout(handle), redirect_stderr(handle), threadpool_limits(threads):
                yield
        except Exception as error:
            traceback.print_exc(file=handle)
            kind = "" if isinstance(error, RulealignError) else f"{type(error).__name__}: "
            sys.exit(f"{kind}{error}\n(traceback: {path})")
        print(f"done in {time.perf_counter() - start:.1f} s", file=handle)
