"""Every form in which people have RDMs gives the same bytes; what can be read twice is refused."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import rsatoolbox
from pydantic import ValidationError
from scipy.io import savemat
from scipy.spatial.distance import pdist, squareform

from brain_settings import given_rdms, read_rdms
from rulealign.data.brains.rdm_archive import RdmArchive
from rulealign.data.rdm_files import read_rdms as read_rdms_of_roi
from rulealign.data.rdm_files import write_subject_rdms
from rulealign.errors import DataError
from rulealign.plan.settings.brain import GivenRdmsSettings
from rulealign.rsa.brain_rdms import read_brain_rdms

N, SUBJECTS = 7, 3
IDS = [f"image_{number:02d}" for number in range(1, N + 1)]
CONDENSED = np.stack([pdist(one) for one in np.random.default_rng(2).normal(size=(SUBJECTS, N, 4))])
SQUARES = np.stack(list(map(squareform, CONDENSED)))
UPPER = np.triu(np.ones((N, N), dtype=bool), 1)


def written(folder, sources, subjects=SUBJECTS, **told):
    """Give the bytes of the files that are made of sources."""
    outputs = [folder / f"out-{number}.h5" for number in range(subjects)]
    settings = given_rdms("IT", subjects=subjects, **{"source": sources[0], **told})
    write_subject_rdms(sources, settings, "IT", outputs)
    return [output.read_bytes() for output in outputs]


@pytest.fixture
def plain(tmp_path):
    np.save(tmp_path / "plain.npy", SQUARES)
    return written(tmp_path, [tmp_path / "plain.npy"])


def _toolbox(names, shape):
    """Make structures as the RSA toolbox does."""
    records = np.empty(shape, dtype=[("RDM", object), ("name", object), ("color", object)])
    for place, name in zip(np.ndindex(*shape), names, strict=True):
        records[place] = (SQUARES[names.index(name)], name, np.zeros(3))
    return records


def _v73(path, **variables):
    """Write a file as MATLAB's version 7.3 does: behind a header, axes in reverse."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in variables.items():
            file[name] = np.asarray(values).T
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


def _v73_structures(path):
    with h5py.File(path, "w", userblock_size=512) as file:
        for field in ("RDM", "name"):
            references = []
            for number in range(SUBJECTS):
                place = f"#refs#/{field}{number}"
                text = np.array([ord(letter) for letter in f"IT | {number}"], dtype=np.uint16)
                file[place] = SQUARES[number].T if field == "RDM" else text[:, None]
                file[place].attrs["MATLAB_class"] = np.bytes_(
                    "double" if field == "RDM" else "char"
                )
                references.append(file[place].ref)
            file[f"RDMs/{field}"] = np.array(references, dtype=h5py.ref_dtype)[:, None]


def _rsatoolbox(path):
    names = {"stim": IDS, "index": list(range(N))}
    rdms = rsatoolbox.rdm.RDMs(CONDENSED, pattern_descriptors=names)
    rdms.save(str(path))


