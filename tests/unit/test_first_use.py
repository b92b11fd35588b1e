"""A file without a published checksum is trusted once, recorded, and compared ever after."""

import hashlib
import json

import pytest

from http_site import http_site
from rulealign.data.download import fetch
from rulealign.data.download import http as download
from rulealign.data.download.registry import REGISTRY, Dataset, read_registry
from rulealign.errors import DataError

CONTENT = hashlib.shake_256(b"archive").digest(700_001)
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def get(monkeypatch, tmp_path):
    monkeypatch.setattr(download, "FIRST_WAIT", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def run(*urls, mirrors=()):
        file = {"urls": list(urls), "first_use": True, "mirror": "things/data.zip"}
        entry = Dataset(title="t", licence="l", citation="c", files={"data.zip": file})
        monkeypatch.setattr(fetch, "load_registry", lambda: {"small": entry})
        return fetch.fetch("small", tmp_path, [str(mirror) for mirror in mirrors])

    return run


def listed(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_first_download_is_recorded_with_its_size_and_checksum(get, tmp_path, capsys):
    with http_site(CONTENT) as site:
        folder = get(site.url)
        assert site.requests == [(None, None)]
    assert listed(folder) == ["data.zip", "fetched.json"]
    record = json.loads((folder / "fetched.json").read_text())
    assert record["files"] == {"data.zip": {"bytes": 700_001, "checksum": f"sha256:{SHA}"}}
    assert fetch.resolve("small", tmp_path) == folder / "data.zip"
    said = capsys.readouterr().out
    assert "data.zip: 0.7 MB needed, " in said
    assert f"this first copy is trusted, and compared from now on (700001 bytes, sha256:{SHA})" in (
        said
    )


def test_a_second_fetch_asks_nothing_and_a_damaged_file_is_got_again(get, capsys):
    with http_site(CONTENT) as site:
        folder = get(site.url)
        get(site.url)
        assert len(site.requests) == 1
        (folder / "data.zip").write_bytes(CONTENT[:-1] + b"x")
        get(site.url)
        assert len(site.requests) == 2
    assert (folder / "data.zip").read_bytes() == CONTENT
    assert "damaged" in capsys.readouterr().out


def test_other_bytes_later_are_refused_with_the_way_to_accept_them(get):
    with http_site(CONTENT) as site:
        folder = get(site.url)
        (folder / "data.zip").unlink()
        site.content = CONTENT[::-1]
        with pytest.raises(DataError, match=f"expected sha256:{SHA}.*delete fetched.json") as error:
            get(site.url)
        assert hashlib.sha256(CONTENT[::-1]).hexdigest() in str(error.value)
        assert not (folder / "data.zip").exists()
        (folder / "fetched.json").unlink()
        get(site.url)
    assert (folder / "data.zip").read_bytes() == CONTENT[::-1]


def test_a_cut_download_continues_with_the_same_version(get):
    with http_site(CONTENT) as site:
        site.cut_after = [4 * 65_536]
        folder = get(site.url)
        assert site.requests == [(None, None), ("bytes=262144-", site.version)]
    assert (folder / "data.zip").read_bytes() == CONTENT


@pytest.mark.parametrize("tagged", [True, False], ids=["by version", "by size"])
def test_parts_of_two_versions_are_never_joined(get, monkeypatch, tagged):
    with http_site(CONTENT) as site:
        site.version = site.version if tagged else None
        site.cut_after = [262_144]
        with monkeypatch.context() as context:
            context.setattr(download, "ATTEMPTS", 1)
            with pytest.raises(DataError, match="kept: rerun the command"):
                get(site.url)
        site.content = CONTENT[::-1] if tagged else CONTENT[::-1] + b"more"
        site.version = '"another"' if tagged else None
        folder = get(site.url)
    assert (folder / "data.zip").read_bytes() == site.content


def test_a_part_without_its_note_is_thrown_away(get, tmp_path):
    (tmp_path / "small/.partial").mkdir(parents=True)
    (tmp_path / "small/.partial/data.zip.part").write_bytes(b"x" * 1000)
    with http_site(CONTENT) as site:
        folder = get(site.url)
        assert site.requests == [(None, None)]
    assert (folder / "data.zip").read_bytes() == CONTENT


def test_a_server_that_does_not_say_the_size_is_not_used(get):
    with http_site(CONTENT) as site:
        site.says_size = False
        with pytest.raises(DataError, match="does not say how large the file is"):
            get(site.url)


def test_a_mirror_folder_counts_as_first_use_too(get, tmp_path, capsys):
    (tmp_path / "mirror/things").mkdir(parents=True)
    (tmp_path / "mirror/things/data.zip").write_bytes(CONTENT)
    folder = get(mirrors=[tmp_path / "mirror"])
    assert (folder / "data.zip").read_bytes() == CONTENT
    assert f"sha256:{SHA}" in (folder / "fetched.json").read_text()
    (tmp_path / "mirror/things/data.zip").write_bytes(CONTENT[::-1])
    (folder / "data.zip").unlink()
    with pytest.raises(DataError, match="kept in fetched.json"):
        get(mirrors=[tmp_path / "mirror"])


def test_a_file_that_is_there_without_a_record_is_taken_as_the_first(get, tmp_path, capsys):
    (tmp_path / "small").mkdir()
    (tmp_path / "small/data.zip").write_bytes(CONTENT)
    get()
    assert f"sha256:{SHA}" in (tmp_path / "small/fetched.json").read_text()
    assert "this first copy is trusted" in capsys.readouterr().out


def test_the_registry_has_the_files_of_things_fmri():
    registry = read_registry(REGISTRY)
    numbers = {
        "things-tables": 43635873,
        "things-volumes": 36806148,
        "things-brainmasks": 36682242,
        "things-rois": 38517326,
        "things-noise-ceilings": 36682266,
    }
    for name, number in numbers.items():
        (file,) = registry[name].files.values()
        assert file.urls == [f"https://plus.figshare.com/ndownloader/files/{number}"]
        assert file.first_use
        assert file.checksum is None
        assert "e82580" in registry[name].citation


@pytest.mark.parametrize(
    "more",
    [{"bytes": 7}, {"sha256": "ab" * 32}, {"first_use": False}, {"md5": "ab" * 16, "bytes": 7}],
)
def test_only_a_file_without_checksum_and_size_may_be_trusted(more):
    file = {"urls": [], "first_use": True, "mirror": "a.zip", **more}
    with pytest.raises(ValueError, match="first_use"):
        Dataset(title="t", licence="l", citation="c", files={"a.zip": file})
