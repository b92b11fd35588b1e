from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from scipy.spatial.distance import pdist, squareform

from brain_settings import given_rdms, read_rdms
from rulealign.data.images.stimulus_images import read_stimuli, write_stimuli
from rulealign.data.rdm_files import write_subject_rdms
from rulealign.errors import ConfigurationError, DataError
from shown_stimuli import one_each, told

FOLDER = told("folder")
THINGS = {"key": "things", "ids": "image_{:02d}"}
MAT = told("mat", **THINGS)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    images = tmp_path / "images"
    images.mkdir()
    for name in ("a.jpg", "b.png"):
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(images / name)
    return images


def _struct(path, pixels, field="image"):
    records = np.empty((1, 1), dtype=[(field, object)])
    records[0, 0] = (pixels,)
    savemat(path, {"things": records})
    return path


@pytest.mark.parametrize("name", ["a.jpg", "b.png"])
def test_a_truncated_image_is_named(folder, name, tmp_path):
    path = folder / name
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(DataError, match=rf"{name}: cannot be read as an image"):
        write_stimuli(FOLDER, 8, folder, tmp_path / "out.h5", {})
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.parametrize("content", [b"", b"no image"])
def test_a_file_that_is_no_image_is_named(folder, content):
    (folder / "c.jpg").write_bytes(content)
    with pytest.raises(DataError, match=r"c\.jpg: cannot be read as an image"):
        list(read_stimuli(FOLDER, folder, {}))


@pytest.mark.parametrize(("mode", "name"), [("RGBA", "c.png"), ("L", "c.png"), ("CMYK", "c.jpg")])
def test_an_image_that_is_not_rgb_is_named_with_its_mode(folder, mode, name):
    Image.new(mode, (20, 20)).save(folder / name)
    with pytest.raises(DataError, match=rf"{name}: its colour mode is {mode}, not RGB"):
        list(read_stimuli(FOLDER, folder, {}))


def test_a_stray_file_among_the_stimuli_is_named(folder):
    (folder / "notes.txt").write_text("which images?")
    with pytest.raises(DataError, match=r"notes\.txt: is no image"):
        list(read_stimuli(FOLDER, folder, {}))


def test_two_files_with_one_stem_are_refused(folder):
    (folder / "a.png").write_bytes((folder / "b.png").read_bytes())
    with pytest.raises(DataError, match="'a' appears twice"):
        list(read_stimuli(FOLDER, folder, {}))


def test_a_missing_or_empty_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="nowhere: is no folder"):
        list(read_stimuli(FOLDER, tmp_path / "nowhere", {}))
    with pytest.raises(DataError, match="holds no images"):
        list(read_stimuli(FOLDER, tmp_path, {}))


def test_a_missing_brain_image_is_named_and_not_replaced_by_another_exemplar(tmp_path):
    (tmp_path / "dog").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "dog" / "dog_01b.jpg")
    names = ["dog_12s.jpg", "dog_01b.jpg", "cat_01b.jpg"]
    with pytest.raises(DataError, match=r"2 of 3 .* missing: \['dog_12s\.jpg', 'cat_01b\.jpg'\]"):
        list(read_stimuli(told("brain"), tmp_path, one_each(names)))


def test_a_mat_file_without_the_images_says_what_it_has(tmp_path):
    path = _struct(tmp_path / "x.mat", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DataError, match=r"no variable 'others'; it has \['things'\]"):
        list(read_stimuli(told("mat", **THINGS | {"key": "others"}), path, {}))
    path = _struct(tmp_path / "x.mat", np.zeros((4, 4, 3), np.uint8), field="picture")
    with pytest.raises(DataError, match="no struct array with a field `image`"):
        list(read_stimuli(MAT, path, {}))
    (tmp_path / "y.mat").write_bytes(b"not MATLAB")
    with pytest.raises(DataError, match=r"y\.mat: cannot be read as a MATLAB file"):
        list(read_stimuli(MAT, tmp_path / "y.mat", {}))


@pytest.mark.parametrize("pixels", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3))])
def test_mat_images_that_are_not_uint8_rgb_are_refused(tmp_path, pixels):
    path = _struct(tmp_path / "x.mat", pixels)
    with pytest.raises(DataError, match="image_01: `image` is"):
        list(read_stimuli(MAT, path, {}))


@pytest.mark.parametrize("pattern", ["image", "{:02d", "{name}", "{}_{}"])
def test_a_pattern_that_gives_no_ids_is_refused(tmp_path, pattern):
    path = _struct(tmp_path / "x.mat", np.zeros((4, 4, 3), np.uint8))
    records = np.empty((1, 2), dtype=[("image", object)])
    records[0, 0] = records[0, 1] = (np.zeros((4, 4, 3), np.uint8),)
    savemat(path, {"things": records})
    # the configuration refuses most of them already
    images = MAT.images.model_copy(update={"ids": pattern})
    with pytest.raises(ConfigurationError, match="does not give every stimulus its own id"):
        list(read_stimuli(replace(MAT, images=images), path, {}))


@pytest.fixture
def rdms():
    points = np.random.default_rng(1).normal(size=(2, 5, 9))
    return np.stack([squareform(pdist(one)) for one in points])


def _refused(tmp_path, rdms, match, subjects=2):
    np.save(tmp_path / "rdms.npy", rdms)
    with pytest.raises(DataError, match=match) as caught:
        read_rdms(tmp_path / "rdms.npy", None, subjects, ids="image_{:02d}")
    assert "rdms.npy" in str(caught.value)


def test_a_value_that_is_not_finite_is_named(tmp_path, rdms):
    rdms[1, 2, 3] = rdms[1, 3, 2] = np.inf
    _refused(tmp_path, rdms, "sub-02, image_03 with image_04.*inf is not a finite number")


