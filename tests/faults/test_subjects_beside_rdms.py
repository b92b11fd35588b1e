"""Names of subjects that lie beside given RDMs: another subject's, or another order, is refused."""

import numpy as np
import pytest
import rsatoolbox
from scipy.io import savemat
from scipy.spatial.distance import pdist, squareform

from brain_settings import read_rdms
from rulealign.errors import DataError

RDMS = np.stack([pdist(one) for one in np.random.default_rng(3).random((4, 6, 3))])


def toolbox(path, **descriptors):
    count = len(next(iter(descriptors.values())))
    rdms = rsatoolbox.rdm.RDMs(RDMS[:count], rdm_descriptors=descriptors)
    rdms.save(str(path), overwrite=True)


@pytest.mark.parametrize(
    ("told", "subjects", "match"),
    [
        (["x", "y", "z"], ["anna", "ben", "carl"], "RDM 0 is of x, .* of anna.*: .x, y, z.; or"),
        (["anna", "carl", "dora"], ["anna", "ben", "carl"], "RDM 1 is of carl, .* of ben"),
        (["anna", "ben", "dora"], ["anna", "ben", "carl"], "RDM 2 is of dora, .* of carl"),
        (
            ["s3", "s1", "s2"],
            ["s01", "s02", "s03"],
            "RDM 0 is of s3, .*: .s3, s1, s2.; or",
        ),
        (["s3", "s1", "s2"], ["01", "02", "03"], "RDM 0 is of s3, .* of 01"),
        ([3, 1, 2], ["s01", "s02", "s03"], "RDM 0 is of 3, .* of s01.*: .03, 01, 02.; or"),
        (
            ["sub-ben", "sub-anna"],
            ["anna", "ben"],
            "RDM 0 is of sub-ben, .*: .ben, anna.; or",
        ),
        (["a2", "a3"], ["b2", "b3"], "RDM 0 is of a2"),
    ],
)
@pytest.mark.parametrize("key", ["subject", "Participant"])
def test_subjects_of_a_file_are_those_of_the_study(tmp_path, told, subjects, match, key):
    toolbox(tmp_path / "x.hdf5", **{key: told})
    with pytest.raises(DataError, match=rf"x\.hdf5: 'rdm_descriptors/{key}' says that {match}"):
        read_rdms(tmp_path / "x.hdf5", None, subjects)


@pytest.mark.parametrize(
    ("told", "subjects"),
    [
        (["sub-1", "sub-2"], ["01", "02"]),
        (["anna_b", "ben_01"], ["annab", "ben1"]),
        (["S1", "S2"], ["s01", "s02"]),
        (["Anna", "BEN"], ["anna", "ben"]),
        ([1, 2], ["s01", "s02"]),
        (["s1", "s2"], ["01", "02"]),
        ([0, 1], ["anna", "ben"]),  # a count
        (["anna", "ben"], 2),  # which the study does not name
    ],
)
def test_subjects_may_be_spelled_otherwise_or_not_be_named(tmp_path, told, subjects):
    toolbox(tmp_path / "x.hdf5", subject=told, session=[1, 1], index=[0, 1])
    assert read_rdms(tmp_path / "x.hdf5", None, subjects).shape == (2, 6, 6)


AXES = ["subjects", "sessions", "stimuli", "stimuli"]


def structures(path, names):
    records = np.empty(np.shape(names), dtype=[("RDM", object), ("name", object)])
    for number, place in enumerate(np.ndindex(*records.shape)):
        records[place] = (squareform(RDMS[number]), np.array(names)[place])
    savemat(path, {"RDMs": records})


def test_the_matlab_toolboxs_names_are_those_of_the_study(tmp_path):
    path = tmp_path / "x.mat"
    names = [[f"hIT | {name} | Session: {number}" for number in (1, 2)] for name in ("BE", "KO")]
    structures(path, names)
    assert read_rdms(path, "RDMs", ["be", "ko"], sessions=2, axes=AXES).shape == (2, 2, 6, 6)
    assert read_rdms(path, "RDMs", 2, sessions=2, axes=AXES).shape == (2, 2, 6, 6)
    match = r"x\.mat: 'name' says that RDM 0 is of BE, .* of TI.*: .BE, KO.; or take 'name'"
    with pytest.raises(DataError, match=match):
        read_rdms(path, "RDMs", ["TI", "SN"], sessions=2, axes=AXES)
    structures(path, ["V1 RDM, a pilot", "V1 RDM, the study"])  # names of other things
    assert read_rdms(path, "RDMs", ["TI", "SN"]).shape == (2, 6, 6)
