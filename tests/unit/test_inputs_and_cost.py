"""The record of inputs and code, what jobs cost, and the page's part about both."""

import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.told import told
from rulealign import cost
from rulealign.atomic import workshop
from rulealign.data import inputs
from rulealign.errors import StoreError
from rulealign.job import job, machine
from rulealign.report import provenance_panel
from rulealign.report.cost_page import write_cost
from rulealign.store import read_csv, whole, write_csv, write_h5

LINES = "machine: {}\ncost of {}: wall {} s, cpu {} s, peak {} MB\n"


def sha256sum(path):
    """Hash with coreutils."""
    return subprocess.check_output(["sha256sum", path], text=True).split()[0]


def records_of(own, folder, datasets=None):
    """Record inputs with downloads and remembered checksums in a folder; all files of a source."""
    own = own if isinstance(own, dict) else dict.fromkeys(own)
    return inputs.records(datasets or {}, own, folder / "resources", folder / "checksums")


def test_own_files_are_hashed_and_folders_over_their_names(tmp_path):
    (tmp_path / "images" / "b").mkdir(parents=True)
    (tmp_path / "images" / "b" / "2.png").write_bytes(b"two")
    (tmp_path / "images" / "a.png").write_bytes(b"one")
    (tmp_path / "rdms.npz").write_bytes(b"three" * 1000)
    paths = [f"{tmp_path}/rdms.npz", f"{tmp_path}/images"]
    folder, file = records_of(paths, tmp_path)
    assert file["checksum"] == f"sha256:{sha256sum(tmp_path / 'rdms.npz')}"
    assert (file["files"], file["bytes"], file["source"]) == (1, 5000, paths[0])
    one, two = sha256sum(tmp_path / "images/a.png"), sha256sum(tmp_path / "images/b/2.png")
    lines = f"sha256:{one}  a.png\nsha256:{two}  b/2.png\n"
    assert folder["checksum"] == f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"
    (tmp_path / "images" / "a.png").rename(tmp_path / "images" / "c.png")
    assert records_of(paths, tmp_path)[0]["checksum"] != folder["checksum"]


def test_a_large_source_is_read_once_and_again_when_it_is_another(tmp_path, monkeypatch):
    large = tmp_path / "large"
    large.write_bytes(b"12345")
    monkeypatch.setattr(inputs, "READ_UP_TO", 4)
    checksum = f"sha256:{sha256sum(large)}"
    assert [row["checksum"] for row in records_of([str(large)], tmp_path)] == [checksum]
    with monkeypatch.context() as patched:
        patched.setattr(inputs, "file_sha256", None)  # so that reading it would fail
        assert records_of([str(large)], tmp_path)[0]["checksum"] == checksum
    large.write_bytes(b"54321")
    os.utime(large, ns=(1, 1))
    (row,) = records_of([str(large)], tmp_path)
    assert row["checksum"] == f"sha256:{sha256sum(large)}" != checksum


def test_of_a_folder_only_the_files_that_are_read_are_recorded(tmp_path):
    for name in ("read", "other"):
        (tmp_path / "root" / name).mkdir(parents=True)
        (tmp_path / "root" / name / "a.csv").write_text(name)
    root = tmp_path / "root"
    (row,) = records_of({f"{root}/": [str(root / "read" / "a.csv")]}, tmp_path)
    assert (row["files"], row["bytes"]) == (1, 4)
    assert row["checksum"] == f"sha256:{sha256sum(root / 'read' / 'a.csv')}"


