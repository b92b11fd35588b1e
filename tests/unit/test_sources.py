"""Sources and mirrors are understood as written, and the registry says what is published."""

import hashlib

import pytest

from rulealign.data.download import fetch, obtain
from rulealign.data.download.registry import REGISTRY, Dataset, read_registry
from rulealign.errors import ConfigurationError, DataError


@pytest.fixture(autouse=True)
def _no_mirrors_of_this_machine(monkeypatch):
    monkeypatch.delenv(fetch.MIRRORS_VARIABLE, raising=False)


@pytest.mark.parametrize(
    ("variable", "mirrors"),
    [
        ("/data:/more data", ["/data", "/more data"]),
        ("https://one.org/base:/data", ["https://one.org/base", "/data"]),
        ("/data:https://one.org:8080/base:http://two.org:81", None),
        ("http://127.0.0.1:8080:/data::", ["http://127.0.0.1:8080", "/data"]),
        ("https://me:word@one.org:8080/a:~/b", ["https://me:word@one.org:8080/a", "~/b"]),
        (
            "https://[::1]:80/a:https://one.org:/data",
            ["https://[::1]:80/a", "https://one.org", "/data"],
        ),
        ("", []),
    ],
)
def test_the_variable_with_mirrors_may_hold_urls(monkeypatch, variable, mirrors):
    mirrors = mirrors or (variable and ["/data", "https://one.org:8080/base", "http://two.org:81"])
    monkeypatch.setenv(fetch.MIRRORS_VARIABLE, variable)
    assert fetch.mirrors_in_force(["/last"]) == [*(mirrors or []), "/last"]


def test_mirrors_of_the_environment_come_first_and_each_counts_once(monkeypatch):
    monkeypatch.setenv(fetch.MIRRORS_VARIABLE, "/b")
    assert fetch.mirrors_in_force(["/a", "/b"]) == ["/b", "/a"]


def test_a_mirror_of_another_kind_is_refused(monkeypatch):
    with pytest.raises(ConfigurationError, match="ftp://one.org/x"):
        fetch.mirrors_in_force(["ftp://one.org/x"])
    monkeypatch.setenv(fetch.MIRRORS_VARIABLE, "/data:s3://bucket/x")
    with pytest.raises(ConfigurationError, match="s3://bucket/x"):
        fetch.mirrors_in_force([])


def test_sources_are_paths_when_they_have_a_slash(tmp_path):
    assert fetch.is_path("./cifar10")
    assert not fetch.is_path("cifar10")
    fetch.check_source("cifar10")
    fetch.check_source(str(tmp_path))


def test_an_unknown_source_is_refused_with_the_names_there_are(tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"no dataset 'cifar11'.*'cichy92-evc', .*'cifar10'"
    ):
        fetch.check_source("cifar11")
    with pytest.raises(ConfigurationError, match="no such file or folder"):
        fetch.check_source(str(tmp_path / "missing"))
    with pytest.raises(ConfigurationError, match="no dataset"):
        fetch.fetch("../up", tmp_path, [])


@pytest.fixture
def get(monkeypatch, tmp_path):
    """Give a function that fetches a dataset of files with these names from a mirror folder."""
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/data.bin").write_bytes(b"content")
    sha256 = hashlib.sha256(b"content").hexdigest()
    file = {"urls": [], "sha256": sha256, "bytes": 7, "mirror": "data.bin"}

    def run(*names):
        entry = Dataset(title="t", licence="l", citation="c", files=dict.fromkeys(names, file))
        monkeypatch.setattr(fetch, "load_registry", lambda: {"small": entry})
        return fetch.fetch("small", tmp_path / "resources", [str(tmp_path / "mirror")])

    return run


def test_a_dataset_is_resolved_to_its_only_file_and_several_to_their_folder(get, tmp_path):
    resources = tmp_path / "resources"
    get("a.bin")
    assert fetch.resolve("small", resources) == resources / "small/a.bin"
    get("a.bin", "b.bin")
    assert fetch.resolve("small", resources) == resources / "small"
    assert fetch.resolve(str(tmp_path), resources) == tmp_path


def test_a_dataset_that_is_not_complete_is_not_resolved(get, tmp_path):
    resources = tmp_path / "resources"
    folder = get("a.bin")
    (folder / "a.bin").write_bytes(b"conten")
    with pytest.raises(DataError, match=r"a\.bin: missing, or not 7 bytes long"):
        fetch.resolve("small", resources)
    (folder / "fetched.json").unlink()
    with pytest.raises(DataError, match="is not there yet"):
        fetch.resolve("small", resources)


def test_a_dataset_whose_registry_entry_changed_is_not_resolved(get, tmp_path, monkeypatch):
    get("a.bin")
    other = {"urls": [], "sha256": "ab" * 32, "bytes": 7, "mirror": "data.bin"}
    entry = Dataset(title="t", licence="l", citation="c", files={"a.bin": other})
    monkeypatch.setattr(fetch, "load_registry", lambda: {"small": entry})
    with pytest.raises(DataError, match="the registry has changed since this was fetched"):
        fetch.resolve("small", tmp_path / "resources")


def test_the_registry_holds_the_published_facts():
    registry = read_registry(REGISTRY)
    assert set(registry) >= {f"cichy92-{name}" for name in ("evc", "it", "white", "grey")}
    cifar = registry["cifar10"].files["cifar-10-python.tar.gz"]
    assert cifar.checksum == "md5:c58f30108f718f92721af3b95e74349a"
    assert cifar.bytes == 170_498_071
    white = registry["cichy92-white"].files
    assert list(white) == [f"image_{number:02d}.jpg" for number in range(1, 93)]
    assert white["image_01.jpg"].urls == [
        "https://raw.githubusercontent.com/cvai-roig-lab/Net2Brain/"
        "05ac462951ef792ff2ba70c4b97d5409a8e44289/input_data/stimuli_data/92images/image_01.jpg"
    ]


@pytest.mark.mirror
def test_the_registry_describes_the_bytes_of_the_mirror(mirror):
    checked = 0
    for entry in read_registry(REGISTRY).values():
        for file in entry.files.values():
            path = mirror / file.mirror
            if file.sha256 is not None:
                assert path.stat().st_size == file.bytes
                assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
                checked += 1
    assert checked == 2 + 1 + 92 + 1 + 1


@pytest.mark.mirror
def test_ninety_two_images_come_from_the_mirror(mirror, tmp_path):
    folder = fetch.fetch("cichy92-white", tmp_path, [str(mirror)])
    assert len(list(folder.iterdir())) == 93
    assert (
        obtain.checksum(
            folder / "image_92.jpg", read_registry(REGISTRY)["cichy92-white"].files["image_92.jpg"]
        )
        == hashlib.sha256((mirror / "cichy92/92images/image_92.jpg").read_bytes()).hexdigest()
    )
