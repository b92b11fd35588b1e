"""What `make` does alone, what `make explain` does not, and a PyTorch without CUDA."""

import os
import re
import subprocess
import sys
import zipfile

import pytest

VERSION = re.compile(r"^torch==(\S+)$", re.MULTILINE)


def make(project, *words, **environment):
    done = subprocess.run(
        ["make", *words],
        cwd=project,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_make_alone_says_what_there_is_and_does_nothing(project, tmp_path):
    code, said = make(project, f"VENV={tmp_path}/venv")
    assert code == 0
    for target in ("make run", "make setup", "make explain", "make test"):
        assert target in said
    assert not list(tmp_path.iterdir())


def test_explain_installs_nothing(project, tmp_path):
    bare = {"PATH": "/usr/bin:/bin"}
    code, said = make(project, "explain", f"VENV={tmp_path}/venv", **bare)
    assert code != 0
    assert "There is no environment yet: run make setup" in said
    assert not list(tmp_path.iterdir())
    _, said = make(project, "--dry-run", "explain", "STUDY=studies/cichy92.yaml")
    assert "pip" not in said
    assert "--dry-run --configfile studies/cichy92.yaml" in said


def test_another_index_is_asked_for_and_what_came_is_checked(project, tmp_path):
    words = ("--dry-run", "setup", f"VENV={tmp_path}/venv")
    _, said = make(project, *words, "TORCH_INDEX=file:///cpu")
    assert "--extra-index-url file:///cpu" in said
    assert "torch.version.cuda is None" in said
    _, said = make(project, *words)
    assert "--extra-index-url" not in said


def write_wheel(index, version):
    """Write an index with one wheel of a package that is called torch and holds nothing."""
    folder = index / "torch"
    folder.mkdir(parents=True)
    info = f"torch-{version}.dist-info"
    name = f"torch-{version}-py3-none-any.whl"
    with zipfile.ZipFile(folder / name, "w") as wheel:
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    (folder / "index.html").write_text(f'<a href="{name}">{name}</a>')
    return index.as_uri()


@pytest.mark.parametrize("by", ["option", "environment"])
def test_pip_takes_the_wheel_without_cuda_of_the_pinned_version(project, tmp_path, by):
    (pinned,) = VERSION.findall((project / "constraints.txt").read_text())
    public, cpu = (
        write_wheel(tmp_path / name, version)
        for name, version in (("public", pinned), ("cpu", f"{pinned}+cpu"))
    )
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--index-url", public]
    command += ["--constraint", project / "constraints.txt", "--target", tmp_path / "installed"]
    option = ["--extra-index-url", cpu] if by == "option" else []
    given = {} if option else {"PIP_EXTRA_INDEX_URL": cpu}
    subprocess.run(
        [*map(str, command), *option, "torch"],
        env={**os.environ, "PIP_CONFIG_FILE": os.devnull, **given},
        capture_output=True,
        check=True,
    )
    assert (tmp_path / "installed" / f"torch-{pinned}+cpu.dist-info").is_dir()