def test_datasets_have_the_checksums_of_the_registry_or_of_their_first_download(project, tmp_path):
    registry = yaml.safe_load((project / "src/rulealign/data/download/registry.yaml").read_text())
    known = registry["cichy92-evc"]["files"]["fmri_EVC_RDMs.npz"]
    datasets = inputs.published(["./own", "cichy92-evc", "things-rois"])
    assert list(datasets) == ["cichy92-evc", "things-rois"]
    first = tmp_path / "resources" / "things-rois" / "fetched.json"
    first.parent.mkdir(parents=True)
    first.write_text('{"files": {"rois.zip": {"checksum": "sha256:0f", "bytes": 7}}}')
    evc, rois = records_of([], tmp_path, datasets)
    assert evc["checksum"] == f"sha256:{known['sha256']}"
    assert evc["bytes"] == known["bytes"]
    assert evc["note"] == ""
    assert (rois["files"], rois["bytes"], rois["checksum"]) == (1, 7, "sha256:0f")
    assert "first download" in rois["note"]


def test_remote_rows_are_recorded_with_the_tables_that_were_fetched(tmp_path):
    record = {"address": "s3://b/voxels.tsv", "bytes": 3, "etag": "x", "sha256": "0f"}
    (tmp_path / "voxels.tsv.fetched.json").write_text(json.dumps(record))
    table, rows = inputs.remote_records({"s3://b/responses.h5": str(tmp_path)})
    assert (table["source"], table["bytes"]) == ("s3://b/voxels.tsv", 3)
    assert table["checksum"] == "sha256:0f"
    assert (rows["source"], rows["checksum"]) == ("s3://b/responses.h5", None)
    assert "only the rows" in rows["note"]


def test_the_checksum_of_several_files_does_not_depend_on_their_order(tmp_path):
    files = {name: {"checksum": f"sha256:{name}", "bytes": 1} for name in "cab"}
    (row,) = records_of([], tmp_path, {"d": files})
    lines = "".join(f"sha256:{name}  {name}\n" for name in "abc")
    assert row["checksum"] == f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


def test_the_machine_is_described_from_proc(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor : 0\nmodel name\t: A  CPU @ 2 GHz\n")
    (tmp_path / "proc/meminfo").write_text("MemFree: 1 kB\nMemTotal:  15625000 kB\n")
    described = machine(tmp_path)
    assert described.startswith(f"A CPU @ 2 GHz, {os.cpu_count()} cores, 16 GB, ")
    assert platform.release() in described
    assert platform.system() in machine(tmp_path / "nowhere")


def test_a_jobs_log_ends_with_its_machine_and_cost(tmp_path):
    (tmp_path / "logs").mkdir()
    with job(told(tmp_path / "logs" / "train_rule-bp_seed-1_epoch-1.log", rule="train")):
        sum(number * number for number in range(3_000_000))
    (row,) = cost.job_table(tmp_path).to_dict("records")
    assert row["stage"] == "train"
    assert row["machine"] == machine()
    assert 0.05 <= row["wall_s"] <= row["cpu_s"] + 5
    assert row["peak_mb"] > 20


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_log_that_does_not_fit_hides_no_error_and_fails_no_job():
    with pytest.raises(SystemExit, match=r"^rdm\.h5: the disk is full"), job(told("/dev/full")):
        raise StoreError("rdm.h5: the disk is full")
    with job(told("/dev/full")):
        pass


def test_what_does_not_fit_is_refused_before_hdf5_begins(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100_000))
    write_h5(tmp_path / "a.h5", {"x": np.zeros(9_000)}, ids={}, settings={})
    monkeypatch.setattr(h5py, "File", None)
    with pytest.raises(StoreError, match=r"/b\.h5: the disk is full \(0\.1 MB free\)"):
        write_h5(tmp_path / "b.h5", {"x": np.zeros(12_500)}, ids={}, settings={})
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


