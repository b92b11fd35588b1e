"""Every rule has the fingerprint of its code, and nothing that its job runs is missing from it."""

import ast
import json
import os
import re
import subprocess
import sys

import pytest

from helpers.rule_texts import named_rules
from helpers.settings_modules import SETTINGS, loaded_by_settings
from rulealign.job_server import LOADED
from rulealign.rerun.code_fingerprint import FILES, REGISTRIES, Sources
from rulealign.rerun.messages import WORDS_ONLY
from rulealign.rerun.syntax import imports, parse


def rules_of(project):
    for file in sorted((project / "rules").glob("*.smk")):
        text = named_rules(file.read_text())
        for block in re.split(r"^\s*rule (?=\w+:$)", text, flags=re.MULTILINE)[1:]:
            script = re.search(r'"\.\./scripts/(\w+)\.py"', block)
            yield file.name, block.partition(":")[0], script and script[1], block


def test_every_rule_has_the_fingerprint_of_its_own_script(project):
    found = list(rules_of(project))
    assert len(found) > 25
    for file, rule, script, block in found:
        params = re.search(r"^(\s*)params:\n((?:\1 +.*\n)+)", block, re.MULTILINE)
        codes = re.findall(
            r'^\s*code=.*?\bcode(?:_of_arm)?\(\s*"(\w+)"', params[2] if params else "", re.MULTILINE
        )
        # the bytes of a download are those of the registry's checksums, whatever code got them
        expected = [] if rule == "fetch" else [script]
        assert codes == expected, (
            f"{file}: rule {rule} wants code=code(...) of its script in params"
        )


def test_a_rule_names_the_entries_of_every_registry_that_its_script_reaches(project):
    sources = Sources(project / "scripts")
    for file, rule, script, block in rules_of(project):
        reached = sources.modules(script)
        of_arm = {"networks", "rules"} if f'code_of_arm("{script}")' in block else set()
        for name, module in REGISTRIES.items():
            if module in reached and name not in of_arm:
                named = re.search(rf'code\(\s*"{script}",[^)]*\b{name}=', block)
                assert named, f"{file}: rule {rule} reaches {module}: say code(..., {name}=...)"


def test_every_file_that_is_no_module_is_read_by_one_that_says_so(project):
    library = project / "src" / "rulealign"
    others = {
        path.relative_to(library).as_posix()
        for path in library.rglob("*")
        if path.suffix != ".py" and path.is_file() and path.parent.name != "__pycache__"
    }
    # of the registry of datasets, rules have in their params what they use
    assert {path for path in others if not path.startswith(tuple(FILES.values()))} == {
        "data/download/registry.yaml"
    }


def test_the_library_has_no_relative_imports_and_no_other_imports_by_name(project):
    for path in sorted((project / "src" / "rulealign").rglob("*.py")):
        tree = parse(path.read_bytes())
        assert all(not getattr(node, "level", 0) for node in ast.walk(tree)), path
        module = ".".join(path.relative_to(project / "src").with_suffix("").parts)
        if {"importlib", "importlib.import_module"} & set(imports(tree)):
            # what a server of jobs loads is no part of the library
            others = {*REGISTRIES.values(), "rulealign.lazy", "rulealign.job_server"}
            assert module.removesuffix(".__init__") in others


IMPORT = """
import ast, importlib, json, os, sys
for name in ["nilearn.masking", "s3fs", "torchvision", *NAMES]:  # once, for all that follow
    importlib.import_module(name)
for script in sys.argv[1:]:
    if os.fork() == 0:
        tree = ast.parse(open(script).read())
        tree.body = [n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom))]
        exec(compile(tree, script, "exec"), {})
        found = sorted(name for name in sys.modules if name.split(".")[0] == "rulealign")
        sys.stdout.write(json.dumps([script, found]) + "\\n")
        sys.stdout.flush()
        os._exit(0)
    os.wait()
"""


