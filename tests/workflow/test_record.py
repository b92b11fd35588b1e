"""What a run says of itself: inputs, code, machine and cost; and Snakemake's own report of it."""

import json
import re
import subprocess

import pytest

from rulealign.job import machine
from rulealign.store import read_csv

pytestmark = pytest.mark.workflow


def sha256sum(path):
    return subprocess.check_output(["sha256sum", path], text=True).split()[0]


def test_the_record_and_the_page_have_inputs_and_code(finished):
    root = finished.folder / "results/small"
    record = json.loads((root / "provenance.json").read_text())
    checksum = f"sha256:{sha256sum(finished.folder / 'rdms.npz')}"
    files = {row["source"]: row for row in record["inputs"]}
    assert files["./rdms.npz"]["checksum"] == checksum
    assert files["./images"]["files"] == 12
    assert {"scripts/train.py", "rulealign.rsa.bootstrap.spearman"} <= record["code"].keys()
    page = (root / "report.html").read_text()
    assert checksum in page
    assert record["code"]["rulealign.rsa.bootstrap.spearman"] in page


def test_only_the_record_and_the_logs_name_the_machine(finished):
    described = machine().encode()
    named = [name for name, content in finished.results().items() if described in content]
    assert named == ["provenance.json"]


def test_every_job_has_its_cost(finished):
    root = finished.folder / "results/small"
    table = read_csv(root / "logs/cost.csv")
    jobs = int(re.search(r"^total +(\d+)$", finished.first.output, re.MULTILINE)[1])
    assert len(table) == jobs - 1  # this one had not ended
    assert {"initial_state", "train", "alignment", "alignment_table"} <= set(table["stage"])
    assert (table["machine"] == machine()).all()
    assert (table["cpu_s"] > 0).all()
    assert f"<code>{root.name}</code>" in (root / "logs/cost.html").read_text()


def test_snakemakes_own_report_has_figures_page_and_cost(finished):
    target = finished.folder / "snakemake_report.html"
    finished.snakemake("--report", target, check=True)
    text = target.read_text()
    for category in ("Report page", "Cost", "Learning", "Alignment at the last epoch"):
        assert category in text
    target.unlink()
    assert "Nothing to be done" in finished.snakemake("--dry-run", check=True).output
