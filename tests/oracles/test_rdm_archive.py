from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import loadmat, savemat
from scipy.spatial.distance import pdist, squareform
from scipy.stats import spearmanr

from brain_settings import given_rdms, read_rdms
from rulealign.data.brains.rdm_archive import RdmArchive
from rulealign.data.rdm_files import write_subject_rdms
from rulealign.plan.settings.brain import GivenRdmsSettings
from rulealign.plan.settings.scores import NullSettings
from rulealign.rsa.quality.sessions import session_rows


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
    told = given_rdms("EVC", subjects=3, distance="1 - Pearson r", acquisition="3T fMRI")
    write_subject_rdms([tmp_path / "rdms.npy"], told, "EVC", outputs)
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
    for distance in ("crossnobis", "cross-validated squared Euclidean", "not stated"):
        found = read_rdms(tmp_path / "rdms.npy", None, 3, distance=distance)
        assert found[1, 4, 2] == -0.25


def test_sessions_are_averaged_and_kept(tmp_path):
    points = np.random.default_rng(6).normal(size=(3, 2, 7, 20))
    each = np.array([[pdist(session) for session in subject] for subject in points])
    np.save(tmp_path / "rdms.npy", [[squareform(rdm) for rdm in own] for own in each])
    assert read_rdms(tmp_path / "rdms.npy", None, 3, sessions=2).shape == (3, 2, 7, 7)
    outputs = [tmp_path / f"sub-{subject}.h5" for subject in (1, 2, 3)]
    write_subject_rdms([tmp_path / "rdms.npy"], given_rdms(subjects=3, sessions=2), "IT", outputs)
    for own, output in zip(each, outputs, strict=True):
        with h5py.File(output) as file:
            np.testing.assert_array_equal(file["repeats"], own)
            assert file.attrs["repeats_are"] == "2 sessions"
            np.testing.assert_allclose(file["rdm"], (own[0] + own[1]) / 2, rtol=1e-15)


def test_two_data_sets_have_subjects_sessions_and_scanners_of_their_own(tmp_path):
    points = np.random.default_rng(9).normal(size=(8, 7, 20))
    each = [squareform(pdist(one)) for one in points]
    np.save(tmp_path / "early.npy", each[:2])  # two subjects, once each
    np.save(tmp_path / "late.npy", [each[2:5], each[5:]])  # two others, in three sessions each
    early = {"source": str(tmp_path / "early.npy"), "subjects": ["01", "02"]}
    late = {"source": str(tmp_path / "late.npy"), "subjects": ["KO", "BE"], "sessions": 3}
    late |= {"axes": ["subjects", "sessions", "stimuli", "stimuli"], "acquisition": "fMRI in 2008"}
    about = {"distance": "Euclidean", "acquisition": "3T", "ids": "image_{:02d}"}
    named = {"kind": "rdm-archive", "subjects": ["01", "02", "BE", "KO"]} | about
    brain = RdmArchive.model_validate(named | {"rois": {"V1": early, "IT": late}})
    for roi, rdms in {"V1": {"01": each[:1], "02": each[1:2]}, "IT": {"KO": each[2:5]}}.items():
        told = GivenRdmsSettings(brain=brain.of_roi(roi))
        outputs = {name: tmp_path / f"sub-{name}_{roi}.h5" for name in brain.subjects_of(roi)}
        write_subject_rdms([Path(brain.rois[roi].source)], told, roi, list(outputs.values()))
        for subject, own in rdms.items():
            with h5py.File(outputs[subject]) as file:
                assert file.attrs["subject"] == subject
                assert file.attrs["acquisition"] == {"V1": "3T", "IT": "fMRI in 2008"}[roi]
                mean = sum(map(squareform, own)) / len(own)
                np.testing.assert_allclose(file["rdm"], mean, rtol=1e-15)
                assert ("repeats" in file) == (len(own) > 1)
    assert brain.has_repeats
    assert not brain.of_roi("V1").has_repeats


QUALITY = NullSettings(study_seed=3, null_draws=99, interval=0.95)


def test_the_reliability_of_two_sessions_is_scipys_rho_and_noise_is_flagged(tmp_path):
    rng = np.random.default_rng(7)
    shared = rng.normal(size=(20, 30))
    points = np.stack([shared + 0.5 * rng.normal(size=(2, 20, 30)), rng.normal(size=(2, 20, 30))])
    each = np.array([[pdist(session) for session in subject] for subject in points])
    np.save(tmp_path / "rdms.npy", [[squareform(rdm) for rdm in own] for own in each])
    outputs = [tmp_path / f"sub-{subject}.h5" for subject in (1, 2)]
    axes = ["subjects", "sessions", "stimuli", "stimuli"]  # two of each: the shape does not tell
    settings = given_rdms(subjects=2, sessions=2, axes=axes)
    write_subject_rdms([tmp_path / "rdms.npy"], settings, "IT", outputs)
    rows = session_rows(outputs, QUALITY)
    assert [row["flagged"] for row in rows] == [False, True]
    assert [row["subject"] for row in rows] == ["sub-01", "sub-02"]
    for own, row in zip(each, rows, strict=True):
        assert row["value"] == pytest.approx(spearmanr(*own).statistic)
        assert 0 < row["expected"] < 0.4


@pytest.mark.mirror
def test_four_subjects_in_two_sessions_each(mirror, tmp_path):
    path = mirror / "rsatoolbox" / "92_brainRDMs.mat"
    outputs = [tmp_path / f"sub-{subject}.h5" for subject in (1, 2, 3, 4)]
    settings = given_rdms("IT", path, "RDMs", subjects=["BE", "KO", "SN", "TI"], sessions=2)
    write_subject_rdms([path], settings, "IT", outputs)
    found = loadmat(path)["RDMs"][0]["RDM"]
    rows = session_rows(outputs, QUALITY)
    assert [row["subject"] for row in rows] == ["sub-BE", "sub-KO", "sub-SN", "sub-TI"]
    for own, row in zip(found, rows, strict=True):
        one, other = (rdm[np.triu_indices(92, 1)] for rdm in own)
        rho = spearmanr(one, other).statistic  # which tells apart what single precision does not
        assert row["value"] == pytest.approx(rho, abs=1e-5)
        assert not row["flagged"]


@pytest.mark.mirror
@pytest.mark.parametrize("roi", ["EVC", "IT"])
def test_the_rdms_of_the_92_objects_pass_every_check(mirror, roi):
    path = mirror / "cichy92" / f"fmri_{roi}_RDMs.npz"
    rdms = read_rdms(path, "Net_RDM", 15, ids="image_{:02d}")
    assert np.array_equal(rdms, np.load(path)["Net_RDM"])
