"""Where the ids of given RDMs are from, and that no two sources contradict each other."""

import numpy as np
import pandas as pd
import pytest
import rsatoolbox
from scipy.spatial.distance import pdist, squareform

from brain_settings import given_rdms
from rulealign.data.file_names import natural_order
from rulealign.data.rdm_files import read_rdms
from rulealign.errors import DataError

IMAGES = ["cat", "dog", "elk", "fox", "gnu"]
SHUFFLED = ["fox", "cat", "gnu", "dog", "elk"]
POINTS = pd.DataFrame(np.random.default_rng(3).normal(size=(5, 4)), IMAGES)
EXPECTED = squareform(pdist(POINTS))  # in the order of the images
RDM = squareform(pdist(POINTS.loc[SHUFFLED]))  # as the lab has it


def read(path, ids, images=IMAGES, key=None):
    brain = given_rdms("IT", path, key, ids=ids).brain
    return read_rdms(brain, "IT", [path], images)


@pytest.fixture
def sources(tmp_path):
    """Write the lab's RDM with its order told in several ways; give files with their `ids`."""
    np.save(tmp_path / "x.npy", RDM)
    (tmp_path / "ids.txt").write_text("\n".join(SHUFFLED) + "\n\n")
    pd.DataFrame(RDM, SHUFFLED, SHUFFLED).to_csv(tmp_path / "x.csv")
    np.savez(tmp_path / "x.npz", rdm=RDM, names=[f"stimuli/{name}.png" for name in SHUFFLED])
    named = {"stim": SHUFFLED, "index": [*range(5)], "animal": list("ababa")}
    toolbox = rsatoolbox.rdm.RDMs(squareform(RDM)[np.newaxis], pattern_descriptors=named)
    toolbox.save(str(tmp_path / "x.hdf5"))
    return {
        "list": (tmp_path / "x.npy", str(tmp_path / "ids.txt")),
        "table": (tmp_path / "x.csv", {"descriptor": "labels"}),
        "npz": (tmp_path / "x.npz", {"descriptor": "names"}),
        "rsatoolbox": (tmp_path / "x.hdf5", {"descriptor": "stim"}),
    }


@pytest.mark.parametrize("way", ["list", "table", "npz", "rsatoolbox"])
def test_rdms_are_brought_into_the_order_of_the_images_by_their_ids(sources, way):
    path, ids = sources[way]
    read_again = read(path, ids, key="rdm" if way == "npz" else None)
    assert read_again.ids == IMAGES
    np.testing.assert_allclose(read_again.rdms[0, 0], EXPECTED, atol=1e-15)


def test_names_of_images_are_taken_in_their_order(sources):
    found = read(sources["list"][0], "images", images=SHUFFLED)
    assert found.ids == SHUFFLED
    np.testing.assert_array_equal(found.rdms[0, 0], RDM)


def test_two_sources_that_disagree_stop_the_run(sources):
    with pytest.raises(DataError, match="'labels' says that row 0 of the RDMs is fox, and"):
        read(sources["table"][0], "images")
    with pytest.raises(DataError, match="'pattern_descriptors/stim' says that row 0 .* fox"):
        read(sources["rsatoolbox"][0], "images")


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        ("cat\ndog\nelk\nfox\n", "x.npy: its RDMs are of 5 stimuli, and .*ids.txt names 4"),
        ("cat\ndog\nelk\nfox\nfox\n", "ids.txt: 'fox' appears twice"),
        ("cat\ndog\nelk\nfox\nowl\n", "'owl' has no image"),
        ("\n", "ids.txt: lists no ids"),
    ],
)
def test_a_list_that_does_not_fit_is_named(sources, lines, match, tmp_path):
    path, ids = sources["list"]
    (tmp_path / "ids.txt").write_text(lines)
    with pytest.raises(DataError, match=match):
        read(path, ids)


def test_a_descriptor_that_is_not_there_is_told_with_those_there_are(sources):
    with pytest.raises(DataError, match=r"no texts 'image'; it has \['pattern_descriptors/.*stim'"):
        read(sources["rsatoolbox"][0], {"descriptor": "image"})


def test_numbers_in_names_count_as_numbers():
    names = ["image_10.png", "image_2.png", "b", "image_1.png", "image_01.png", "a10b2", "a9b11"]
    ordered = ["a9b11", "a10b2", "b", "image_01.png", "image_1.png", "image_2.png", "image_10.png"]
    assert sorted(names, key=natural_order) == ordered
