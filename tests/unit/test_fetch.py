"""Datasets come from mirrors or servers, are resumed, checked, and left alone when right."""

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from http_site import answering
from rulealign.data.download import fetch
from rulealign.data.download import http as download
from rulealign.data.download.registry import Dataset
from rulealign.errors import DataError

CONTENT = hashlib.shake_256(b"content").digest(700_001)


class Server:
    """A local server of one file, with the faults that a test plants.

    Attributes:
        cut_after: bytes after which the connection is closed, once per entry.
        status: answers to give before the file, once per entry.
        ranges: whether the server can resume.
        requests: the path and Range header of every request.
    """

    def __init__(self, content: bytes) -> None:
        self.content, self.ranges = content, True
        self.cut_after: list[int] = []
        self.status: list[int] = []
        self.requests: list[tuple[str, str | None]] = []

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers["Range"]
        self.requests.append((handler.path, asked))
        if self.status:
            handler.send_error(self.status.pop(0))
            return
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges else 0
        handler.send_response(206 if begin else 200)
        if begin:
            last = len(self.content) - 1
            handler.send_header("Content-Range", f"bytes {begin}-{last}/{len(self.content)}")
        handler.send_header("Content-Length", str(len(self.content) - begin))
        handler.end_headers()
        end = begin + self.cut_after.pop(0) if self.cut_after else None
        handler.wfile.write(self.content[begin:end])
        handler.close_connection = True


@contextmanager
def serving(content=CONTENT):
    server = Server(content)
    with answering(server.answer) as server.url:
        yield server


