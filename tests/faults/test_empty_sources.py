"""Sources that are empty, Windows' paths, and ids of a gigabyte: named by their key at once."""

import pytest
import yaml

from rulealign.config.load import load_study
from rulealign.data.download.fetch import check_source
from rulealign.errors import ConfigurationError

FOLDER = {"kind": "folder", "source": "", "background": "grey", "as_shown": True}
EMPTY = {
    "brain.rois.EVC.source": "name a dataset of the registry, or a path",
    "stimuli.grey.source": "name a dataset of the registry, or a path",
    "calibration.others.source": "name a dataset of the registry, or a path",
    "training_set.source": "name a dataset of the registry, or a path",
    "things.root": "give a path, or null",
    "things.images": "give a path, or null",
    "data_mirrors.0": "give a path, or null",
}


@pytest.fixture
def study(project):
    """Give a study on given RDMs, as it is read from its file."""
    return yaml.safe_load((project / "studies" / "cichy92_quick.yaml").read_text())


def put(study, key, value):
    *sections, last = key.split(".")
    for name in sections:
        study = study.setdefault(name, {})
    study[last] = value


@pytest.mark.parametrize("empty", ["", " "])
@pytest.mark.parametrize("key", EMPTY)
def test_an_empty_place_is_refused_by_its_key(study, key, empty):
    if key.startswith("things."):
        study["things"] = {"form": "tables"}
    if key.startswith("calibration."):
        study["calibration"] = {"others": dict(FOLDER)}
    if key.startswith("training_set."):
        study["training_set"] |= {"kind": "image-folder"}
    if key == "data_mirrors.0":
        study["data_mirrors"] = [empty]
    else:
        put(study, key, empty)
    with pytest.raises(ConfigurationError) as told:
        load_study(study, "x.yaml")
    said = [line for line in str(told.value).splitlines() if key in line]
    assert any(f"{key}: is empty; {EMPTY[key]}" in line for line in said), told.value


@pytest.mark.parametrize("ids", ["{:1000000000d}", "image_{:0100d}", "{:.1000000000f}"])
def test_ids_that_would_fill_the_memory_are_refused_before_they_are_written(study, ids):
    study["brain"]["ids"] = ids
    with pytest.raises(ConfigurationError, match=r"brain\.ids: .* asks for 100 or more characters"):
        load_study(study, "x.yaml")


def test_a_path_of_windows_is_advised_with_the_other_slash():
    with pytest.raises(ConfigurationError, match=r"such as C:/data/x\.npz$"):
        check_source(r"C:\data\x.npz")
    with pytest.raises(ConfigurationError, match=r"such as \./x\.npz$"):
        check_source("x.npz")
