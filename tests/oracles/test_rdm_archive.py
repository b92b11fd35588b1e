import h5py
import numpy as np
import pytest
from scipy.io import savemat
from scipy.spatial.distance import pdist, squareform

from rulealign.data.rdm_archive import read_rdms, write_subject_rdms

SETTINGS = {
    "kind": "rdm-archive",
    "source": "lab/rdms",
    "key": None,
    "subjects": 3,
    "ids": "image_{:02d}",
    "distance": "1 - Pearson r",
    "acquisition": "3T fMRI",
}


def _condensed(stimuli=7):
    points = np.random.default_rng(5).normal(size=(3, stimuli, 20))
    return [pdist(subject, "correlation") for subject in points]


def _square(condensed):
    return np.stack([squareform(one) for one in condensed])


@pytest.mark.parametrize("ending", ["npz", "npy", "mat"])
def test_every_form_gives_the_rdms_that_scipy_wrote(tmp_path, ending):
    rdms, path = _square(_condensed()), tmp_path / f"rdms.{ending}"
    key = None if ending == "npy" else "Net_RDM"
    if ending == "npz":
        np.savez(path, Net_RDM=rdms, other=np.zeros(2))
    elif ending == "npy":
        np.save(path, rdms)
    else:
        savemat(path, {"Net_RDM": rdms, "other": "text"})
    assert np.array_equal(read_rdms(path, key, 3), rdms)


def test_each_subjects_file_holds_scipys_condensed_form(tmp_path):
    condensed = _condensed()
    np.save(tmp_path / "rdms.npy", _square(condensed))
    outputs = [tmp_path / f"sub-{subject}.h5" for subject in (1, 2, 3)]
    write_subject_rdms(tmp_path / "rdms.npy", SETTINGS, "EVC", outputs)
    for subject, (output, expected) in enumerate(zip(outputs, condensed, strict=True), start=1):
        with h5py.File(output) as file:
            assert file["rdm"].dtype == np.float64
            assert np.array_equal(file["rdm"], expected)
            ids = [name.decode() for name in file["ids/stimulus"]]
            assert ids == [f"image_{number:02d}" for number in range(1, 8)]
            assert (file.attrs["subject"], file.attrs["roi"]) == (subject, "EVC")
            assert file.attrs["distance"] == "1 - Pearson r"
            assert file.attrs["acquisition"] == "3T fMRI"
            assert file.attrs["repetitions"] == 0


def test_single_precision_rounding_is_no_asymmetry(tmp_path):
    rdms = _square(_condensed()).astype(np.float32)
    rdms[0, 0, 1] += 1e-7
    np.save(tmp_path / "rdms.npy", rdms)
    assert np.array_equal(read_rdms(tmp_path / "rdms.npy", None, 3), rdms.astype(np.float64))


def test_negative_dissimilarities_are_kept(tmp_path):
    rdms = _square(_condensed())
    rdms[1, 2, 4] = rdms[1, 4, 2] = -0.25
    np.save(tmp_path / "rdms.npy", rdms)
    assert read_rdms(tmp_path / "rdms.npy", None, 3)[1, 4, 2] == -0.25


@pytest.mark.mirror
@pytest.mark.parametrize("roi", ["EVC", "IT"])
def test_the_rdms_of_the_92_objects_pass_every_check(mirror, roi):
    path = mirror / "cichy92" / f"fmri_{roi}_RDMs.npz"
    rdms = read_rdms(path, "Net_RDM", 15, ids="image_{:02d}")
    assert np.array_equal(rdms, np.load(path)["Net_RDM"])
