"""The house has floors: a module imports only from floors below its own."""

import ast
import re
import subprocess
import sys

import pytest

# Lowest first; what is in none of them (errors, store, guards, job) is the ground below.
FLOORS = [
    "rerun",
    "config",
    "plan",
    "data",
    "controls",
    "learning",
    "activations",
    "signals",
    "rsa",
    "encoding",
    "claims",
    "report",
]
# Registries, and what every kind of theirs is: configuration and plans ask them, so they are low.
REGISTRIES = (
    *("controls.__init__", "controls.control"),
    *("data.training_sets.__init__", "data.training_set"),
    *("data.stimulus_sets.__init__", "data.stimulus_set"),
    *("data.brains.__init__", "data.brain"),
    *("learning.networks.__init__", "learning.network"),
    *("learning.rules.__init__", "learning.rule", "learning.rule_settings"),
    *("rsa.comparisons.__init__", "rsa.comparison"),
    *("rsa.distances.__init__", "rsa.distance"),
    *("claims.measures.__init__", "claims.measure"),
)


def floor(module):
    """Give the number of a module's floor: that of its folder, counted from the ground, 0."""
    if module in REGISTRIES or f"{module}.__init__" in REGISTRIES:
        return 1
    folder = module.partition(".")[0]
    return FLOORS.index(folder) + 1 if folder in FLOORS else 0


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "rulealign":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rulealign."):
            yield node.module.removeprefix("rulealign.")


def modules(project):
    library = project / "src" / "rulealign"
    for path in sorted(library.rglob("*.py")):
        yield ".".join(path.relative_to(library).with_suffix("").parts), path


def test_every_module_imports_only_from_its_floor_and_below(project):
    wrong = [
        f"{module} imports {imported}"
        for module, path in modules(project)
        for imported in imports(path)
        if floor(imported) > floor(module)
    ]
    assert wrong == []


def test_no_learning_rule_imports_another_one(project):
    # else an edited rule would retrain the other
    wrong = [
        f"{module} imports {imported}"
        for module, path in modules(project)
        for imported in imports(path)
        if module.startswith("learning.rules.")
        and imported.startswith("learning.rules")
        and module != "learning.rules.__init__"
    ]
    assert wrong == []


def test_a_module_that_looks_up_is_found():
    assert floor("rsa.rdm") > floor("store") == 0
    assert floor("learning.rules") < floor("config.study") < floor("learning.rules.bp")


def test_every_folder_has_a_floor(project):
    library = project / "src" / "rulealign"
    folders = {path.parent.name for path in library.glob("*/__init__.py")}
    assert {name for name in FLOORS if (library / name).is_dir()} == folders


@pytest.mark.parametrize("package", ["rsa", "encoding", "claims", "report", "data"])
def test_a_floor_without_networks_does_not_load_torch(project, package):
    names = [
        f"rulealign.{module.removesuffix('.__init__')}"
        for module, _ in modules(project)
        if module.startswith(f"{package}.")
    ]
    code = f"import sys, {', '.join(names)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_jobs_of_seconds_do_not_load_what_they_do_not_need(project):
    scripts = (
        "alignment alignment_table claims control_alignment controls controls_table pairs stimuli"
    )
    imports = [
        line
        for script in scripts.split()
        for line in (project / f"scripts/{script}.py").read_text().splitlines()
        if line.startswith("from rulealign")
    ]
    slow = "{'torch', 'scipy.stats', 'scipy.spatial', 'matplotlib'}"
    code = "\n".join([*imports, "import sys", f"sys.exit(bool({slow} & set(sys.modules)))"])
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_library_knows_nothing_of_snakemake(project):
    for module, path in modules(project):
        assert not re.search(r"^\s*(import|from) snakemake", path.read_text(), re.MULTILINE), module


def test_the_snakefile_is_a_table_of_contents(project):
    assert len((project / "Snakefile").read_text().splitlines()) <= 40


def test_conda_environments_pin_what_the_constraints_pin(project):
    pins = dict(
        line.lower().split("==")
        for line in (project / "constraints.txt").read_text().splitlines()
        if "==" in line and not line.startswith("#")
    )
    for file in (project / "envs").glob("*.yaml"):
        for name, version in re.findall(r"^  - ([\w-]+)=([\w.]+)$", file.read_text(), re.MULTILINE):
            if name != "python":
                assert pins[{"pytorch": "torch"}.get(name, name)] == version, (file.name, name)
