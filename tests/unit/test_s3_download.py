"""Whole objects come from S3 once, go on where they broke off, and stay what they first were."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise

import pytest

from rulealign.data.things import s3, s3_download
from rulealign.data.things.s3 import connected, look_up, read_range
from rulealign.data.things.s3_download import fetch_object, record_path
from s3_site import BUCKET, begin_test, cut, put, s3_site

CONTENT = hashlib.shake_256(b"object").digest(700_001)
ADDRESS = f"s3://{BUCKET}/ds/table.tsv"


@pytest.fixture(scope="module")
def service():
    with s3_site() as site:
        yield site


@pytest.fixture
def site(service, monkeypatch):
    begin_test(service, monkeypatch)
    monkeypatch.setattr(s3_download, "BLOCK", 200_000)
    put(service, "ds/table.tsv", CONTENT)
    return service


def get(target, **options):
    with connected(**options) as files:
        fetch_object(files, ADDRESS, target)


def listed(folder):
    return sorted(path.name for path in folder.iterdir())


def ranges(site):
    return [asked for method, _, asked in site.requests if method == "GET"]


def test_an_object_is_found_where_the_standard_variable_points_and_read_by_range(site):
    with connected() as files:
        found = look_up(files, ADDRESS)
        assert found.bytes == 700_001
        assert found.md5 == hashlib.md5(CONTENT).hexdigest()
        assert read_range(files, found, 10, 15) == CONTENT[10:15]
        assert read_range(files, found, 700_000, 700_001) == CONTENT[-1:]


def test_an_endpoint_that_is_given_counts_more_than_the_variable(site, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    get(tmp_path / "table.tsv", endpoint=site.url)
    assert (tmp_path / "table.tsv").read_bytes() == CONTENT


def test_an_object_is_fetched_in_blocks_and_recorded_with_its_space_said_before(
    site, tmp_path, capsys
):
    get(tmp_path / "new/table.tsv")
    assert (tmp_path / "new/table.tsv").read_bytes() == CONTENT
    assert listed(tmp_path / "new") == ["table.tsv", "table.tsv.fetched.json"]
    record = json.loads(record_path(tmp_path / "new/table.tsv").read_text())
    assert record["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert (record["address"], record["bytes"]) == (ADDRESS, 700_001)
    starts = [0, 200_000, 400_000, 600_000, 700_001]
    expected = [f"bytes={a}-{b - 1}" for a, b in pairwise(starts)]
    assert ranges(site) == expected
    assert site.sent == len(CONTENT)
    assert f"table.tsv from {ADDRESS}: 0.7 MB needed, " in capsys.readouterr().out


def test_what_is_there_and_right_needs_no_network(site, tmp_path, monkeypatch):
    get(tmp_path / "table.tsv")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    get(tmp_path / "table.tsv")
    (tmp_path / "table.tsv").write_bytes(b"damaged")
    monkeypatch.setenv("AWS_ENDPOINT_URL", site.url)
    get(tmp_path / "table.tsv")
    assert (tmp_path / "table.tsv").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "faults",
    [[503, 500, 429], [cut, cut], [(503, {"Retry-After": "0"})], [None, cut, 502, cut]],
    ids=["busy", "cut", "asks to wait", "mixed"],
)
def test_passing_faults_are_tried_again_and_said(site, tmp_path, faults, capsys):
    site.faults = list(faults)
    get(tmp_path / "table.tsv")
    assert (tmp_path / "table.tsv").read_bytes() == CONTENT
    planted = sum(fault is not None for fault in faults)
    assert capsys.readouterr().out.count("next try in") == planted
    assert len(ranges(site)) == 4 + planted


def test_the_waits_grow_and_honour_the_service_up_to_a_maximum(site, tmp_path, monkeypatch, capsys):
    waits = []
    monkeypatch.setattr(s3, "FIRST_WAIT", 0.5)
    monkeypatch.setattr(s3.time, "sleep", waits.append)
    site.faults = [503, 503, (503, {"Retry-After": "7"}), (503, {"Retry-After": "9999"})]
    get(tmp_path / "table.tsv")
    assert waits == [0.5, 1.0, 7.0, 300.0]
    assert "the server asks for 9999 s; 300 s is the most" in capsys.readouterr().out


def test_a_killed_download_continues_where_it_stopped(site, tmp_path):
    release = []

    def stall(headers, body):
        deadline = time.monotonic() + 20
        while not release and time.monotonic() < deadline:
            time.sleep(0.01)
        return headers, body

    site.faults = [None, None, stall]
    code = (
        "from rulealign.data.things import s3, s3_download\n"
        "s3_download.BLOCK = 200_000\n"
        "with s3.connected() as files:\n"
        f"    s3_download.fetch_object(files, {ADDRESS!r}, {str(tmp_path / 'table.tsv')!r})\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env=os.environ)
    deadline = time.monotonic() + 30
    while len(ranges(site)) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    release.append(True)
    (part,) = tmp_path.glob("table.tsv.*.part")
    assert part.stat().st_size == 400_000
    site.clear()
    get(tmp_path / "table.tsv")
    assert ranges(site) == ["bytes=400000-599999", "bytes=600000-700000"]
    assert (tmp_path / "table.tsv").read_bytes() == CONTENT
    assert listed(tmp_path) == ["table.tsv", "table.tsv.fetched.json"]


def test_what_is_left_of_another_version_is_not_continued(site, tmp_path, monkeypatch):
    other = hashlib.shake_256(b"other").digest(len(CONTENT))
    put(site, "ds/table.tsv", other)
    monkeypatch.setattr(s3, "ATTEMPTS", 1)
    site.faults = [None, 503]
    with pytest.raises(s3.DataError):
        get(tmp_path / "table.tsv")
    put(site, "ds/table.tsv", CONTENT)
    get(tmp_path / "table.tsv")
    assert (tmp_path / "table.tsv").read_bytes() == CONTENT
    assert listed(tmp_path) == ["table.tsv", "table.tsv.fetched.json"]