def test_whatever_a_script_imports_is_in_its_fingerprint(project):
    sources = Sources(project / "scripts")
    scripts = sorted({script for _, _, script, _ in rules_of(project)})
    paths = [str(project / "scripts" / f"{script}.py") for script in scripts]
    done = subprocess.run(
        [sys.executable, "-c", f"NAMES = {LOADED}{IMPORT}", *paths],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(project / "src")},
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [path for path, _ in lines] == paths, done.stderr
    for script, (_, loaded) in zip(scripts, lines, strict=True):
        assert loaded
        reached = sources.modules(script).keys() | WORDS_ONLY | loaded_by_settings(project)
        assert set(loaded) - reached == set(), script


def test_settings_hold_fields_and_compute_nothing(project):
    # their code is in no job's fingerprint
    for path in [*(project / SETTINGS).glob("*.py")]:
        tree = parse(path.read_bytes())
        found = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
        for node in found[1:]:  # after the docstring
            if isinstance(node, ast.If):
                assert ast.unparse(node.test) == "TYPE_CHECKING"
                continue
            assert isinstance(node, ast.ClassDef), ast.unparse(node)
            methods = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
            assert methods <= {"of"}, (path, node.name)


OF_NO_NETWORK = {
    # what a study may say, whose words would train every network anew
    *("rulealign.config", "rulealign.plan", "rulealign.claims", "rulealign.report"),
    *("rulealign.encoding", "rulealign.rsa.bootstrap", "rulealign.rsa.compare"),
    *("rulealign.rsa.alignment", "rulealign.rsa.quality"),
}
OF_DATA = {  # all that training and activations need: images are ready, and checked, by then
    *("rulealign.data", "rulealign.data.check", "rulealign.data.copies"),
    *("rulealign.data.images", "rulealign.data.images.resize"),
    "rulealign.data.images.training_split",
}


def of_packages(modules, packages):
    """List the modules that are one of some packages or modules, or lie in one."""
    return {name for name in modules if any(f"{name}.".startswith(f"{p}.") for p in packages)}


@pytest.mark.parametrize("script", ["initial_state", "train", "activations", "diagnostics"])
def test_jobs_of_networks_do_not_reach_the_statistics_or_readers_of_data(project, script):
    reached = Sources(project / "scripts").modules(script)
    assert of_packages(reached, OF_NO_NETWORK) == set()
    assert of_packages(reached, {"rulealign.data"}) <= OF_DATA


def test_what_jobs_of_networks_must_not_reach_exists_and_would_be_found(project):
    paths = (project / "src").rglob("*.py")
    modules = {".".join(path.relative_to(project / "src").with_suffix("").parts) for path in paths}
    modules = {name.removesuffix(".__init__") for name in modules}
    assert modules >= OF_NO_NETWORK | OF_DATA
    reached = Sources(project / "scripts").modules("alignment")
    assert of_packages(reached, {"rulealign.rsa.bootstrap"})


def test_every_profile_runs_again_what_the_documentation_says(project):
    for profile in sorted((project / "profiles").glob("*/config.yaml")):
        text = profile.read_text()
        assert "\nrerun-triggers: [mtime, params, input]" in text, profile
        assert "\nmax-checksum-file-size: 250000000" in text, profile


def test_no_stage_is_told_a_mapping_whose_keys_only_a_docstring_knows(project):
    told = re.compile(r"settings|section|spec|study|chosen")
    for path in sorted((project / "src").rglob("*.py")):
        for node in ast.walk(parse(path.read_bytes())):
            name = getattr(node, "arg", None) or getattr(getattr(node, "target", None), "id", None)
            annotation = getattr(node, "annotation", None)
            if isinstance(name, str) and annotation is not None and told.search(name):
                written = ast.unparse(annotation)
                assert not re.search(r"(Mapping|dict)\[str, Any\]", written), (path, name)
