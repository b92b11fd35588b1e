"""Missing objects, no network, wrong bytes and full disks: named with the remedy, nothing kept."""

import hashlib
import shutil
import socket

import pytest

from rulealign.data.download import space
from rulealign.data.things import s3, s3_download
from rulealign.data.things.s3 import connected, look_up, read_range
from rulealign.data.things.s3_download import fetch_object
from rulealign.errors import DataError, StoreError
from s3_site import BUCKET, begin_test, cut, flipped, put, s3_site, shorter

CONTENT = hashlib.shake_256(b"object").digest(300_000)
ADDRESS = f"s3://{BUCKET}/ds/table.tsv"


@pytest.fixture(scope="module")
def service():
    with s3_site() as site:
        yield site


@pytest.fixture
def site(service, monkeypatch):
    begin_test(service, monkeypatch)
    put(service, "ds/table.tsv", CONTENT)
    return service


def get(target, address=ADDRESS):
    with connected() as files:
        fetch_object(files, address, target)


def kept(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("address", [f"s3://{BUCKET}/ds/none.tsv", "s3://no-such-bucket/a.tsv"])
def test_a_missing_object_is_named_and_asked_for_once(site, tmp_path, address):
    with pytest.raises(DataError, match=r"no such public object.*things\.form: tables") as error:
        get(tmp_path / "table.tsv", address)
    assert address in str(error.value)
    assert kept(tmp_path) == []
    assert len(site.requests) <= 1


def test_an_object_that_is_not_public_is_named(site, tmp_path):
    put(site, "ds/table.tsv", CONTENT, public=False)
    with pytest.raises(s3.NoSuchObject, match=r"no such public object \(403\)"):
        get(tmp_path / "table.tsv")


def test_without_a_network_the_error_names_address_and_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nothing answers there
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(s3, "FIRST_WAIT", 0.0)
    with pytest.raises(DataError) as error:
        get(tmp_path / "table.tsv")
    text = str(error.value)
    assert ADDRESS in text
    assert "5 times in a row" in text
    assert "`things.form: tables` and `things.root`" in text
    assert kept(tmp_path) == []


def test_a_name_that_is_not_resolved_is_asked_for_once(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://service.invalid")
    monkeypatch.setenv("NO_PROXY", "*")
    waits = []
    monkeypatch.setattr(s3.time, "sleep", waits.append)

    def getaddrinfo(*_, **__):
        raise socket.gaierror(-3, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(DataError, match="no network, or no such server.*things.root"):
        get(tmp_path / "table.tsv")
    assert waits == []


def test_a_service_that_stays_busy_is_given_up_and_what_came_is_kept(site, tmp_path, monkeypatch):
    monkeypatch.setattr(s3_download, "BLOCK", 100_000)
    site.faults = [None, *[503] * 5]
    with pytest.raises(DataError, match="the service answers 503, 5 times in a row"):
        get(tmp_path / "table.tsv")
    (name,) = kept(tmp_path)
    assert name.endswith(".part")
    assert (tmp_path / name).read_bytes() == CONTENT[:100_000]


@pytest.mark.parametrize("fault", [shorter, cut], ids=["shorter", "cut"])
def test_bytes_that_never_come_in_full_are_refused(site, tmp_path, fault):
    site.faults = [fault] * 5
    with pytest.raises(DataError, match="5 times in a row"):
        get(tmp_path / "table.tsv")
    assert not (tmp_path / "table.tsv").exists()


def test_a_service_that_ignores_ranges_is_refused_by_what_it_announces(site, monkeypatch):
    site.whole = True
    with connected() as files:
        found = look_up(files, ADDRESS)
        with pytest.raises(DataError, match="300000 bytes came where 10 were asked for"):
            read_range(files, found, 0, 10)


def test_wrong_bytes_are_named_and_deleted(site, tmp_path):
    site.faults = [flipped]
    with pytest.raises(DataError, match="have the MD5 .*deleted"):
        get(tmp_path / "table.tsv")
    assert kept(tmp_path) == []


def test_an_object_that_is_replaced_while_it_is_read_is_refused(site):
    with connected() as files:
        found = look_up(files, ADDRESS)
        put(site, "ds/table.tsv", CONTENT[::-1])
        with pytest.raises(DataError, match="changed while it was read"):
            read_range(files, found, 0, 10)


def test_an_object_that_is_another_one_than_the_first_time_is_refused(site, tmp_path):
    get(tmp_path / "table.tsv")
    (tmp_path / "table.tsv").unlink()
    put(site, "ds/table.tsv", CONTENT[::-1])
    with pytest.raises(DataError, match="is no longer what was fetched first") as error:
        get(tmp_path / "table.tsv")
    assert hashlib.sha256(CONTENT).hexdigest() in str(error.value)
    assert hashlib.sha256(CONTENT[::-1]).hexdigest() in str(error.value)
    assert kept(tmp_path) == ["table.tsv.fetched.json"]


def test_a_disk_without_space_is_named_with_both_numbers_before_anything_is_asked(
    site, tmp_path, monkeypatch
):
    usage = shutil.disk_usage(tmp_path)._replace(free=200_000)
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StoreError, match=r"the disk is full: 0\.3 MB needed, 0\.2 MB free"):
        get(tmp_path / "table.tsv")
    assert kept(tmp_path) == []
    assert site.sent == 0


def test_a_disk_that_fills_during_the_download_is_named(site, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(s3_download, "_receive", full)
    with pytest.raises(StoreError, match=r"table\.tsv.*: the disk is full .* is kept"):
        get(tmp_path / "table.tsv")
    assert not (tmp_path / "table.tsv").exists()
