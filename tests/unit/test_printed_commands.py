"""Every command that README and docs print can be typed as it stands."""

import argparse
import ast
import importlib
import re
import shlex
import subprocess
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from snakemake.cli import get_argument_parser

PROJECT = Path(__file__).parents[2]
PAGES = [PROJECT / "README.md", *sorted(PROJECT.glob("docs/*.md")), PROJECT / "results/README.md"]
PROGRAMS = ("snakemake", "make", "python", "pytest", "pip")
YOURS = {"studies/mine.yaml", "small.yaml"}  # what a reader makes before
ASSIGNED = r"(?:[A-Z_]+=\S+ )*"


def commands(page):
    """Find the commands of a page: lines of code blocks, and code in sentences."""
    parts = re.split(r"^```.*\n", page.read_text().replace("\\\n", " "), flags=re.MULTILINE)
    sentences, blocks = "\n".join(parts[::2]), "\n".join(parts[1::2])
    lines = [*blocks.splitlines(), *re.findall(r"^    (\S.*)$", sentences, re.MULTILINE)]
    lines += [code.replace("\n", " ") for code in re.findall(r"`([^`]+)`", sentences)]
    for line in lines:
        command = re.sub(r"\s+#\s.*", "", line).strip()
        program = rf"{ASSIGNED}(?:{'|'.join(PROGRAMS)})(?: |$)"
        if re.match(program, command) and not re.search(r"<[\w ]+>|\.\.\.", command):
            yield command


FOUND = [(page.name, command) for page in PAGES for command in dict.fromkeys(commands(page))]


def rule_names():
    return set(re.findall(r"^ *rule (\w+):", _text("rules/*.smk") + _text("Snakefile"), re.M))


def _text(pattern):
    return "\n".join(path.read_text() for path in PROJECT.glob(pattern))


def check_snakemake(words):
    args = get_argument_parser().parse_args(words)
    files = [str(file) for file in args.configfile or []]
    assert len(files) <= 1, f"{files[1:]} would be taken for study files: put -- before targets"
    assert all(file in YOURS or (PROJECT / file).is_file() for file in files), files
    assert args.workflow_profile is None or (PROJECT / args.workflow_profile).is_dir()
    named = {*(args.until or []), *args.targets}
    assert all(name in rule_names() or name.startswith("results/") for name in named), named


def check_make(words):
    done = subprocess.run(
        ["make", "--dry-run", *words], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for word in words:
        name, given, value = word.partition("=")
        if given:
            assert f"$({name})" in (PROJECT / "Makefile").read_text(), name
            assert name != "STUDY" or (PROJECT / value).is_file(), value


def check_python(words):
    if words[0] == "-m":
        assert find_spec(words[1]), words[1]
        return
    if words[0] == "-c":
        _check_code(words[1])
        return
    assert (PROJECT / words[0]).is_file(), words[0]


def _check_code(code):
    """Every module that a line of Python imports is there."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            missing = [name.name for name in node.names if not find_spec(name.name)]
            assert not missing, missing
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            missing = [name.name for name in node.names if not hasattr(module, name.name)]
            assert not missing, missing


def check_pytest(words):
    parser = argparse.ArgumentParser(exit_on_error=False)
    for option in ("-n", "--dist", "-m", "-k"):
        parser.add_argument(option)
    parser.add_argument("files", nargs="*")
    assert all((PROJECT / file).exists() for file in parser.parse_args(words).files), words


def check_pip(words):
    assert words[:3] == ["install", "-c", "constraints.txt"]
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    asked = re.findall(r"\.\[(\w+)\]", " ".join(words))
    assert asked
    assert set(asked) <= set(extras["optional-dependencies"])


CHECKS = {
    "snakemake": check_snakemake,
    "make": check_make,
    "python": check_python,
    "pytest": check_pytest,
    "pip": check_pip,
}


@pytest.mark.parametrize(("page", "command"), FOUND)
def test_a_printed_command_is_understood(page, command):
    words = shlex.split(command)
    while re.match(r"[A-Z_]+=", words[0]):
        del words[0]
    CHECKS[words[0]](words[1:])


def test_commands_of_every_kind_are_found():
    assert {re.sub(f"^{ASSIGNED}", "", command).split()[0] for _, command in FOUND} == set(CHECKS)
    assert len(FOUND) > 30


@pytest.mark.parametrize(
    "command",
    [
        "--cores 2 --configfile studies/things.yaml results/things/x.h5",
        "--cores 2 --configfile studies/none.yaml",
        "--cores 2 --until no_such_rule",
    ],
)
def test_a_command_that_fails_is_noticed(command):
    with pytest.raises(AssertionError):
        check_snakemake(shlex.split(command))
