"""The study that docs/README.md shows runs, and one that was written down makes the same."""

import re

import numpy as np
import pytest
import yaml

from changed_study import counts
from rulealign.config.load import load_study
from rulealign.store import read_csv
from workflow.conftest import Run, write_inputs

pytestmark = pytest.mark.workflow

SMALL = [
    "networks={cnn3: {channels: [4, 6, 8], hidden_units: 16}}",
    "training_set={kind: synthetic-objects, pool_images: 300, train_images: 256}",
    "training={seeds: [1], checkpoints: [0, 1], batch_size: 32}",
    "evaluation={sizes: [32]}",
    "statistics={bootstrap_draws: 100, null_draws: 50}",
    "brain={subjects: 3}",
]
"""What makes the study of that page one of seconds, and not of hours and of a download."""


@pytest.fixture
def of_the_readme(project):
    text = (project / "docs/README.md").read_text()
    (block,) = re.findall(r"```yaml\n(study: mine.*?)```", text, re.DOTALL)
    assert block.count("\n") <= 40
    return yaml.safe_load(block)


@pytest.mark.slow
def test_the_study_of_the_readme_runs(project, of_the_readme, tmp_path):
    write_inputs(tmp_path)
    (tmp_path / "images").rename(tmp_path / "my_images")
    np.save(tmp_path / "my_V1.npy", np.load(tmp_path / "rdms.npz")["EVC"])
    run = Run(project, tmp_path, of_the_readme)
    run.snakemake("--config", *SMALL, check=True)
    assert "bp_drop" in run.results()["statistics/claims.csv"].decode()
    full = load_study(yaml.safe_load(run.results()["study.yaml"]))
    assert full.training.batch_size == 32  # as it ran, overridden on the command line
    assert full.training.crop_padding == 4  # a default, written down


@pytest.mark.slow
def test_the_network_of_the_guide_runs_and_an_edited_file_trains_anew(project, tmp_path):
    text = (project / "docs/your-own-network.md").read_text()
    code, *_ = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (block,) = re.findall(r"```yaml\n(study: my_network.*?)```", text, re.DOTALL)
    write_inputs(tmp_path)
    (tmp_path / "my_network.py").write_text(code)
    (tmp_path / "images").rename(tmp_path / "my_images")
    np.save(tmp_path / "my_V1.npy", np.load(tmp_path / "rdms.npz")["EVC"])
    run, small = Run(project, tmp_path, yaml.safe_load(block)), ("--config", *SMALL[1:])
    run.snakemake(*small, check=True)
    table = read_csv(tmp_path / "results/my_network/statistics/alignment.csv")
    assert set(table["layer"]) == {"stem", "blocks.0", "blocks.1"}
    assert "Nothing to be done" in run.snakemake("--dry-run", *small, check=True).output
    (tmp_path / "my_network.py").write_text(code.replace("torch.relu", "torch.tanh"))
    planned = counts(run.snakemake("--dry-run", *small, check=True).output)
    assert planned["initial_state"] == 3
    assert planned["train"] == 2
    run.study["networks"]["mixer"]["nodes"] = ["stem", "blocks.7"]
    failed = run.snakemake("--dry-run", *small)
    assert failed.returncode != 0
    assert (
        "networks.mixer.nodes: there is no node 'blocks.7'; did you mean 'blocks." in failed.output
    )


def test_a_study_that_names_no_mirror_asks_those_of_the_environment(
    project, of_the_readme, tmp_path, mirror
):
    write_inputs(tmp_path)
    (tmp_path / "images").rename(tmp_path / "my_images")
    of_the_readme["brain"]["rois"] = {"V1": {"source": "cichy92-grey", "key": "x"}}
    run = Run(project, tmp_path, of_the_readme)
    run.environment["RULEALIGN_DATA_MIRRORS"] = str(mirror)
    run.snakemake("resources/cichy92-grey/fetched.json", check=True)
    name = "Kriegeskorte_Neuron2008_supplementalData.mat"
    got = (tmp_path / "resources/cichy92-grey" / name).read_bytes()
    assert got == (mirror / "cichy92" / name).read_bytes()


def test_the_written_study_is_the_same_and_makes_the_same_bytes(finished):
    before = finished.results()
    written = finished.folder / "results/small/study.yaml"
    again = Run(finished.project, finished.folder, finished.study)
    planned = again.snakemake("--dry-run", study_file=written, check=True).output
    assert "Nothing to be done" in planned
    made = finished.folder / "results/small/statistics/claims.csv"
    made.unlink()  # so that there is something to make again
    again.snakemake(study_file=written, check=True)
    assert finished.results() == before


def test_another_study_of_the_same_name_is_refused(finished):
    other = finished.folder / "other.yaml"
    text = (finished.folder / "results/small/study.yaml").read_text()
    other.write_text(re.sub(r"^seed: 2026$", "seed: 7", text, flags=re.MULTILINE))
    refused = finished.snakemake("--dry-run", study_file=other)
    assert refused.returncode != 0
    assert "'small' is the name of two studies, other.yaml and" in refused.output