def dataset(url, content=CONTENT, **changes):
    file = {
        "urls": [f"{url}/data.bin"] if url else [],
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "mirror": "sub/data.bin",
    }
    about = {"title": "t", "licence": "l", "citation": "c"}
    return Dataset(**about, files={"data.bin": {**file, **changes}})


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(download, "FIRST_WAIT", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def get(monkeypatch, tmp_path):
    def run(entry, mirrors=()):
        monkeypatch.setattr(fetch, "load_registry", lambda: {"small": entry})
        return fetch.fetch("small", tmp_path / "resources", list(mirrors))

    return run


def listed(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_is_downloaded_and_recorded_and_nothing_else_is_left(get):
    with serving() as server:
        folder = get(dataset(server.url))
    assert listed(folder) == ["data.bin", "fetched.json"]
    assert (folder / "data.bin").read_bytes() == CONTENT
    record = json.loads((folder / "fetched.json").read_text())
    assert record["licence"] == "l"
    assert record["citation"] == "c"
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert record["files"] == {"data.bin": {"bytes": 700_001, "checksum": f"sha256:{digest}"}}


def test_an_md5_is_enough_where_the_publisher_gives_no_other(get):
    with serving() as server:
        md5 = hashlib.md5(CONTENT).hexdigest()
        folder = get(dataset(server.url, sha256=None, md5=md5))
    assert (folder / "data.bin").read_bytes() == CONTENT


def test_a_cut_download_continues_where_it_broke_off(get):
    with serving() as server:
        server.cut_after = [4 * 65_536, 2 * 65_536 + 100]  # what is under 64 KiB is not kept
        folder = get(dataset(server.url))
    assert [asked for _, asked in server.requests] == [None, "bytes=262144-", "bytes=393216-"]
    assert (folder / "data.bin").read_bytes() == CONTENT


def test_a_later_run_continues_what_an_earlier_one_left(get, monkeypatch):
    with serving() as server:
        server.cut_after = [262_144]
        with monkeypatch.context() as context:
            context.setattr(download, "ATTEMPTS", 1)
            with pytest.raises(DataError, match="kept: rerun the command"):
                get(dataset(server.url))
        folder = get(dataset(server.url))
    assert [asked for _, asked in server.requests] == [None, "bytes=262144-"]
    assert (folder / "data.bin").read_bytes() == CONTENT


def test_what_an_earlier_run_left_of_another_version_is_thrown_away(get, tmp_path):
    workshop = tmp_path / "resources/small/.partial"
    workshop.mkdir(parents=True)
    (workshop / "data.bin.part").write_bytes(b"x" * 1000)
    with serving() as server:
        folder = get(dataset(server.url))
    assert [asked for _, asked in server.requests] == ["bytes=1000-", None]
    assert (folder / "data.bin").read_bytes() == CONTENT


def test_a_server_that_cannot_resume_begins_again(get):
    with serving() as server:
        server.ranges, server.cut_after = False, [262_144]
        folder = get(dataset(server.url))
    assert [asked for _, asked in server.requests] == [None, "bytes=262144-"]
    assert (folder / "data.bin").read_bytes() == CONTENT


def test_a_server_that_is_busy_is_asked_again(get):
    with serving() as server:
        server.status = [503, 503]
        folder = get(dataset(server.url))
    assert len(server.requests) == 3
    assert (folder / "data.bin").read_bytes() == CONTENT


def test_the_waits_between_tries_double(monkeypatch, get):
    waits = []
    monkeypatch.setattr(download, "FIRST_WAIT", 1.0)
    monkeypatch.setattr(download.time, "sleep", waits.append)
    with serving() as server:
        server.status = [503, 503, 503]
        get(dataset(server.url))
    assert waits == [1.0, 2.0, 4.0]


def test_what_is_there_and_right_is_neither_downloaded_nor_touched(get):
    with serving() as server:
        folder = get(dataset(server.url))
        before = {name: (folder / name).stat().st_mtime_ns for name in listed(folder)}
        get(dataset(server.url))
        assert len(server.requests) == 1
    assert {name: (folder / name).stat().st_mtime_ns for name in listed(folder)} == before


def test_a_damaged_file_is_got_again_and_said(get, capsys):
    with serving() as server:
        folder = get(dataset(server.url))
        (folder / "data.bin").write_bytes(b"damaged")
        get(dataset(server.url))
    assert (folder / "data.bin").read_bytes() == CONTENT
    assert "damaged" in capsys.readouterr().out


def test_a_mirror_folder_is_asked_before_the_server(get, tmp_path):
    (tmp_path / "mirror/sub").mkdir(parents=True)
    (tmp_path / "mirror/sub/data.bin").write_bytes(CONTENT)
    with serving() as server:
        folder = get(dataset(server.url), [str(tmp_path / "mirror")])
        assert server.requests == []
    assert (folder / "data.bin").read_bytes() == CONTENT


def test_mirrors_are_asked_in_order_and_those_that_lack_the_file_are_named(get, tmp_path, capsys):
    with serving() as server, serving() as lacking:
        lacking.status = [404]
        folder = get(dataset(None), [str(tmp_path / "none"), lacking.url, f"{server.url}/base/"])
        assert server.requests == [("/base/sub/data.bin", None)]
        assert lacking.requests == [("/sub/data.bin", None)]
    assert (folder / "data.bin").read_bytes() == CONTENT
    said = capsys.readouterr().out
    assert f"not from {tmp_path}/none/sub/data.bin: cannot be read" in said
    assert f"not from {lacking.url}/sub/data.bin: the server answers 404" in said


def test_a_mirror_without_a_server_is_asked_once_and_not_for_every_file(get, capsys):
    with serving() as gone:
        pass
    with serving() as server:
        one = dataset(server.url).files["data.bin"]
        entry = Dataset(title="t", licence="l", citation="c", files={"a": one, "b": one})
        folder = get(entry, [gone.url])
    assert listed(folder) == ["a", "b", "fetched.json"]
    assert capsys.readouterr().out.count(f"not from {gone.url}") == 1


def test_secrets_in_addresses_are_not_printed(get, capsys):
    with serving() as server:
        get(dataset(server.url), [server.url.replace("://", "://me:secret@") + "/a?token=hidden"])
    said = capsys.readouterr()
    assert "secret" not in said.out + said.err
    assert "hidden" not in said.out + said.err


def test_two_processes_do_not_fetch_the_same_dataset_at_once(get, monkeypatch, tmp_path, capsys):
    with serving() as server:
        entry = dataset(server.url)
        with fetch._alone(tmp_path / "resources/small"):
            second = threading.Thread(target=get, args=(entry,))
            second.start()
            second.join(0.3)
            assert second.is_alive()
            assert server.requests == []
        second.join(10)
    assert (tmp_path / "resources/small/data.bin").read_bytes() == CONTENT
    assert "another process is fetching" in capsys.readouterr().out
