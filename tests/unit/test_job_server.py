"""Jobs as forks: to the outside a fork is the Python that it stands for."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from rulealign import job_server

REPORTED = """
import os, sys, __main__
print(sys.argv, os.getcwd(), os.environ["WORD"], sys.path[:2], __main__.__name__, __file__)
print(sys.stdin.read(), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def server():
    """Give the folder of a server that has loaded next to nothing."""
    # torch and the like are not what is tested here, and take seconds
    code = "import runpy, sys; sys.argv[1:] = ['--serve', sys.argv[1]]; import importlib\n"
    code += "real = importlib.import_module; importlib.import_module = lambda name: None\n"
    code += f"runpy.run_path({job_server.__file__!r}, run_name='__main__')"
    folder = tempfile.mkdtemp()
    job_server.write_client(folder)
    command = [sys.executable, "-c", code, folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        wait_for((Path(folder) / "socket").exists)
        yield folder
    assert process.returncode == 0  # it ends with its input, and leaves nothing
    assert not Path(folder).exists()


def wait_for(condition):
    """Wait until a condition holds, two minutes at most: machines may be busy."""
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def script(tmp_path):
    """Give a function: text -> the path of a script with it."""

    def written(text):
        path = tmp_path / "script.py"
        path.write_text(text)
        return str(path)

    return written


def run(program, script, **options):
    """Run a script with a program that is, or stands for, Python."""
    return subprocess.run([program, script], capture_output=True, text=True, **options)


@pytest.mark.parametrize(
    "text",
    [
        REPORTED,
        "raise ValueError('wrong')",
        "import sys; sys.exit('one line of text')",
        "import sys; sys.exit(7)",
        "import sys; sys.exit()",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import atexit; atexit.register(print, 'at the end'); print('first')",
        "import os; os._exit(3)",
    ],
)
def test_a_fork_does_what_a_new_python_does(server, script, text, tmp_path):
    path = script(text)
    options = {
        "cwd": tmp_path,
        "env": {"WORD": "told", "PYTHONPATH": "/first", "PATH": os.environ["PATH"]},
        "input": "typed",
    }
    fork = run(f"{server}/python", path, **options)
    new = run(sys.executable, path, **options)
    assert (fork.returncode, fork.stdout) == (new.returncode, new.stdout)
    # tracebacks also name the lines of runpy
    assert fork.stderr.splitlines()[-1:] == new.stderr.splitlines()[-1:]


def test_a_fork_is_one(server, script):
    path = script("import sys; print('runpy' in sys.modules, 'select' in sys.modules)")
    assert run(f"{server}/python", path).stdout == "True True\n"
    assert run(sys.executable, path).stdout != "True True\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_to_the_client_reach_the_job(server, script, tmp_path, number):
    path = script(
        f"import os, signal, sys, time, pathlib\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(5))\n"
        f"pathlib.Path({str(tmp_path)!r}, 'running').touch()\n"
        f"time.sleep(300)"
    )
    client = subprocess.Popen([f"{server}/python", path])
    wait_for((tmp_path / "running").exists)
    client.send_signal(number)
    assert client.wait(120) == 5


def test_a_job_that_a_signal_ends_ends_its_client_by_it(server, script, tmp_path):
    path = script(
        f"import pathlib, time\npathlib.Path({str(tmp_path)!r}, 'running').touch()\ntime.sleep(300)"
    )
    client = subprocess.Popen([f"{server}/python", path])
    wait_for((tmp_path / "running").exists)
    client.terminate()
    assert client.wait(120) == -signal.SIGTERM


def test_a_job_ends_with_a_client_that_is_killed(server, script, tmp_path):
    pid_file = tmp_path / "pid"
    path = script(
        "import os, pathlib, time\n"
        f"path = pathlib.Path({str(pid_file)!r})\n"
        "path.with_suffix('.new').write_text(str(os.getpid()))\n"
        "path.with_suffix('.new').rename(path)\n"
        "time.sleep(300)"
    )
    client = subprocess.Popen([f"{server}/python", path])
    wait_for(pid_file.exists)
    job = Path("/proc", pid_file.read_text())
    assert job.exists()
    client.kill()
    client.wait()
    wait_for(lambda: not job.exists())


def test_what_is_edited_between_two_jobs_is_seen(server, script, tmp_path):
    module = tmp_path / "edited_module.py"
    path = script("import edited_module; print(edited_module.VALUE)")
    for value in ("1", "20"):
        module.write_text(f"VALUE = {value}")
        assert run(f"{server}/python", path).stdout == f"{value}\n"


def test_without_a_server_the_client_is_a_new_python(tmp_path, script):
    job_server.write_client(str(tmp_path))
    assert (
        run(f"{tmp_path}/python", script(REPORTED.replace("WORD", "PATH")), input="").returncode
        == 0
    )
    version = subprocess.run([tmp_path / "python", "-V"], capture_output=True, text=True)
    assert version.stdout.startswith("Python 3")


def test_what_stands_for_python_is_a_choice(monkeypatch):
    monkeypatch.setenv(job_server.CHOICE, "")
    assert job_server.python_of_jobs() == sys.executable
    monkeypatch.setenv(job_server.CHOICE, "/of/another")
    assert job_server.python_of_jobs() == "/of/another/python"
    for folder in ("/with a/space", "/long" * 20):
        monkeypatch.setenv(job_server.CHOICE, folder)
        assert job_server.python_of_jobs() == sys.executable


def test_a_run_has_a_server_of_its_own(monkeypatch, tmp_path):
    monkeypatch.delenv(job_server.CHOICE, raising=False)
    code = "import time; from rulealign.job_server import python_of_jobs as start\n"
    code += "print(start(), flush=True); time.sleep(300)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        folder = Path(owner.stdout.readline().strip()).parent
        wait_for((folder / "socket").exists)
        loaded = tmp_path / "loaded.py"
        loaded.write_text("import sys; print('torch' in sys.modules, 'rulealign' in sys.modules)")
        assert run(folder / "python", loaded).stdout == "True False\n"
        owner.kill()
    wait_for(lambda: not _served(folder))


def _served(folder):
    return any(
        f"--serve\0{folder}" in Path(process, "cmdline").read_text()
        for process in Path("/proc").glob("[0-9]*")
        if Path(process, "cmdline").exists()
    )
