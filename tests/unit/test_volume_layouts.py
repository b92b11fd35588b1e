"""The volume form in its layouts: what names, folders and encodings are accepted, at what cost."""

import gzip
import shutil
import struct
import tracemalloc
from pathlib import Path

import nibabel
import numpy as np
import pytest

from rulealign.data.things import nifti
from rulealign.data.things.volumes_form import Volumes
from things_forms import AFFINE, generated_truth, save, scatter, write_sidecars, write_volumes


@pytest.fixture(scope="module")
def truth():
    return generated_truth(subjects=1, sessions=2, runs=2, seed=3)


@pytest.fixture
def folder(truth, tmp_path):
    write_volumes(tmp_path, truth)
    return tmp_path


def assert_same(folder, person, columns=("V1", "V3b", "LO1 (prf)", "rSTS")):
    form = Volumes(folder)
    voxels = form.voxels("01", columns)
    for column in columns:
        assert voxels[column].tolist() == person.voxels[column].tolist(), column
    found = form.responses("01", np.arange(len(voxels)))
    assert np.array_equal(found, person.responses)


def test_folders_may_be_nested_linked_and_come_from_a_mac(folder, truth):
    (folder / "a/b").mkdir(parents=True)
    (folder / "rois").rename(folder / "a/b/rois")
    (folder / "elsewhere").mkdir()
    (folder / "betas_vol").rename(folder / "elsewhere/betas_vol")
    (folder / "root").mkdir()
    for name in ("a", "elsewhere", "brainmasks", "noise_ceilings"):
        (folder / "root" / name).symlink_to(folder / name)
    (folder / "root/a/b/back").symlink_to(folder / "root")  # must not be followed for ever
    run = next((folder / "elsewhere").rglob("*_betas.nii.gz"))
    (run.parent / f"._{run.name}").write_bytes(b"Mac OS X resource fork")
    (run.parent / ".DS_Store").write_bytes(b"")
    assert_same(folder / "root", truth.people["01"])


def test_a_root_whose_path_names_another_person_or_folder_is_no_matter(folder, truth, tmp_path):
    place = tmp_path / "sub-02" / "category_localizer" / "prf"
    place.mkdir(parents=True)
    for name in ("betas_vol", "brainmasks", "rois"):
        (folder / name).rename(place / name)
    assert_same(place, truth.people["01"])
    assert "angle" not in " ".join(Volumes(place).columns("01"))


def test_images_need_not_be_compressed(folder, truth):
    for path in list(folder.rglob("*.nii.gz")):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert_same(folder, truth.people["01"])


def test_scaled_integers_and_another_byte_order_are_read_right(folder, truth):
    # all numbers are whole 64ths, so that 16 bits hold them
    for path in folder.rglob("*_betas.nii.gz"):
        values = nibabel.load(path).get_fdata()
        header = nibabel.Nifti1Header(endianness=">")
        header.set_data_dtype(np.int16)
        image = nibabel.Nifti1Image((values * 64).astype(np.int16), AFFINE, header)
        content = bytearray(image.to_bytes())
        content[112:116] = struct.pack(">f", 1 / 64)  # scl_slope
        path.write_bytes(gzip.compress(bytes(content)))
        assert (nibabel.load(path).get_fdata() == values).all()
    assert_same(folder, truth.people["01"])


def one_label_per_file(folder, person):
    for label, name in ((1, "V1"), (7, "LO1 (prf)"), (11, "V3b")):
        for how in ("nn", "linear"):  # the second is no mask, and not read
            mask = scatter(person, person.voxels[name]) * (1 if how == "nn" else 0.4)
            save(folder / f"resampled_va-{label}_interp-{how}.nii.gz", mask)


def one_name_per_file(folder, person):
    for file, name in (("V1", "V1"), ("sub-01_LO1_mask", "LO1 (prf)"), ("V3B", "V3b")):
        save(folder / f"{file}.nii.gz", scatter(person, person.voxels[name]), np.uint8)


@pytest.mark.parametrize("write", [one_label_per_file, one_name_per_file])
def test_visual_rois_may_have_a_file_each(folder, truth, write):
    place = folder / "rois/prf/sub-01"
    shutil.rmtree(place)
    write(place, truth.people["01"])
    assert [name for name in Volumes(folder).columns("01") if "S" not in name][:3] == [
        *("V1", "LO1 (prf)", "V3b")
    ]
    assert_same(folder, truth.people["01"])


def test_masks_that_repeat_each_other_are_no_matter(folder, truth):
    one_label_per_file(folder / "rois/prf/sub-01", truth.people["01"])
    assert_same(folder, truth.people["01"])


def test_a_mask_of_the_users_own_becomes_a_column(folder, truth):
    person = truth.people["01"]
    place = folder / "rois/category_localizer/sub-01/mine/sub-01_lVWFA_mask.nii.gz"
    save(place, scatter(person, person.voxels["hV4"]), np.uint8)
    voxels = Volumes(folder).voxels("01", ["lVWFA"])
    assert voxels["lVWFA"].tolist() == person.voxels["hV4"].tolist()


