"""Call Snakemake as a user does, in forks of a process that has loaded it already.

A fork is a process of its own, like that of a shell. Nothing of one call reaches another one, and
each is spared the second or two in which Python loads what no test changes; so are its jobs.
"""

import atexit
import functools
import importlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from pathlib import Path

# by its file: what tests change of the project is never loaded before a fork
JOB_SERVER = Path(__file__).parents[2] / "src" / "rulealign" / "job_server.py"
_named = importlib.util.spec_from_file_location("job_server", JOB_SERVER)
job_server = importlib.util.module_from_spec(_named)
_named.loader.exec_module(job_server)

LOADED = ("snakemake.cli", "snakemake.api", "boto3", "jsonschema", "nbformat", "pydantic", "yte")
"""What a call loads that is no part of the project."""


class Call:
    """A call of Snakemake that has begun, in a process group of its own.

    Attributes:
        pid: Number of its process, and of the group.
        folder: Where its streams are written while it runs: `out` and `err`.
    """

    def __init__(self, arguments, folder, environment, *, jobs_as_forks=True):
        """Begin a call.

        Args:
            arguments: What is typed after `snakemake`; anything with a text.
            folder: Where it is typed.
            environment: Names and values, all of them.
            jobs_as_forks: Whether jobs are forks, too, as they are for a user on one machine, of a
                server that all calls share; otherwise each is a new Python, with its own hash seed.
        """
        self.folder = Path(tempfile.mkdtemp())
        weakref.finalize(self, shutil.rmtree, self.folder)
        self.words = [str(argument) for argument in arguments]
        jobs = {job_server.CHOICE: _folder_of_job_server() if jobs_as_forks else ""}
        asked = {"words": self.words, "folder": str(folder), "environment": environment | jobs}
        server = _server()
        print(json.dumps(asked | {"streams": str(self.folder)}), file=server.stdin, flush=True)
        self.pid = int(server.stdout.readline())

    def output(self):
        """Give what it has printed so far."""
        files = (self.folder / "out", self.folder / "err")
        return "".join(file.read_text() for file in files if file.exists())

    def poll(self):
        """Give its exit status, and None while it runs."""
        ended = self.folder / "status"
        return int(ended.read_text()) if ended.exists() else None

    def wait(self):
        """Wait for its end, and give its exit status."""
        while (status := self.poll()) is None:
            time.sleep(0.005)
        return status

    def ended(self):
        """Wait for its end, and give a `CompletedProcess`; its `output` is both streams."""
        status = self.wait()
        out, err = (Path(self.folder, name).read_text() for name in ("out", "err"))
        done = subprocess.CompletedProcess(["snakemake", *self.words], status, out, err)
        done.output = out + err
        return done


@functools.cache
def _server():
    command = [sys.executable, __file__]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    server = subprocess.Popen(command, **pipes, text=True, env=environment)
    atexit.register(server.communicate)  # it ends with its input
    return server


@functools.cache
def _folder_of_job_server():
    python = Path(job_server.python_of_jobs())
    while not (python.parent / "socket").exists():
        time.sleep(0.05)
    return str(python.parent)


def _serve():
    for name in LOADED:
        importlib.import_module(name)
    assert "rulealign" not in sys.modules
    running = {}
    signal.signal(signal.SIGCHLD, lambda *_: _note_ended(running))
    for line in sys.stdin:
        asked = json.loads(line)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        child = os.fork()
        if not child:
            os.setsid()
            # whoever started the tests may have told them to ignore it
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
            _become_snakemake(**asked)
        running[child] = Path(asked["streams"])
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        print(child, flush=True)


def _note_ended(running):
    while running:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        folder = running.pop(child)
        (folder / "new").write_text(str(os.waitstatus_to_exitcode(status)))
        (folder / "new").rename(folder / "status")


def _become_snakemake(words, folder, environment, streams):
    written = os.O_WRONLY | os.O_CREAT
    out, err = (os.open(Path(streams, name), written) for name in ("out", "err"))
    main = functools.partial(sys.modules["snakemake.cli"].main, words)
    opened = [os.open(os.devnull, os.O_RDONLY), out, err]
    job_server.become(main, ["snakemake", *words], folder, environment, opened)


if __name__ == "__main__":
    _serve()