@pytest.mark.parametrize("both", [True, False])
def test_missing_pairs_are_counted_with_the_stimulus_to_leave_out(tmp_path, rdms, both):
    rdms[1, 2, [1, 3]] = np.nan
    rdms[1, [1, 3], 2] = np.nan if both else rdms[1, [1, 3], 2]
    match = r"sub-02, image_0\d with image_03: .*missing \(2 pairs .* most of them of image_03"
    _refused(tmp_path, rdms, match if both else match.replace("with image_03", "with image_02"))


def test_an_asymmetric_rdm_is_named(tmp_path, rdms):
    rdms[0, 4, 1] *= 1.001
    _refused(tmp_path, rdms, r"sub-01, image_02 with image_05.*\(2 such places")


def test_a_diagonal_other_than_zero_is_named(tmp_path, rdms):
    rdms[1, 2, 2] = 0.01
    _refused(tmp_path, rdms, "sub-02, image_03 with image_03.*0.01 should be 0")


def test_a_constant_rdm_is_named(tmp_path, rdms):
    rdms[1] = 1 - np.eye(5)
    _refused(tmp_path, rdms, "sub-02: all dissimilarities are 1")


@pytest.mark.parametrize(("take", "shape"), [(np.s_[0], "5, 5"), (np.s_[:, :4], "2, 4, 5")])
def test_rdms_that_are_not_square_are_refused(tmp_path, rdms, take, shape):
    _refused(tmp_path, rdms[take], rf"shape \({shape}\)")


def test_another_number_of_subjects_is_refused(tmp_path, rdms):
    _refused(tmp_path, rdms, "15 subjects with 1 session each, .*it holds 2 subjects", subjects=15)


def test_wrong_sessions_are_named(tmp_path, rdms):
    own, np_file = np.stack([rdms, rdms[::-1]], axis=1), tmp_path / "x.npy"
    np.save(np_file, own)
    with pytest.raises(DataError, match="it holds 2 subjects with 2 sessions each"):
        read_rdms(np_file, None, 2)
    with pytest.raises(DataError, match="2 subjects with 3 sessions each, as the study says"):
        read_rdms(np_file, None, 2, sessions=3)
    np.save(np_file, rdms)
    with pytest.raises(
        DataError, match="as subjects x stimuli x stimuli it holds 2 subjects with 1 session "
    ):
        read_rdms(np_file, None, 2, sessions=2)
    own[1, 1, 2, 3] = np.nan
    np.save(np_file, own)
    with pytest.raises(DataError, match="sub-02, ses-02, stimulus 3 with stimulus 4"):
        read_rdms(np_file, None, 2, sessions=2)
    np.save(np_file, np.stack([rdms, 2 * rdms + 2 - 2 * np.eye(5)], axis=1))
    axes = ["subjects", "sessions", "stimuli", "stimuli"]
    with pytest.raises(DataError, match="sub-01: ses-02 has the RDM of ses-01"):
        read_rdms(np_file, None, 2, sessions=2, axes=axes)


def test_numbers_that_are_not_real_are_refused(tmp_path, rdms):
    _refused(tmp_path, rdms.astype(complex), "holds complex128, not real numbers")


def test_pickled_objects_are_never_loaded(tmp_path, rdms):
    objects = np.array([{"code": "may run"}, rdms], dtype=object)
    np.save(tmp_path / "x.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "x.npz", rdms=objects)
    for name, key in (("x.npy", None), ("x.npz", "rdms")):
        with pytest.raises(DataError, match=f"{name}: cannot be read as plain arrays"):
            read_rdms(tmp_path / name, key, 2)


def test_a_key_that_is_missing_or_too_much_is_named(tmp_path, rdms):
    np.savez(tmp_path / "x.npz", Net_RDM=rdms)
    np.save(tmp_path / "x.npy", rdms)
    with pytest.raises(DataError, match=r"has no array 'rdm'; it has \['Net_RDM'\]"):
        read_rdms(tmp_path / "x.npz", "rdm", 2)
    with pytest.raises(DataError, match="name the array in it with `key`"):
        read_rdms(tmp_path / "x.npz", None, 2)
    with pytest.raises(DataError, match="set `key` to null"):
        read_rdms(tmp_path / "x.npy", "rdm", 2)


def test_broken_and_foreign_files_are_named(tmp_path, rdms):
    np.savez(tmp_path / "x.npz", rdms=rdms)
    (tmp_path / "x.npz").write_bytes((tmp_path / "x.npz").read_bytes()[:-40])
    (tmp_path / "x.npy").write_bytes(b"")
    for name in ("x.npz", "x.npy"):
        with pytest.raises(DataError, match=f"{name}: cannot be read"):
            read_rdms(tmp_path / name, "rdms", 2)
    with pytest.raises(DataError, match=r"absent\.npz: there is no such file"):
        read_rdms(tmp_path / "absent.npz", "rdms", 2)
    with pytest.raises(DataError, match=r"x\.pkl: RDMs are read from"):
        read_rdms(tmp_path / "x.pkl", "rdms", 2)


def test_nothing_is_written_when_one_subjects_rdm_is_wrong(tmp_path, rdms):
    rdms[1, 0, 1] = np.nan
    np.save(tmp_path / "rdms.npy", rdms)
    settings = given_rdms(subjects=2, ids="s{}")
    outputs = [tmp_path / "sub-1.h5", tmp_path / "sub-2.h5"]
    with pytest.raises(DataError):
        write_subject_rdms([tmp_path / "rdms.npy"], settings, "IT", outputs)
    assert not any(output.exists() for output in outputs)