def test_noise_ceilings_are_unknown_without_their_files_or_those_of_the_table(folder, truth):
    shutil.rmtree(folder / "noise_ceilings")
    names = ["nc_singletrial", "nc_testset"]
    assert Volumes(folder).voxels("01", names)[names].isna().all(axis=None)
    truth.people["01"].voxels.to_csv(folder / "sub-01_VoxelMetadata.csv", index=False)
    found = Volumes(folder).voxels("01", names)
    assert found[names].equals(truth.people["01"].voxels[names])


def test_images_may_be_named_with_their_folder(folder, truth):
    for path in folder.rglob("*_conditions.tsv"):
        path.write_text(path.read_text().replace("\t", "\t./images/").replace("./images/im", "im"))
    trials = Volumes(folder).trials("01")
    assert trials["stimulus"].tolist() == truth.people["01"].trials["stimulus"].tolist()
    assert trials["concept"].tolist() == truth.people["01"].trials["concept"].tolist()


@pytest.mark.parametrize("separator", [",", ";"])
def test_conditions_may_be_packed_or_separated_otherwise(folder, truth, separator):
    for path in folder.rglob("*_conditions.tsv"):
        text = path.read_text().replace("\t", separator).replace("\n", "\r\n")
        Path(f"{path}.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + text.encode()))
        path.unlink()
    assert_same(folder, truth.people["01"])


@pytest.mark.parametrize("axes", [(1,), (1, 1)])
def test_masks_may_have_axes_of_one_behind_the_three(folder, truth, axes):
    names = ("*brainmask.nii*", "*varea*", "*lLOC*", "*rSTS*", "*nc_n-*")
    for path in [path for name in names for path in folder.rglob(name)]:
        array = nibabel.load(path).get_fdata()
        save(path, array.reshape(array.shape + axes))
    assert_same(folder, truth.people["01"], ("V1", "lLOC", "rSTS", "nc_testset"))


@pytest.mark.parametrize("name", ["catch_01.jpg", "catch012_fish.jpg", "catch7.jpg", "catch"])
def test_catch_trials_are_known_by_their_name(folder, truth, name):
    for path in folder.rglob("*_conditions.tsv"):
        lines = [
            f"{line.partition(chr(9))[0]}\tcatch/{name}" if "catch/" in line else line
            for line in path.read_text().splitlines()
        ]
        path.write_text("\n".join(lines))
    assert_same(folder, truth.people["01"])


@pytest.mark.parametrize("concept", ["nan", "null", "catcher", "catchment_area"])
def test_concepts_may_have_such_names(folder, truth, concept):
    path = sorted(folder.rglob("*_conditions.tsv"))[0]
    text = path.read_text()
    first = next(line for line in text.splitlines()[1:] if "catch/" not in line)
    row = first.partition("\t")[0]
    path.write_text(text.replace(first, f"{row}\t{concept}/{concept}_03b.jpg"))
    trials = Volumes(folder).trials("01")
    assert trials["concept"][0] == concept
    assert len(trials) == len(truth.people["01"].trials)


def test_sidecars_are_read_where_they_are(folder, truth):
    assert Volumes(folder).acquisition("01") == {}
    (folder / "task-things_bold.json").write_text('{"RepetitionTime": 9}')
    assert Volumes(folder).acquisition("01")["RepetitionTime"] == 9
    write_sidecars(folder, truth, MagneticFieldStrength=7)
    found = Volumes(folder).acquisition("01")
    assert (found["MagneticFieldStrength"], found["RepetitionTime"]) == (7, 1.5)
    assert found["source"] == "sub-01_ses-things01_task-things_run-01_bold.json"
    assert Volumes(folder).acquisition("02")["RepetitionTime"] == 9


def test_a_few_volumes_are_held_in_memory_and_not_a_run(tmp_path, monkeypatch):
    shape, volumes, rng = (40, 40, 30), 40, np.random.default_rng(0)
    save(tmp_path / "sub-01_space-T1w_brainmask.nii.gz", np.ones(shape), np.uint8)
    stem = tmp_path / "sub-01_ses-things01_run-01"
    save(f"{stem}_betas.nii.gz", rng.standard_normal((*shape, volumes)).round(1))
    names = [f"{k}\tdog/dog_{k:02d}s.jpg" for k in range(volumes)]
    (tmp_path / f"{stem.name}_conditions.tsv").write_text("\n".join(["\timage_filename", *names]))
    rows, one_volume = np.arange(0, 48000, 100), np.prod(shape) * 8
    monkeypatch.setattr(nifti, "_BLOCK_BYTES", 3 * one_volume)
    Volumes(tmp_path).responses("01", rows[:1])  # imports and caches
    tracemalloc.start()
    found = Volumes(tmp_path).responses("01", rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # read, scaled and copied by nilearn
    assert peak < 2 * found.nbytes + 5 * 3 * one_volume < volumes * one_volume / 2
    series = nibabel.load(f"{stem}_betas.nii.gz").get_fdata(dtype=np.float32)
    assert np.array_equal(found, series.reshape(-1, volumes)[rows])
