"""Run the scripts of jobs in forks of a process that has loaded the libraries they import.

Most jobs of a small study last less than the import of torch or pandas. `python forked_jobs.py
--serve <socket>` loads these once; `python forked_jobs.py <socket> <script>` has a fork of it run
one script, and ends as the script does. Hash seeds and global random states are those of the
server: what must not depend on them is tested with `jobs_as_forks=False`.
"""

import os
import signal
import socket
import sys
from pathlib import Path


def _ask(address, script):
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        folder = str(Path.cwd())
        asked = [script, folder, *(f"{name}={value}" for name, value in os.environ.items())]
        socket.send_fds(server, ["\0".join(asked).encode()], [0, 1, 2])
        server.shutdown(socket.SHUT_WR)
        with server.makefile() as answers:
            child = int(answers.readline())
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda number, _: os.kill(child, number))
            code = int(answers.readline())
    if code < 0:  # it was killed
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


LOADED = (
    *("h5py", "jinja2", "matplotlib.figure", "matplotlib.backends.backend_svg", "nibabel", "numba"),
    *(
        "numpy",
        "pandas",
        "PIL.Image",
        "pydantic",
        "scipy.linalg",
        "scipy.ndimage",
        "scipy.optimize",
    ),
    *("scipy.spatial.distance", "scipy.stats", "snakemake.script", "torch", "tqdm", "yaml"),
)
"""What scripts load that is no part of the project."""


def _serve(address):
    import importlib

    import forks

    for name in LOADED:
        importlib.import_module(name)
    assert "rulealign" not in sys.modules
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(64)
        print("ready", flush=True)
        while True:
            connection, _ = server.accept()
            if not os.fork():
                server.close()
                _answer(connection, forks)
            connection.close()
            _reap()


def _reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _answer(connection, forks):
    import runpy

    text, streams, _, _ = socket.recv_fds(connection, 1 << 16, 3)
    while more := connection.recv(1 << 16):
        text += more
    script, folder, *lines = text.decode().split("\0")
    child = os.fork()
    if not child:
        connection.close()
        environment = dict(line.split("=", 1) for line in lines)

        def program():
            runpy.run_path(script, run_name="__main__")

        forks.become(program, [script], folder, environment, streams)
    connection.sendall(f"{child}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    connection.sendall(f"{code}\n".encode())
    os._exit(0)


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        _serve(sys.argv[2])
    else:
        _ask(*sys.argv[1:])
