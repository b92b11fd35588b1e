"""What does not fit on the disk is refused before it starts, with both numbers."""

import hashlib
import shutil

import pytest

from http_site import http_site
from rulealign.data.download import fetch, space
from rulealign.data.download.registry import Dataset
from rulealign.data.images.archive_member import extract_members
from rulealign.errors import StoreError

CONTENT = bytes(700_000)


@pytest.fixture
def little_space(monkeypatch, tmp_path):
    usage = shutil.disk_usage(tmp_path)._replace(free=600_000)
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: usage)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.parametrize("published", [True, False], ids=["published", "first use"])
def test_a_download_that_does_not_fit_is_not_begun(little_space, monkeypatch, tmp_path, published):
    known = {"sha256": hashlib.sha256(CONTENT).hexdigest(), "bytes": len(CONTENT)}
    with http_site(CONTENT) as site:
        file = {"urls": [site.url], "mirror": "data.zip"}
        file |= known if published else {"first_use": True}
        entry = Dataset(title="t", licence="l", citation="c", files={"data.zip": file})
        monkeypatch.setattr(fetch, "load_registry", lambda: {"small": entry})
        with pytest.raises(StoreError, match=r"data\.zip: .*0\.7 MB needed, 0\.6 MB free"):
            fetch.fetch("small", tmp_path, [])
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert [name for name in left if name.startswith("data.zip")] == []


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_members_that_do_not_fit_are_not_unpacked(little_space, tmp_path, kind):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/data.bin").write_bytes(CONTENT)
    archive = shutil.make_archive(str(tmp_path / "a"), kind, tmp_path / "in")
    with pytest.raises(StoreError, match=r"0\.7 MB needed, 0\.6 MB free"):
        extract_members(archive, ["data.bin"], tmp_path / "out")
    assert list((tmp_path / "out").rglob("*")) == []
