"""What every job needs around its one call: whole inputs, a log, its threads, and manifests."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, Protocol, TextIO

from threadpoolctl import threadpool_limits

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
        rule: the workflow's rule, by which costs are summed.
        log: the log file, written anew, is the first.
        threads: how many threads numerical libraries may use.
        input: all files to read.
        output: all files to make, manifests among them.
        params: settings by name; under `code` the fingerprint of the job's code.
    """

    rule: str
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
            print(f"machine: {machine()}", file=handle)
            print(_cost(told.rule, time.perf_counter() - start), file=handle)


@contextmanager
def _log(path: Path) -> Iterator[TextIO]:
    # what could not be written is tried again by close(), which would hide the job's own error
    handle = path.open("w", buffering=1)
    try:
        yield handle
    finally:
        with suppress(OSError):
            handle.close()


def _cost(stage: str, wall: float) -> str:
    own = resource.getrusage(resource.RUSAGE_SELF)
    # Linux counts the peak in kilobytes, macOS in bytes
    peak = own.ru_maxrss * (1e-6 if sys.platform == "darwin" else 1e-3)
    cpu = own.ru_utime + own.ru_stime
    return f"cost of {stage}: wall {wall:.1f} s, cpu {cpu:.1f} s, peak {peak:.0f} MB"


def machine(root: Path = Path("/")) -> str:
    """Describe the machine: processor, cores, memory, system, and the GPU that torch has used.

    Args:
        root: where `/proc` lies.

    Returns:
        One line, such as "AMD EPYC 7B13, 8 cores, 32 GB, Linux 6.1.0 x86_64". It is the same in
        every process of a machine but for the GPU, and depends on no limit of a job.
    """
    cores = f"{os.cpu_count()} cores"
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    parts = [_processor(root / "proc/cpuinfo"), cores, _memory(root / "proc/meminfo"), system]
    return ", ".join(part for part in [*parts, _gpu()] if part)


def _processor(file: Path) -> str:
    for line in file.read_text().splitlines() if file.exists() else ():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return " ".join(value.split())
    return platform.processor() or platform.machine()


def _memory(file: Path) -> str:
    for line in file.read_text().splitlines() if file.exists() else ():
        if line.startswith("MemTotal:"):
            return f"{int(line.split()[1]) * 1024 / 1e9:.0f} GB"
    return ""


def _gpu() -> str:
    # a job without torch must not load it, and one on the CPU must not wake a GPU
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    return cuda.get_device_name() if cuda and cuda.is_available() and cuda.is_initialized() else ""
