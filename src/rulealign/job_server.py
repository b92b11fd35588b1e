"""Jobs as forks of a process that has loaded the libraries they import.

Most jobs last less than the import of torch. On one machine, a run therefore starts a server that
loads these libraries once, and has Snakemake start a client in place of Python: a fork of the
server runs the script, and the client ends as the script does. A fork has the arguments, working
folder, environment, streams and module path that a new Python would have; the project's own modules
are never loaded before the fork, so that a job runs the code that lies there when it starts.

Not for jobs on other machines or in environments of their own, which start a new Python. The client
is started without site-packages; this file imports nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

LOADED = (
    "altair",
    "h5py",
    "jinja2",
    "nibabel",
    "numba",
    "numpy",
    "pandas",
    "PIL.Image",
    "pydantic.main",
    "scipy.linalg",
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.spatial.distance",
    "scipy.stats",
    "snakemake.script",
    "threadpoolctl",
    "torch._dynamo",  # the optimisers and `use_deterministic_algorithms` load these two, for 2 s
    "torch._inductor.config",
    "tqdm",
    "vl_convert",
    "yaml",
)
"""What scripts import that is no part of the project."""

CHOICE = "RULEALIGN_JOB_SERVER"
"""Environment variable: the folder of a server that runs already; empty for a new Python a job."""

LONGEST = 90  # letters; sockets have paths of 104 on some systems

_FORWARDED = (signal.SIGTERM, signal.SIGINT)


def python_of_jobs() -> str:
    """Start a server of jobs, and name the program that runs a script in a fork of it.

    Returns:
        The path of a program that takes the place of `sys.executable`: this process's own Python
        where forks after imports are not safe (elsewhere than on Linux), where the environment
        variable `RULEALIGN_JOB_SERVER` is empty, or where its path would need quotes or is longer
        than those of sockets may be.
    """
    folder = os.environ.get(CHOICE)
    if folder is None and sys.platform == "linux":
        folder = _started()
    fits = folder and " " not in folder and len(folder) < LONGEST
    return f"{folder}/python" if fits else sys.executable


def _started() -> str:
    import atexit
    import subprocess
    import tempfile

    folder = tempfile.mkdtemp(prefix="rulealign-jobs-")
    write_client(folder)
    # a session of its own: Ctrl-C reaches jobs through their clients, once
    command = [sys.executable, __file__, "--serve", folder]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, **streams, start_new_session=True)
    atexit.register(_end, server, folder)
    return folder


def _end(server, folder):
    import shutil

    with server:  # closes what it would read
        server.terminate()
    shutil.rmtree(folder, ignore_errors=True)


def write_client(folder: str) -> None:
    """Write the program that stands for Python where Snakemake starts a script.

    Args:
        folder: where the server listens.
    """
    import shlex

    words = [sys.executable, "-I", "-S", __file__, folder]
    client = Path(folder) / "python"
    client.write_text(f'#!/bin/sh\nexec {shlex.join(words)} {shlex.quote(sys.executable)} "$@"\n')
    client.chmod(0o700)


def _ask(folder: str, python: str, words: list[str]) -> None:
    # Snakemake starts itself with its Python, too
    server = _connected(f"{folder}/socket") if words[0].endswith(".py") else None
    if server is None:
        os.execv(python, [python, *words])
    environment = [f"{name}={value}" for name, value in os.environ.items()]
    message = "\0".join([str(len(words)), *words, str(Path.cwd()), *environment]).encode()

    def forward(number, frame):
        with contextlib.suppress(OSError):  # the job has ended
            server.sendall(bytes([number]))

    for number in _FORWARDED:
        signal.signal(number, forward)
    socket.send_fds(server, [len(message).to_bytes(4, "little")], [0, 1, 2])
    server.sendall(message)
    with server.makefile() as answers:
        answer = answers.readline()
    code = int(answer) if answer else -signal.SIGKILL  # the process beside the job was killed
    if code < 0:
        if -code in _FORWARDED:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


def _connected(address: str) -> socket.socket | None:
    server = socket.socket(socket.AF_UNIX)
    try:
        server.connect(address)
    except OSError:  # it loads its libraries yet, or has ended
        return None
    return server


def _serve(folder: str) -> None:
    import importlib
    import select
    import shutil

    for name in LOADED:
        importlib.import_module(name)
    assert "rulealign" not in sys.modules
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forks leave nothing behind
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{folder}/new")
        server.listen(64)
        Path(folder, "new").rename(Path(folder, "socket"))  # who sees it is answered
        while sys.stdin not in select.select([server, sys.stdin], [], [])[0]:
            connection, _ = server.accept()
            if not os.fork():
                server.close()
                _answer(connection)
            connection.close()
    shutil.rmtree(folder)  # who started this process has ended, and may have been killed


def _answer(connection: socket.socket) -> None:
    size, streams, _, _ = socket.recv_fds(connection, 4, 3)
    message = connection.recv(int.from_bytes(size, "little"), socket.MSG_WAITALL)
    count, *told = message.decode().split("\0")
    words, (folder, *lines) = told[: int(count)], told[int(count) :]
    children = []

    def ended(number, frame):
        code = os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1])
        connection.sendall(f"{code}\n".encode())
        os._exit(0)

    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    signal.signal(signal.SIGCHLD, ended)
    children.append(os.fork())
    if not children[0]:
        connection.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        environment = dict(line.split("=", 1) for line in lines)
        become(lambda: _run_script(words[0]), words, folder, environment, streams)
    for stream in streams:
        os.close(stream)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    while number := connection.recv(1):
        os.kill(children[0], number[0])
    os.kill(children[0], signal.SIGKILL)  # so was the client: nobody waits for the job
    os._exit(1)


def _run_script(script: str) -> None:
    import runpy

    runpy.run_path(script, run_name="__main__")


def become(program, words, folder, environment, streams) -> None:
    """Run a program in this fork as if Python had been started for it, and end the process.

    Args:
        program: a function of no arguments; what it returns or raises decides the exit code, as it
            does for a script.
        words: the name of the program, and its arguments.
        folder: the working folder.
        environment: names and values, all of them.
        streams: open files that take the place of standard input, output and error.
    """
    import atexit
    import runpy
    import traceback

    code = 1
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        paths = list(filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)))
        # the folder of the file that forked makes way for what `python` would have there
        sys.path[:1] = [str(Path(words[0]).parent) if os.sep in words[0] else "", *paths]
        sys.argv = list(words)
        for path in paths:
            if (start := Path(path) / "sitecustomize.py").exists():
                runpy.run_path(str(start))
        code = _code_of(program)
        atexit._run_exitfuncs()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _code_of(program):
    try:
        program()
    except SystemExit as end:
        if isinstance(end.code, str):  # as Python does where nobody catches it
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        _serve(sys.argv[2])
    else:
        _ask(sys.argv[1], sys.argv[2], sys.argv[3:])
