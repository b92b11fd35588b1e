"""Call Snakemake as a user does, in forks of a process that has loaded it already.

A fork is a process of its own, like that of a shell, with the working folder, environment and
search path that a new Python would have. Nothing of one call reaches another one, and each is
spared the second or two in which Python loads what no test changes.
"""

import atexit
import functools
import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

LOADED = ("snakemake.cli", "snakemake.api", "boto3", "jsonschema", "nbformat", "pydantic", "yte")
"""What a call loads that is no part of the project."""


def call(arguments, folder, environment):
    """Call Snakemake: words after `snakemake`, working folder, whole environment -> its process.

    Args:
        arguments: What is typed after `snakemake`; anything with a text.
        folder: Where it is typed.
        environment: Names and values, all of them.

    Returns:
        A `subprocess.CompletedProcess` with the text of both streams.
    """
    words = [str(argument) for argument in arguments]
    with tempfile.TemporaryDirectory() as streams:
        asked = {"words": words, "folder": str(folder), "environment": environment}
        server = _server()
        print(json.dumps(asked | {"streams": streams}), file=server.stdin, flush=True)
        code = int(server.stdout.readline())
        out, err = (Path(streams, name).read_text() for name in ("out", "err"))
    return subprocess.CompletedProcess(["snakemake", *words], code, out, err)


@functools.cache
def _server():
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    server = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    atexit.register(server.communicate)  # it ends with its input
    return server


def _serve():
    for name in LOADED:
        importlib.import_module(name)
    assert "rulealign" not in sys.modules
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become_snakemake(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _become_snakemake(words, folder, environment, streams):
    code = 1
    try:
        for name, number in (("out", 1), ("err", 2)):
            os.dup2(os.open(Path(streams, name), os.O_WRONLY | os.O_CREAT), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        # the folder of this file makes way for what `python -m` would have there
        sys.path[:1] = ["", *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
        sys.argv = ["snakemake", *words]
        code = _code_of_snakemake(words)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _code_of_snakemake(words):
    try:
        sys.modules["snakemake.cli"].main(words)
    except SystemExit as end:
        if isinstance(end.code, str):  # as Python does where nobody catches it
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    return 0


if __name__ == "__main__":
    _serve()
