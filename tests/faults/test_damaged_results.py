"""A result that was changed after its job had ended is refused by the next job, before its work."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.flipped import flips
from helpers.told import told
from rulealign.job import job
from rulealign.learning.checkpoint import Checkpoint, save
from rulealign.manifest import manifest_path
from rulealign.store import write_csv, write_h5

STUDY = Path("results/s")
TABLE = STUDY / "statistics/a.csv"


def write_checkpoint(path):
    """Write a checkpoint with all that one has: weights, optimiser, random state, settings."""
    torch.manual_seed(0)
    moments = {"exp_avg": torch.rand(3, 4), "step": torch.tensor(3.0)}
    names = ("rule", "kind", "settings", "settings_hash", "initial_hash", "state_hash")
    save(
        path,
        Checkpoint(
            network={"conv1.weight": torch.rand(3, 4)},
            rule_state={"optimizer": {"state": {0: moments}}},
            random={"cpu": torch.get_rng_state()},
            seed=1,
            epoch=2,
            classes=10,
            **{name: name for name in names},
        ),
    )


def write_arrays(path):
    """Write an HDF5 file."""
    rows = np.random.default_rng(0).random((5, 7))
    write_h5(path, {"conv1": rows}, ids={"stimulus": list("abcde")}, settings={"size": 32})


def write_table(path):
    """Write a table."""
    write_csv(path, pd.DataFrame({"rule": ["bp", "fa", "pc"], "score": [0.25, 0.5, 0.125]}))


def write_json(path):
    """Write what is said of a scanner."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"RepetitionTime": 1.5, "Manufacturer": "Ä"}))


def write_folder(path):
    """Write a folder of two images."""
    path.mkdir(parents=True, exist_ok=True)
    for name in ("a", "b"):
        (path / f"{name}.png").write_bytes(name.encode() * 40)


KINDS = {
    "checkpoints/net-cnn3_rule-bp_seed-1_epoch-2.pt": write_checkpoint,
    "activations/rule-bp.h5": write_arrays,
    "statistics/a.csv": write_table,
    "brain/sub-01_acquisition.json": write_json,
    "simulated/images": write_folder,
}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def make(name, write, **params):
    """Make a result in a job of its own."""
    path = STUDY / name
    with job(told("log", outputs=[path, manifest_path(path)], **params)):
        write(path)
    return path


def refusal(path):
    """Start a job that reads a result, and give what it says when it stops before its work."""
    with pytest.raises(SystemExit) as stopped, job(told("log", inputs=[path])):
        pytest.fail("the job began its work")
    return str(stopped.value)


def accept(path):
    """Run a job that reads a result."""
    with job(told("log", inputs=[path])):
        assert path.exists()


@pytest.mark.parametrize("name", KINDS)
def test_every_flipped_bit_is_refused_with_file_and_remedy(name):
    path = make(name, KINDS[name])
    accept(path)
    file = path / "b.png" if path.is_dir() else path
    for _ in flips(file, 60):
        said = refusal(path)
        assert said.startswith(f"{path}: was changed after it had been written"), said
        assert "Delete it and rerun the command." in said
    accept(path)


def test_a_table_cut_at_a_line_end_is_refused_with_its_rows():
    path = make(TABLE.relative_to(STUDY), write_table)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert "3 rows then, 2 now" in refusal(path)


def test_a_folder_with_the_time_stamp_that_snakemake_adds_is_accepted():
    path = make("simulated/images", write_folder)
    (path / ".snakemake_timestamp").touch()
    accept(path)


def test_a_folder_that_lost_a_file_is_refused():
    path = make("simulated/images", write_folder)
    (path / ".snakemake_timestamp").touch()  # what Snakemake puts there is not the job's
    accept(path)
    (path / "a.png").unlink()
    assert "2 files then, 1 now" in refusal(path)


@pytest.mark.parametrize(
    ("content", "lack"),
    [
        (None, "is missing"),
        (b"", "cannot be read"),
        (b'{"result": "a.csv", "sha2', "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"[]", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"{}", "cannot be read"),
        (b'{"result": "b.csv"}', r"is the manifest of b.csv"),
        (b'{"result": "a.csv"}', "was changed"),
    ],
)
def test_a_result_without_its_manifest_is_refused(content, lack):
    path = make("statistics/a.csv", write_table)
    manifest = manifest_path(path)
    manifest.unlink()
    if content is not None:
        manifest.write_bytes(content)
    said = refusal(path)
    assert said.startswith(f"{path}: ")
    assert lack in said
    assert "rerun the command" in said


def test_what_is_no_result_needs_no_manifest():
    for name in ("resources/x.csv", "mine/x.csv", "results/s/logs/x.csv"):
        write_table(Path(name))
        accept(Path(name))


def test_a_manifest_says_who_made_the_result_and_the_result_does_not():
    texts = []
    for code in ("0" * 16, "1" * 16):
        path = make("statistics/a.csv", write_table, code=code, settings='{"draws": 5}')
        texts.append(path.read_bytes())
        entry = json.loads(manifest_path(path).read_text())
        assert (entry["code"], entry["rows"]) == (code, 3)
    assert texts[0] == texts[1]
    other = json.loads(manifest_path(make("b.csv", write_table, settings="{}")).read_text())
    assert other["settings"] != entry["settings"]


def test_a_job_that_fails_writes_no_manifest():
    def fail(path):
        write_table(path)
        raise ValueError("no")

    with pytest.raises(SystemExit, match="ValueError: no"):
        make("statistics/a.csv", fail)
    assert TABLE.exists()
    assert not manifest_path(TABLE).exists()