NAN_DIAGONAL = SQUARES + np.diag(np.full(N, np.nan))
FORMS = {
    "nan-diagonal.npy": lambda path: np.save(path, NAN_DIAGONAL),
    "upper.npy": lambda path: np.save(path, np.where(UPPER, SQUARES, np.nan)),
    "lower.npy": lambda path: np.save(path, np.where(UPPER.T, SQUARES, np.nan)),
    "zeros-below.npy": lambda path: np.save(path, np.where(UPPER, SQUARES, 0)),
    "stimuli-first.npy": lambda path: np.save(path, SQUARES.transpose(1, 2, 0)),
    "condensed.npy": lambda path: np.save(path, CONDENSED),
    "condensed-columns.npy": lambda path: np.save(path, CONDENSED.T),
    "x.npz": lambda path: np.savez(path, RDMs=CONDENSED, names=IDS),
    "x.mat": lambda path: savemat(path, {"RDMs": SQUARES}),
    "structures.mat": lambda path: savemat(path, {"RDMs": _toolbox(["a", "b", "c"], (1, 3))}),
    "v73.mat": lambda path: _v73(path, RDMs=SQUARES),
    "v73-structures.mat": _v73_structures,
    "rsatoolbox.hdf5": _rsatoolbox,
    "own.h5": lambda path: h5py.File(path, "w").create_dataset("RDMs", data=SQUARES).file.close(),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_bytes(tmp_path, plain, name):
    FORMS[name](tmp_path / name)
    named = name.endswith((".npz", ".mat", ".h5"))
    assert written(tmp_path, [tmp_path / name], key="RDMs" if named else None) == plain


@pytest.mark.parametrize("ending", ["npy", "csv", "tsv", "plain.csv"])
def test_a_file_of_each_subject_gives_the_same_bytes(tmp_path, plain, ending):
    sources = [tmp_path / f"sub-{number:02d}_rdm.{ending}" for number in range(1, SUBJECTS + 1)]
    for path, rdm in zip(sources, SQUARES, strict=True):
        if ending == "npy":
            np.save(path, rdm)
        elif ending == "plain.csv":
            np.savetxt(path, rdm, delimiter=",", fmt="%.18g")
        else:
            table = pd.DataFrame(rdm, IDS, IDS)
            table.to_csv(path, sep="\t" if ending == "tsv" else ",")
    told = {"source": f"{tmp_path}/sub-{{subject}}_rdm.{ending}"}
    assert given_rdms("IT", subjects=SUBJECTS, **told).brain.sources("IT") == list(
        map(str, sources)
    )
    assert written(tmp_path, sources, **told) == plain


@pytest.mark.parametrize("split", ["", "{subject}", "{session}", "{subject}_{session}"])
def test_sessions_come_in_their_place_however_files_are_cut(tmp_path, split):
    rdms = np.array([[rdm, np.sqrt(rdm) + number * rdm**2] for number, rdm in enumerate(SQUARES)])
    told = {"subjects": ["s1", "s2", "s3"], "sessions": 2, "source": f"{tmp_path}/x{split}.npy"}
    for s, subject in enumerate(told["subjects"]):
        for k, session in enumerate(["01", "02"]):
            own = (
                [s] if "subject" in split else slice(None),
                [k] if "session" in split else slice(None),
            )
            path = told["source"].format(subject=subject, session=session)
            np.save(path, rdms[own[0]][:, own[1]])
    brain = given_rdms("IT", **told).brain
    found = read_rdms_of_roi(brain, "IT", list(map(Path, brain.sources("IT"))))
    np.testing.assert_array_equal(found.rdms, rdms)


def test_subjects_by_sessions_of_the_toolbox_keep_their_places(tmp_path):
    names = [f"hIT | {subject} | Session: {session}" for subject in "abc" for session in (1, 2)]
    records = np.empty((1, 3, 2), dtype=[("RDM", object), ("name", object)])
    each = np.stack([[rdm, rdm**2] for rdm in SQUARES])
    for number, place in enumerate(np.ndindex(1, 3, 2)):
        records[place] = (each[place[1:]], names[number])
    savemat(tmp_path / "x.mat", {"RDMs": records})
    found = read_rdms(tmp_path / "x.mat", "RDMs", 3, sessions=2)
    np.testing.assert_array_equal(found, each)


def test_subjects_in_another_order_than_the_file_names_them_are_refused(tmp_path):
    told = {"subject": ["s1", "s3", "s2"]}
    rsatoolbox.rdm.RDMs(CONDENSED, rdm_descriptors=told).save(str(tmp_path / "x.hdf5"))
    savemat(tmp_path / "x.mat", {"RDMs": _toolbox(["IT | s1", "IT | s3", "IT | s2"], (1, 3))})
    for name, key in (("x.hdf5", None), ("x.mat", "RDMs")):
        with pytest.raises(DataError, match=rf"{name}: .* says that RDM 1 is of s3, .* of s2"):
            read_rdms(tmp_path / name, key, ["s1", "s2", "s3"])
        found = read_rdms(tmp_path / name, key, ["s1", "s3", "s2"])
        np.testing.assert_array_equal(found, SQUARES)


def test_rsatoolbox_tells_sessions_in_any_order(tmp_path):
    each = np.concatenate([CONDENSED**2, CONDENSED])
    told = {"subject": ["a1", "a2", "a3"] * 2, "session": [2] * 3 + [1] * 3}
    rsatoolbox.rdm.RDMs(each, rdm_descriptors=told).save(str(tmp_path / "x.hdf5"))
    found = read_rdms(tmp_path / "x.hdf5", None, ["a1", "a2", "a3"], sessions=["02", "01"])
    np.testing.assert_array_equal(found[:, 1], SQUARES)
    np.testing.assert_array_equal(found[:, 0], SQUARES**2)


def test_an_roi_that_a_subject_lacks_has_files_of_the_others(tmp_path):
    section = {"kind": "rdm-archive", "ids": "image_{:02d}", "acquisition": "3T", "distance": "r"}
    some = {"source": f"{tmp_path}/{{subject}}.npy", "subjects": ["ev", "al"]}
    section |= {"subjects": ["al", "bo", "ev"], "rois": {"IT": some, "V1": {"source": "./x.npy"}}}
    brain = RdmArchive.model_validate(section)
    assert brain.subjects_of("V1") == ["al", "bo", "ev"]
    assert brain.sources("IT") == [f"{tmp_path}/ev.npy", f"{tmp_path}/al.npy"]
    for name, rdm in zip(("al", "ev"), SQUARES, strict=False):
        np.save(tmp_path / f"{name}.npy", rdm)
    outputs = [tmp_path / "ev.h5", tmp_path / "al.h5"]
    settings = GivenRdmsSettings(brain=brain.of_roi("IT"))
    write_subject_rdms(list(map(Path, brain.sources("IT"))), settings, "IT", outputs)
    read = read_brain_rdms(outputs, "IT")
    assert read.subjects == ["ev", "al"]
    np.testing.assert_array_equal(read.rdms, CONDENSED[[1, 0]])
    with pytest.raises(ValidationError, match=r"rois\.IT\.subjects: there is no 'eve'"):
        RdmArchive.model_validate(section | {"rois": {"IT": some | {"subjects": ["eve"]}}})


def test_one_mean_rdm_is_one_subject(tmp_path):
    for name, array in (("2d", SQUARES[0]), ("3d", SQUARES[:1]), ("pairs", CONDENSED[0])):
        np.save(tmp_path / f"{name}.npy", array)
        np.testing.assert_array_equal(read_rdms(tmp_path / f"{name}.npy", None, 1), SQUARES[:1])


def test_a_shape_that_fits_twice_is_read_as_told_and_never_guessed(tmp_path):
    cube = np.stack(
        [squareform(pdist(np.random.default_rng(n).normal(size=(3, 2)))) for n in range(3)]
    )
    np.save(tmp_path / "x.npy", cube)
    with pytest.raises(DataError, match=r"shape \(3, 3, 3\) can be read in several ways.*axes"):
        read_rdms(tmp_path / "x.npy", None, 3)
    np.testing.assert_array_equal(
        read_rdms(tmp_path / "x.npy", None, 3, axes=["subjects", "stimuli", "stimuli"]), cube
    )
    np.save(tmp_path / "x.npy", cube.transpose(1, 2, 0))
    last = ["stimuli", "stimuli", "subjects"]
    np.testing.assert_array_equal(read_rdms(tmp_path / "x.npy", None, 3, axes=last), cube)
    np.save(tmp_path / "x.npy", cube[:, [0, 0, 1], [1, 2, 2]])
    with pytest.raises(DataError, match=r"\[subjects, pairs\] or \[pairs, subjects\]"):
        read_rdms(tmp_path / "x.npy", None, 3)
    found = read_rdms(tmp_path / "x.npy", None, 3, axes=["subjects", "pairs"])
    np.testing.assert_array_equal(found, cube)


def test_axes_of_v73_are_told_in_the_order_of_matlab(tmp_path):
    cube = np.stack([squareform(pdist(np.random.default_rng(n).random((3, 2)))) for n in range(3)])
    _v73(tmp_path / "x.mat", RDMs=cube)
    axes = ["subjects", "stimuli", "stimuli"]
    np.testing.assert_array_equal(read_rdms(tmp_path / "x.mat", "RDMs", 3, axes=axes), cube)


def test_axes_that_do_not_fit_are_told_with_what_they_would_mean(tmp_path):
    np.save(tmp_path / "x.npy", SQUARES)
    with pytest.raises(DataError, match="it must be stimuli x stimuli x subjects"):
        read_rdms(tmp_path / "x.npy", None, 3, axes=["stimuli", "stimuli", "subjects"])
    np.save(tmp_path / "x.npy", CONDENSED[:, :-1])  # 20 is no number of pairs
    with pytest.raises(DataError, match=r"shape \(3, 20\) does not hold RDMs of 3 subjects"):
        read_rdms(tmp_path / "x.npy", None, 3)


@pytest.mark.parametrize("scale", [1, 100])
def test_similarities_are_refused_with_what_to_write(tmp_path, scale):
    correlations = np.stack(
        [np.corrcoef(np.random.default_rng(n).normal(size=(N, 9))) for n in range(3)]
    )
    np.save(tmp_path / "x.npy", scale * correlations)
    with pytest.raises(DataError, match=rf"sub-01: holds similarities.*Write {scale} - similarity"):
        read_rdms(tmp_path / "x.npy", None, 3)


@pytest.mark.parametrize("diagonal", [0, np.nan])
@pytest.mark.parametrize("condensed", [True, False])
def test_negative_values_are_refused_where_the_distance_has_none(tmp_path, diagonal, condensed):
    correlations = np.corrcoef(np.random.default_rng(2).normal(size=(N, 9)))
    np.fill_diagonal(correlations, diagonal)
    given = correlations[UPPER][np.newaxis] if condensed else correlations
    np.save(tmp_path / "x.npy", given)
    for distance in ("1 - Pearson", "1 − Spearman's rho", "1-r", "Euclidean", "squared Euclidean"):
        with pytest.raises(DataError, match=r"x\.npy: sub-01, .* is below 0, .*write 1 - r to the"):
            read_rdms(tmp_path / "x.npy", None, 1, distance=distance)
    np.save(tmp_path / "x.npy", 1 - correlations[UPPER])  # what the message says
    found = read_rdms(tmp_path / "x.npy", None, 1, distance="1 - Pearson")
    assert np.array_equal(found[0][UPPER], 1 - correlations[UPPER])


def test_what_is_wrong_in_a_table_is_named_with_its_line(tmp_path):
    path, table = tmp_path / "x.csv", pd.DataFrame(SQUARES[0], IDS, IDS)
    table.iloc[::-1].to_csv(path)
    with pytest.raises(DataError, match=r"x\.csv: its columns are labelled .*same order in both"):
        read_rdms(path, None, 1)
    table.astype(object).replace(table.iloc[2, 3], "n/a").to_csv(path)
    with pytest.raises(DataError, match=r"x\.csv: line 4: 'n/a' is no number"):
        read_rdms(path, None, 1)
    path.write_text(path.read_text().rstrip("\n") + ",1\n")
    with pytest.raises(DataError, match=r"x\.csv: line 8 has another number of fields"):
        read_rdms(path, None, 1)
    with pytest.raises(DataError, match="set `key` to null"):
        read_rdms(path, "RDMs", 1)


def test_descriptors_in_another_order_than_the_ids_are_refused(tmp_path):
    names = {"stim": [IDS[place] for place in (0, 2, 1, 3, 4, 5, 6)]}
    rsatoolbox.rdm.RDMs(CONDENSED, pattern_descriptors=names).save(str(tmp_path / "x.hdf5"))
    with pytest.raises(DataError, match=r"'pattern_descriptors/stim' says that row 1 .* image_03"):
        read_rdms(tmp_path / "x.hdf5", None, 3, ids="image_{:02d}")


def test_files_of_different_numbers_of_stimuli_are_refused(tmp_path):
    np.save(tmp_path / "x-01.npy", SQUARES[0])
    np.save(tmp_path / "x-02.npy", SQUARES[1][:-1, :-1])
    told = given_rdms("IT", f"{tmp_path}/x-{{subject}}.npy", subjects=2).brain
    with pytest.raises(DataError, match=r"x-02\.npy has 6 ids, .*x-01\.npy has 7"):
        told.read(told, "IT", [tmp_path / "x-01.npy", tmp_path / "x-02.npy"], [])
