"""Call Snakemake as a user does, in forks of a process that has loaded it already.

A fork is a process of its own, like that of a shell. Nothing of one call reaches another one, and
each is spared the second or two in which Python loads what no test changes; so are its jobs.
"""

import atexit
import functools
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import forks

LOADED = ("snakemake.cli", "snakemake.api", "boto3", "jsonschema", "nbformat", "pydantic", "yte")
"""What a call loads that is no part of the project."""


def call(arguments, folder, environment, *, jobs_as_forks=True):
    """Call Snakemake: words after `snakemake`, working folder, whole environment -> its process.

    Args:
        arguments: What is typed after `snakemake`; anything with a text.
        folder: Where it is typed.
        environment: Names and values, all of them.
        jobs_as_forks: Whether jobs are forks, too, of a process that has loaded torch and the like;
            otherwise each is a new Python, with its own hash seed, as for a user.

    Returns:
        A `subprocess.CompletedProcess` with the text of both streams.
    """
    words = [str(argument) for argument in arguments]
    with tempfile.TemporaryDirectory() as streams:
        asked = {"words": words, "folder": str(folder), "environment": environment}
        asked |= {"streams": streams, "jobs": _job_server() if jobs_as_forks else None}
        server = _server()
        print(json.dumps(asked), file=server.stdin, flush=True)
        code = int(server.stdout.readline())
        out, err = (Path(streams, name).read_text() for name in ("out", "err"))
    return subprocess.CompletedProcess(["snakemake", *words], code, out, err)


@functools.cache
def _server():
    server = _started(__file__, stdin=subprocess.PIPE)
    atexit.register(server.communicate)  # it ends with its input
    return server


@functools.cache
def _job_server():
    folder = tempfile.TemporaryDirectory()
    address = f"{folder.name}/jobs"
    server = _started(_jobs_file(), "--serve", address)
    assert server.stdout.readline() == "ready\n"
    atexit.register(folder.cleanup)
    atexit.register(server.kill)
    return address


def _started(*words, **streams):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, **streams)


def _jobs_file():
    return str(Path(__file__).with_name("forked_jobs.py"))


def _serve():
    for name in LOADED:
        importlib.import_module(name)
    assert "rulealign" not in sys.modules
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            _become_snakemake(**asked)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _become_snakemake(words, folder, environment, streams, jobs):
    written = os.O_WRONLY | os.O_CREAT
    out, err = (os.open(Path(streams, name), written) for name in ("out", "err"))
    if jobs:  # Snakemake writes this and a file where it starts a script
        sys.executable = f"{sys.executable} -I -S {_jobs_file()} {jobs}"
    main = functools.partial(sys.modules["snakemake.cli"].main, words)
    streams = [os.open(os.devnull, os.O_RDONLY), out, err]
    forks.become(main, ["snakemake", *words], folder, environment, streams)


if __name__ == "__main__":
    _serve()
