"""Real Snakemake calls and real jobs in forks of a process that has loaded everything once.

A call of Snakemake that is refused takes seconds to start and milliseconds to answer, and a job on
a study of seconds likewise. A fork starts at once: only this makes a thousand of them affordable.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import runpy
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from rulealign.job_server import CHOICE, LOADED

LIMIT_S = 3600
"""After this long a call counts as one that never ends."""


@dataclass(frozen=True)
class Answer:
    """How a call ended: its exit status (None: it was killed, or never ended) and what it said."""

    status: int | None
    said: str


def load_everything() -> None:
    """Load what jobs and plans load, for the forks to come; this library, too."""
    import rulealign

    library = pkgutil.walk_packages(rulealign.__path__, "rulealign.")
    own = [module.name for module in library if not module.name.endswith("__main__")]
    for name in ("snakemake.cli", "torchvision", *LOADED, *own):
        importlib.import_module(name)


def snakemake(
    project: Path,
    folder: Path,
    *arguments: str,
    kept: Path | None = None,
    environment: Iterable[tuple[str, str]] = (),
    limit_s: float = LIMIT_S,
) -> Answer:
    """Call Snakemake on `study.yaml` of a folder.

    Args:
        project: the checkout whose Snakefile is used.
        folder: the working folder.
        arguments: further arguments, as on the command line.
        kept: a folder for copies of the scripts of all jobs, as `job` runs them; None keeps none.
        environment: further environment variables, as (name, value).
        limit_s: seconds after which it is killed.
    """
    call = planned(project, folder, *arguments, kept=kept, environment=environment)
    return answer(call, folder, limit_s)


def planned(
    project: Path,
    folder: Path,
    *arguments: str,
    kept: Path | None = None,
    environment: Iterable[tuple[str, str]] = (),
) -> Callable[[], None]:
    """Give the call of Snakemake that `snakemake` makes, for a fork of the caller's own."""
    command = ["--snakefile", project / "Snakefile", "--directory", folder, "--cores", 1]
    command += ["--configfile", folder / "study.yaml", "--nocolor"]
    command += ["--workflow-profile", project / "profiles" / "default", *arguments]

    def call() -> None:
        os.environ.update({CHOICE: "", **dict(environment)})
        _run_scripts_in_forks(kept)
        from snakemake.cli import main

        sys.argv = ["snakemake", *map(str, command)]
        main(sys.argv[1:])

    return call


def job(script: Path, folder: Path) -> Answer:
    """Run the script of a job, as Snakemake wrote it, in a working folder."""
    return answer(lambda: runpy.run_path(str(script), run_name="__main__"), folder)


def _run_scripts_in_forks(kept: Path | None) -> None:
    from snakemake.script import PythonScript

    def execute(script, name, edit=False):
        if kept is not None:
            label = Path(name).name.split(".")[-2]
            copy = kept / f"{label}-{len(list(kept.iterdir())):03d}.py"
            copy.write_bytes(Path(name).read_bytes())
        process = os.fork()
        if process == 0:
            _end(lambda: runpy.run_path(name, run_name="__main__"))
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if status != 0:
            raise subprocess.CalledProcessError(status, ["python", name])

    PythonScript.execute_script = execute


def answer(call: Callable[[], object], folder: Path, limit_s: float = LIMIT_S) -> Answer:
    """Run a call in a fork, in a folder; give its exit status and what it said."""
    with tempfile.TemporaryFile() as output:
        status = wait(start(call, folder, output.fileno()), limit_s)
        output.seek(0)
        return Answer(status, output.read().decode(errors="replace"))


def start(call: Callable[[], object], folder: Path, output: int) -> int:
    """Start a call in a fork, in a folder and in a process group of its own; give its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process == 0:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(folder)
        _end(call)
    return process


def wait(process: int, limit_s: float = LIMIT_S) -> int | None:
    """Wait for a fork; give its exit status, or None if it was killed or had to be."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else None
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None


def _end(call: Callable[[], object]) -> None:
    # as the interpreter ends a script; os._exit, because all else belongs to the process forked
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    status = 0
    try:
        call()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
