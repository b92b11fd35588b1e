"""Busy servers are left alone as long as they ask, and a killed download goes on."""

import hashlib
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from http_site import http_site, wait_until
from rulealign.data.download import fetch
from rulealign.data.download import http as download
from rulealign.data.download.registry import Dataset
from rulealign.data.download.transfer import asked_wait
from rulealign.errors import DataError

CONTENT = hashlib.shake_256(b"content").digest(700_001)


def entry(url, published=True):
    known = {"sha256": hashlib.sha256(CONTENT).hexdigest(), "bytes": len(CONTENT)}
    file = {"urls": [url], "mirror": "data.zip", **(known if published else {"first_use": True})}
    return Dataset(title="t", licence="l", citation="c", files={"data.zip": file})


@pytest.fixture
def waits(monkeypatch):
    asked = []
    monkeypatch.setattr(download.time, "sleep", asked.append)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return asked


@pytest.fixture
def get(monkeypatch, tmp_path):
    def run(url, **options):
        monkeypatch.setattr(fetch, "load_registry", lambda: {"small": entry(url, **options)})
        return fetch.fetch("small", tmp_path, [])

    return run


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_is_left_alone_for_the_seconds_that_it_asks(get, waits, status, capsys):
    with http_site(CONTENT) as site:
        site.busy = [(status, {"Retry-After": "17"}), (status, {}), (status, {"Retry-After": "0"})]
        folder = get(site.url)
    assert (folder / "data.zip").read_bytes() == CONTENT
    assert waits == [17.0, 2.0, 4.0]
    assert "next try in 17 s (the server asks for 17 s)" in capsys.readouterr().out


def test_a_server_may_ask_by_a_date(get, waits):
    with http_site(CONTENT) as site:
        when = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
        site.busy = [(503, {"Retry-After": when})]
        get(site.url)
    assert waits == [pytest.approx(40, abs=3)]


def test_a_long_wait_is_cut_to_a_maximum_that_is_said(get, waits, capsys):
    with http_site(CONTENT) as site:
        site.busy = [(429, {"Retry-After": "86400"})]
        get(site.url)
    assert waits == [300.0]
    said = capsys.readouterr().out
    assert "next try in 300 s (the server asks for 86400 s; 300 s is the most)" in said


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("12", 12), ("soon", 0), ("-5", 0), ("", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 0)],
)
def test_wishes_that_cannot_be_met_or_read_are_no_wait(value, seconds):
    assert asked_wait({"Retry-After": value}) == seconds
    assert asked_wait({}) == 0


def test_a_server_that_stays_busy_is_given_up(get, waits):
    with http_site(CONTENT) as site:
        site.busy = [(503, {"Retry-After": "1"})] * 9
        with pytest.raises(DataError, match="the server answers 503"):
            get(site.url)
    assert waits == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize("published", [True, False], ids=["published", "first use"])
def test_a_killed_download_continues_where_it_stopped(get, tmp_path, monkeypatch, published):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from rulealign.data.download import fetch\n"
        "from rulealign.data.download.registry import Dataset\n"
        "entry = Dataset.model_validate_json(sys.stdin.read())\n"
        "fetch.load_registry = lambda: {'small': entry}\n"
        "fetch.fetch('small', Path(sys.argv[1]), [])\n"
    )
    with http_site(CONTENT) as site:
        site.stall_after = 5 * 65_536
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, env=os.environ
        )
        process.stdin.write(entry(site.url, published).model_dump_json().encode())
        process.stdin.close()
        part = tmp_path / "small/.partial/data.zip.part"
        wait_until(lambda: part.exists() and part.stat().st_size == 5 * 65_536)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        site.stall_after = None
        folder = get(site.url, published=published)
        assert [asked for asked, _ in site.requests] == [None, "bytes=327680-"]
    assert (folder / "data.zip").read_bytes() == CONTENT
    assert sorted(path.name for path in folder.iterdir()) == ["data.zip", "fetched.json"]


def test_needed_and_free_space_are_said_before_a_download(get, waits, capsys):
    with http_site(CONTENT) as site:
        get(site.url)
    said = capsys.readouterr().out
    assert said.index("data.zip: 0.7 MB needed, ") < said.index(f"from {site.url}")
