"""Conda environments: a script's imports are in its environment, at the tested versions."""

import ast
import functools
import re
import subprocess
import sys

import pytest

from rulealign.rerun.code_fingerprint import REGISTRIES, Sources

PACKAGES = {
    "torch": "pytorch",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "vl_convert": "vl-convert-python",
}
"""Module -> package of conda-forge, where the names differ."""
DEPENDENCIES = {
    "markupsafe": "jinja2",
    "botocore": "s3fs",
    "fsspec": "s3fs",
    "aiobotocore": "s3fs",
    "aiohttp": "s3fs",
}
"""Module -> the package that always brings it."""
EITHER = {"snakemake", "rulealign"}


def rules(project):
    """Give the name and text of every rule."""
    for file in sorted((project / "rules").glob("*.smk")):
        for block in re.split(r"^ *(?=rule \w+:$)", file.read_text(), flags=re.MULTILINE)[1:]:
            yield block.split()[1].rstrip(":"), block


def environment(project, name):
    """Read the packages and versions of an environment."""
    text = (project / "envs" / name).read_text()
    return dict(re.findall(r"^  - ([\w-]+)=([\w.]+)$", text, re.MULTILINE))


@functools.cache
def imported(path):
    """Give the packages that a file imports, also within functions, but not for its types alone."""
    tree = ast.parse(path.read_text())
    tree.body = [node for node in tree.body if not _for_types(node)]
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def _for_types(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@functools.cache
def sources(project):
    """Give the library's modules, each parsed once for all tests."""
    return Sources(project / "scripts")


def path_of(project, module):
    if module.startswith("scripts/"):
        return project / module
    stem = project.joinpath("src", *module.split("."))
    return stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")


def needed(project, script):
    """List the packages of conda-forge that a script reaches, through all modules."""
    # which networks and rules there are, and their settings, can be read without torch: see below
    every = sources(project).modules(script)
    none = {name: [] for name in ("networks", "rules") if REGISTRIES[name] in every}
    modules = [name for name in sources(project).modules(script, **none) if ": " not in name]
    modules.append("rulealign.job")  # what every script runs, and no fingerprint holds
    names = {name for module in modules for name in imported(path_of(project, module))}
    names -= EITHER | set(sys.stdlib_module_names)
    return {PACKAGES.get(name, DEPENDENCIES.get(name, name)) for name in names}


def test_every_rule_names_an_environment_of_the_project(project):
    found = dict(rules(project))
    assert len(found) > 25
    for name, text in found.items():
        named = re.findall(r'^ *conda:\n *"\.\./envs/([\w.]+)"$', text, re.MULTILINE)
        assert len(named) == 1, f"rule {name} names {named}"
        assert (project / "envs" / named[0]).is_file(), name


def test_every_environment_is_used(project):
    text = "".join(block for _, block in rules(project))
    assert [p.name for p in (project / "envs").glob("*.yaml") if f"envs/{p.name}" not in text] == []


def test_what_a_script_imports_is_in_its_rules_environment(project):
    lacking = {}
    for name, text in rules(project):
        env = re.search(r"envs/([\w.]+)", text)[1]
        script = re.search(r"scripts/(\w+)\.py", text)[1]
        if left := needed(project, script) - set(environment(project, env)):
            lacking[name] = (env, sorted(left))
    assert lacking == {}


def test_a_script_that_needs_torch_is_seen_as_such(project):
    assert "pytorch" in needed(project, "train")
    assert "pytorch" not in needed(project, "alignment")


def test_every_study_is_read_where_there_is_no_torch(project):
    code = """
import sys
sys.modules |= {"torch": None, "torchvision": None}
from pathlib import Path
from rulealign.config.load import read_study
for file in sys.argv[1:]:
    read_study(Path(file))
"""
    files = [project / "workflow_config.yaml", *sorted((project / "studies").glob("*.yaml"))]
    assert subprocess.run([sys.executable, "-c", code, *files], check=False).returncode == 0


@pytest.mark.parametrize("name", ["data.yaml", "torch.yaml"])
def test_versions_are_those_that_are_tested(project, name):
    lines = (project / "constraints.txt").read_text().lower().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    found = environment(project, name)
    text = (project / "envs" / name).read_text()
    assert len(found) == text.count("\n  - ") - text.count("- conda-forge")
    python = found.pop("python")
    assert {key: pins[{"pytorch": "torch"}.get(key, key)] for key in found} == found
    assert re.search(rf'requires-python = ">={python}', (project / "pyproject.toml").read_text())
