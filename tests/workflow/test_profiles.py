"""Profiles: every rule has its place on a cluster, and what cannot be had is said before work."""

import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
import yaml
import yte

from helpers.rule_texts import named_rules
from rulealign.plan import machine

# Rules that last a minute or more with real data: a Slurm job for each of their jobs.
ALONE = {"training_set", "things_unpack", "quality_table", "universes", "signal_universes"}
NETWORKS = {
    "initial_state",
    "train",
    "given",
    "activations",
    "signals",
    "diagnostics",
}  # what runs on `device`


@pytest.fixture(scope="module")
def slurm(project):
    """Give the profile's plain part: what does not depend on the site."""
    return yaml.safe_load((project / "profiles/slurm/config.yaml").read_text())


@pytest.fixture(scope="module")
def rules(project):
    """Map every rule to its text."""
    text = "\n".join(file.read_text() for file in sorted((project / "rules").glob("*.smk")))
    parts = re.split(r"^ *rule (\w+):$", named_rules(text), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def local_rules(project, rules):
    text = (project / "rules/machine.smk").read_text()
    listed = re.search(r"^localrules:\n((?:    \w+,\n)+)", text, re.MULTILINE)
    marked = {rule for rule, text in rules.items() if "localrule: True" in text}
    return marked | set(re.findall(r"\w+", listed.group(1))) - {"all"}


def test_every_rule_has_one_place_on_a_cluster(project, rules, slurm):
    places = [set(slurm["groups"]), local_rules(project, rules), ALONE]
    for rule in rules:
        found = sum(rule in place for place in places)
        assert found == 1, (
            f"{rule}: put it into a group of profiles/slurm/config.yaml (seconds), among the"
            " localrules of rules/machine.smk (a small table), or into ALONE of this test"
        )
    assert set.union(*places) == set(rules), "a place for a rule that does not exist"


def test_groups_and_times_belong_to_rules_that_exist(rules, slurm):
    assert set(slurm["set-resources"]) <= set(rules)
    assert set(slurm["group-components"]) <= set(slurm["groups"].values())
    # components of a chain would be chains: hours one after another
    assert "chain" not in slurm["group-components"]


def test_every_rule_states_its_memory_and_gets_more_at_every_attempt(rules):
    for rule, text in rules.items():
        assert re.search(r"mem_mb=memory\(\d", text), rule


def test_no_rule_wants_more_threads_than_the_cluster_profile_gives(rules, slurm):
    wanted = [
        int(count) for text in rules.values() for count in re.findall(r"threads: (\d+)", text)
    ]
    assert wanted
    assert max(wanted) <= slurm["cores"] == 1


def test_rules_that_run_networks_ask_for_the_gpu_and_no_others_do(rules):
    assert {rule for rule, text in rules.items() if "gpu=GPU" in text} == NETWORKS


@pytest.mark.parametrize(("cards", "jobs"), [(0, 0), (1, 1), (4, 1)])
def test_one_job_at_a_time_runs_on_the_one_gpu_that_jobs_use(project, monkeypatch, cards, jobs):
    monkeypatch.setattr(machine, "gpus", lambda: cards)
    profile = yte.process_yaml((project / "profiles/default/config.yaml").read_text())
    assert profile["resources"]["gpu"] == jobs


@pytest.mark.workflow
def test_a_run_is_limited_to_the_memory_of_this_machine(project, tmp_path):
    limit = 'workflow.global_resources["mem_mb"].value'
    (tmp_path / "Snakefile").write_text(f"print({limit})\n\n\nrule all:\n    input:\n        [],\n")
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--directory", tmp_path]
    command += ["--snakefile", tmp_path / "Snakefile"]
    command += ["--workflow-profile", project / "profiles/default"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert str(machine.memory_mb()) in done.stdout.splitlines(), done.stdout + done.stderr


@pytest.mark.workflow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--resources", "mem_mb=900000000"), r"mem_mb=900000000: .* more memory than this"),
        (("--resources", "mem_mb=1200"), r"rule \w+ asks for \d+ MB of memory.* 1200 MB here"),
        (("--set-resources", "train:mem_mb=900000000"), "rule train asks for 900000000 MB"),
        (("--config", "device=cuda"), r"device: cuda: rule \w+ asks for 1 GPU.* 0 here"),
    ],
)
def test_what_the_machine_lacks_is_said_before_work(new_run, arguments, message):
    if "device=cuda" in arguments and machine.gpus():
        pytest.skip("there is a GPU")
    done = new_run.snakemake(*arguments)
    assert done.returncode != 0
    assert re.search(message, done.output), done.output
    assert not new_run.results()


@pytest.mark.workflow
def test_a_plan_for_a_gpu_can_be_made_without_one(new_run):
    new_run.snakemake("-n", "--config", "device=cuda", check=True)


@pytest.mark.workflow
def test_a_cluster_that_is_not_described_is_said_and_nothing_is_destroyed(finished, project):
    before = finished.results()
    kept = finished.environment
    finished.environment = kept | {"RULEALIGN_PARTITION": "", "PATH": "/bin:/usr/bin"}
    try:
        done = finished.snakemake("--workflow-profile", project / "profiles/slurm")
    finally:
        finished.environment = kept
    assert done.returncode != 0
    installed = find_spec("snakemake_executor_plugin_slurm")
    said = r"no (sbatch|partition)" if installed else r"plugin is not installed: pip install"
    assert re.search(said, done.output), done.output
    assert "Traceback" not in done.output
    assert finished.results() == before