def test_the_cost_page_sums_the_logs_by_stage_and_machine(tmp_path):
    results = tmp_path / "results" / "s"
    (results / "logs").mkdir(parents=True)
    for name, line in {
        "train_a": ("X", "train", 60.0, 30.0, 500),
        "train_b": ("X", "train", 120.0, 90.0, 700),
        "figures": ("Y", "figures", 6.0, 6.0, 100),
    }.items():
        (results / "logs" / f"{name}.log").write_text(f"text\n{LINES.format(*line)}")
    (results / "logs" / "report.log").write_text(
        LINES.format("", "report", 1.0, 3.0, 10).partition("\n")[2]
    )
    (results / "logs" / "train_c.log").write_text("Traceback\n")
    write_cost(results, results / "logs/cost.csv", results / "logs/cost.html")
    table = read_csv(results / "logs/cost.csv")
    assert table["job"].tolist() == ["figures", "report", "train_a", "train_b"]
    assert table["machine"].tolist()[0] == "Y"
    assert pd.isna(table["machine"].tolist()[1])
    page = (results / "logs/cost.html").read_text()
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in page.split("<tr>")]
    rows = {
        row[0]: [float(v) for v in re.findall(r'value="(.*?)"', " ".join(row))]
        for row in cells
        if row
    }
    assert rows["train"] == [2, 3.0, 2.0, 700]
    assert rows["all"] == [4, pytest.approx(187 / 60), pytest.approx(129 / 60), 700]
    assert rows["X"] == [2, 2.0]
    assert "not recorded" in page


def test_the_page_shows_inputs_and_code_and_no_machine():
    rows = [
        {"source": "d", "files": 2, "bytes": 3_603_779, "checksum": "sha256:ab", "note": ""},
        {"source": "<e>", "files": 1, "bytes": None, "checksum": None, "note": "none & why"},
    ]
    tables = provenance_panel.panel({"inputs": rows, "code": {"m": "0f"}, "machine": "X"})
    assert tables["table-inputs"].rows[0] == ["d", "2", "3.6 MB", "<code>sha256:ab</code>"]
    assert "none &amp; why" in tables["table-inputs"].rows[1][3]
    assert tables["table-code"].rows == [["m", "<code>0f</code>"]]
    assert [provenance_panel.size(n) for n in (999, 1000, 2_500_000_000)] == [
        "999 bytes",
        "1.0 kB",
        "2.5 GB",
    ]


def test_what_a_killed_process_left_of_a_file_goes_with_the_next_attempt(tmp_path):
    left = tmp_path / ".a[1].csv.x0_y1z2a.csv"
    kept = [".a[1].csv.mine.csv", ".b.csv.x0_y1z2a.csv", "a1.csv.x0_y1z2a.csv"]
    for path in [left, *(tmp_path / name for name in kept)]:
        path.write_text("half")
    with whole(tmp_path / "a[1].csv") as temporary:
        assert not left.exists()
        temporary.write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a[1].csv", *kept])


def test_what_a_killed_process_left_of_a_folder_goes_with_the_next_attempt(tmp_path):
    work = """
import os, signal, sys
from pathlib import Path
from rulealign.atomic import workshop
with workshop(Path(sys.argv[1])) as folder:
    (folder / "a").mkdir()
    (folder / "a/half").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", work, tmp_path / "made"], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.rglob("half")] == ["half"]
    (tmp_path / ".made.mine").mkdir()
    with workshop(tmp_path / "made") as folder:
        assert list(tmp_path.rglob("half")) == list(folder.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == [".made.mine"]


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 9])
def test_a_table_that_ends_within_a_line_is_refused(tmp_path, cut):
    write_csv(tmp_path / "t.csv", pd.DataFrame({"a": [1.25, 2.75], "b": ["x", "y"]}))
    whole_text = (tmp_path / "t.csv").read_bytes()
    assert read_csv(tmp_path / "t.csv")["a"].tolist() == [1.25, 2.75]
    (tmp_path / "t.csv").write_bytes(whole_text[:-cut])
    if whole_text[:-cut].endswith(b"\n"):
        return  # a whole line is lost: those who know how many there are refuse it
    with pytest.raises(StoreError, match=r"t\.csv: .*cut short.*delete it and rerun"):
        read_csv(tmp_path / "t.csv")
