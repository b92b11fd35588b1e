"""Faults planted into the volume form: each must be caught, and named with file and remedy."""

import gzip
import shutil

import nibabel
import numpy as np
import pandas as pd
import pytest

from brain_settings import responses_of, union
from rulealign.data.responses.forms import open_form
from rulealign.data.responses.roi_responses import write_roi_responses
from rulealign.data.things.volumes_form import Volumes
from rulealign.errors import DataError
from rulealign.plan.settings.brain import FormSettings, QualitySettings
from rulealign.report.quality_panel import panel
from rulealign.rsa.quality.roi import roi_quality
from things_forms import AFFINE, SHAPE, generated_truth, save, write_volumes

BRAIN = "brainmasks/sub-01_space-T1w_brainmask.nii.gz"
LOC = "rois/category_localizer/sub-01/object_parcels/sub-01_lLOC.nii.gz"
VAREA = "rois/prf/sub-01/resampled_varea.nii.gz"
CEILING = "noise_ceilings/sub-01_nc_n-12.nii.gz"
TABLE = "sub-01_VoxelMetadata.csv"
RUN = "betas_vol/sub-01/ses-things02/sub-01_ses-things02_run-02"
BETAS, CONDITIONS = f"{RUN}_betas.nii.gz", f"{RUN}_conditions.tsv"
COLUMNS = ["V1", "lLOC", "nc_testset"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    write_volumes(folder, generated_truth(sessions=2, runs=3))
    return folder


@pytest.fixture
def folder(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "root")


def read_all(folder, columns=COLUMNS):
    form = Volumes(folder)
    form.voxels("01", columns)
    return form.trials("01"), form.responses("01", np.arange(5))


def refused(folder, match, columns=COLUMNS):
    with pytest.raises(DataError, match=match):
        read_all(folder, columns)


def volume(path):
    return nibabel.load(path).get_fdata()


def test_sound_volumes_pass(folder):
    read_all(folder)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    refused(tmp_path / "away", "away: there is no such folder; things.root")


@pytest.mark.parametrize("method", ["trials", "columns"])
def test_a_missing_person_is_named_with_those_there_are(folder, method):
    with pytest.raises(
        DataError, match=r"has no sub-04_.*there are files of \['sub-01', 'sub-02'\]"
    ):
        getattr(Volumes(folder), method)("04")


def test_a_person_without_a_brain_mask_is_named(folder):
    (folder / BRAIN).unlink()
    refused(folder, "has no sub-01_space-T1w_brainmask.nii.gz.*Point things.root")


@pytest.mark.parametrize(
    ("pattern", "missing"),
    [
        ("betas_vol/sub-01/ses-things02/*run-02_betas.nii.gz", "ses-things02_run-02_betas.nii.gz"),
        ("betas_vol/sub-01/ses-things02/*run-02_cond*.tsv", "ses-things02_run-02_conditions.tsv"),
        ("betas_vol/sub-01/ses-things02/*run-02_*", "ses-things02_run-02_betas.nii.gz"),
        ("betas_vol/sub-01/ses-things01/*run-03_*", "ses-things01_run-03_betas.nii.gz"),
        ("betas_vol/sub-01/ses-things01/*", "ses-things01_run-01_betas.nii.gz"),
    ],
)
def test_a_missing_run_or_session_is_named(folder, pattern, missing):
    for path in folder.glob(pattern):
        path.unlink()
    refused(folder, f"sub-01_{missing} is missing, while other runs of sub-01 are there")


@pytest.mark.parametrize("name", [BRAIN, BETAS, CONDITIONS, CEILING])
def test_a_file_in_two_places_is_named(folder, name):
    copy = folder / "copy" / (folder / name).name
    copy.parent.mkdir()
    shutil.copy(folder / name, copy)
    refused(folder, f"{copy.name} and .*{copy.name} are the same file in two places")


def test_a_run_with_another_number_of_volumes_than_conditions_is_refused(folder):
    lines = (folder / CONDITIONS).read_text().splitlines()
    (folder / CONDITIONS).write_text("\n".join(lines[:-1]))
    refused(
        folder, rf"run-02_betas.nii.gz: {len(lines) - 2} volumes are expected.*shape is \(10, 7"
    )


def test_betas_of_one_volume_are_refused(folder):
    save(folder / BETAS, np.zeros(SHAPE))
    refused(folder, r"run-02_betas.nii.gz: \d+ volumes are expected.*shape is \(10, 7, 6\)")


@pytest.mark.parametrize(
    "name",
    [
        *("catcher.jpg", "dog/cat_12s.jpg", "", None, "scene/dreamcatch_01.jpg"),
        *("catcher/catch", "catch", "catchment_area/catch"),  # cut
    ],
)
def test_a_condition_that_is_no_image_is_named(folder, name):
    lines = (folder / CONDITIONS).read_text().splitlines()
    lines[4] = "3" if name is None else f"3\t{name}"
    (folder / CONDITIONS).write_text("\n".join(lines))
    refused(folder, f"conditions.tsv: image_filename of row 3 is '{name or ''}', which is neither")


@pytest.mark.parametrize("text", ["", "\timage_filename\n", "a\tb\n0\tdog/dog_01s.jpg\n"])
def test_conditions_without_trials_are_refused(folder, text):
    (folder / CONDITIONS).write_text(text)
    refused(folder, "run-02_conditions.tsv: lists no trials in a column image_filename")


def test_conditions_that_are_no_text_are_refused(folder):
    (folder / CONDITIONS).write_bytes(b"\xff\xfe\x00\x81")
    refused(folder, "run-02_conditions.tsv: cannot be read")


@pytest.mark.parametrize("left", range(1, 16))
def test_conditions_whose_last_line_is_cut_are_refused(folder, left):
    text = "\timage_filename\n0\tant/ant_01b.jpg\n1\tdog/dog_12s.jpg"
    (folder / CONDITIONS).write_text(text[:-left])
    refused(folder, "conditions.tsv: image_filename of row 1 is '.*', which is neither")


def test_conditions_that_lack_the_last_cell_are_refused(folder):
    text = "\timage_filename\tonset\n0\tant/ant_01b.jpg\t2.5\n1\tdog/dog_12s.jpg\n"
    (folder / CONDITIONS).write_text(text)
    refused(folder, "conditions.tsv: row 1 has 2 of 3 columns; the file may be cut off")


INDEX = ["", " ", "Unnamed: 0", "index", "trial", "trial_id", "Volume", "n"]


def with_index(folder, name, rows):
    table = pd.read_csv(folder / CONDITIONS, sep="\t", index_col=0)
    table.insert(0, name, (4.5 if name == "onset" else 1) * table.index)
    rows(table).to_csv(folder / CONDITIONS, sep="\t", index=False)


@pytest.mark.parametrize("name", [*INDEX, "onset"])
def test_conditions_that_were_sorted_are_refused_whatever_their_index_is_called(folder, name):
    before = read_all(folder)
    with_index(folder, name, lambda table: table)
    for one, other in zip(before, read_all(folder), strict=True):
        np.testing.assert_array_equal(one, other)
    with_index(folder, name, lambda table: table.sort_values("image_filename"))
    called = name.strip() or "the column without a name"
    refused(folder, f"conditions.tsv: in row \\d+, {called} holds .* this table was re-sorted")
    with pytest.raises(DataError, match="this table was re-sorted"):
        Volumes(folder, as_stored=True).responses("01", np.arange(5))


@pytest.mark.parametrize("index", ["trial", None])
def test_a_column_that_numbers_images_is_no_order(folder, index):
    before = read_all(folder)
    table = pd.read_csv(folder / CONDITIONS, sep="\t", index_col=0)
    table["image_number"] = np.random.default_rng(0).permutation(len(table)) + 1
    table.to_csv(folder / CONDITIONS, sep="\t", index=bool(index), index_label=index)
    if index:
        for one, other in zip(before, read_all(folder), strict=True):
            np.testing.assert_array_equal(one, other)
    else:
        refused(folder, "has neither an index nor onsets, .*`things.columns: as_stored`")


def test_conditions_that_nothing_orders_stop_or_are_told_in_file_and_report(folder, tmp_path):
    table = pd.read_csv(folder / CONDITIONS, sep="\t", index_col=0)
    before = read_all(folder)
    table.to_csv(folder / CONDITIONS, sep="\t", index=False)
    match = "run-02_conditions.tsv: has neither an index nor onsets, .*`things.columns: as_stored`"
    refused(folder, match)
    for method in ("trials", "responses"):
        with pytest.raises(DataError, match=match):
            getattr(Volumes(folder), method)("01", *([np.arange(5)] if method != "trials" else []))
    form = open_form(FormSettings(form="volumes", address="", as_stored=True), folder, parallel=1)
    np.testing.assert_array_equal(form.responses("01", np.arange(5)), before[1])
    pd.testing.assert_frame_equal(form.trials("01"), before[0])
    write_roi_responses(form, "01", "V1", responses_of(union("V1")), tmp_path / "V1.h5")
    roi_quality(tmp_path / "V1.h5", tmp_path / "V1.csv", QualitySettings(lags=2, shifts=1))
    assert (
        "sub-01, V1: nothing that can be read tells which trials the responses are of: taken"
        in ("".join(panel(pd.read_csv(tmp_path / "V1.csv")).findings))
    )


def test_an_image_listed_twice_in_a_run_is_named(folder):
    lines = (folder / CONDITIONS).read_text().splitlines()
    images = [line.partition("\t")[2] for line in lines[1:] if "catch/" not in line]
    text = "\n".join(lines).replace(images[1], images[0])
    (folder / CONDITIONS).write_text(text)
    refused(folder, f"run-02_conditions.tsv: a trial is listed twice: {images[0]}")


@pytest.mark.parametrize("name", [BRAIN, LOC, VAREA, CEILING, BETAS])
@pytest.mark.parametrize("missing", [1, 9, 0.5, 0.99])
def test_a_file_that_is_cut_short_is_named(folder, name, missing):
    content = (folder / name).read_bytes()
    keep = len(content) - missing if missing >= 1 else int(len(content) * missing)
    (folder / name).write_bytes(content[:keep])
    refused(folder, f"{name.rpartition('/')[2]}: cannot be read as a NIfTI image.*cut short")


@pytest.mark.parametrize("name", [LOC, BETAS])
def test_wrong_bytes_are_noticed_by_the_checksum(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[-6] ^= 255  # in the checksum itself: every number still reads
    (folder / name).write_bytes(content)
    refused(folder, "cannot be read as a NIfTI image.*CRC")


ZIPPED_TEXT = gzip.compress(b"no image" * 100, mtime=0)  # no time in the test's name


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", ZIPPED_TEXT])
def test_a_file_that_is_no_image_is_named(folder, content):
    (folder / LOC).write_bytes(content)
    refused(folder, "sub-01_lLOC.nii.gz: cannot be read as a NIfTI image")


def test_an_uncompressed_file_that_is_cut_short_is_named(folder):
    content = gzip.decompress((folder / BETAS).read_bytes())
    (folder / BETAS).unlink()
    (folder / BETAS.removesuffix(".gz")).write_bytes(content[:-5])
    refused(folder, "run-02_betas.nii: cannot be read as a NIfTI image")


SHIFTED, TURNED = AFFINE.copy(), AFFINE.copy()
SHIFTED[0, 3] += 2.0
TURNED[:3, :3] = AFFINE[:3, [1, 0, 2]]


@pytest.mark.parametrize("affine", [SHIFTED, TURNED])
@pytest.mark.parametrize("name", [LOC, VAREA, CEILING, BETAS])
def test_another_affine_is_refused_with_both_files_and_affines(folder, name, affine):
    array = volume(folder / name)
    save(folder / name, array, affine=affine)
    refused(
        folder, rf"{name.rpartition('/')[2]} \(shape .*{affine[0, 3]:g}.*brainmask.nii.gz .*-71.5"
    )


@pytest.mark.parametrize("name", [LOC, VAREA, CEILING, BETAS])
def test_another_shape_is_refused_with_both_files_and_shapes(folder, name):
    save(folder / name, volume(folder / name)[:-1])
    refused(
        folder,
        rf"{name.rpartition('/')[2]} \(shape \(9, 7, 6\).*brainmask.nii.gz \(shape \(10, 7, 6\)",
    )


def test_an_affine_that_differs_by_rounding_passes(folder):
    save(folder / LOC, volume(folder / LOC), np.uint8, AFFINE + np.float32(1e-5))
    read_all(folder)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (BRAIN, 0.5, "brainmask.nii.gz: holds 0.5 at .*where whole numbers from 0 to 1"),
        (BRAIN, 2, "holds 2.0 at .* from 0 to 1"),
        (BRAIN, np.nan, "holds nan at"),
        (LOC, 0.25, "sub-01_lLOC.nii.gz: holds 0.25 at .* from 0 to 1 are expected"),
        (VAREA, 2.5, "resampled_varea.nii.gz: holds 2.5 at .* from 0 to 12 are expected"),
        (VAREA, 13, "holds 13.0 at .* from 0 to 12"),
        (CEILING, 140, "n-12.nii.gz: holds noise ceilings from 0 to 140, where percent"),
        (CEILING, -3, "holds noise ceilings from -3 to"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_its_place(folder, name, value, message):
    place = tuple(np.argwhere(volume(folder / BRAIN) == 1)[40].tolist())
    array = volume(folder / name)
    array[place] = value
    save(folder / name, array)
    refused(folder, message)
    if name != CEILING:
        refused(folder, rf"at \({place[0]}, {place[1]}, {place[2]}\)")


def test_noise_ceilings_that_are_shares_are_refused(folder):
    save(folder / CEILING, volume(folder / CEILING) / 100)
    refused(folder, "n-12.nii.gz: holds noise ceilings from 0 to 0.*take it away")


def test_an_empty_brain_mask_is_refused(folder):
    save(folder / BRAIN, np.zeros(SHAPE))
    refused(folder, "brainmask.nii.gz: marks no voxel")


def test_a_mask_of_many_volumes_is_refused(folder):
    save(folder / LOC, np.zeros((*SHAPE, 2)))
    refused(folder, r"lLOC.nii.gz: one volume is expected; the file's shape is \(10, 7, 6, 2\)")


def test_two_masks_of_one_roi_that_differ_are_refused(folder):
    array = (volume(folder / VAREA) == 1).astype(np.uint8)
    array[tuple(np.argwhere(volume(folder / BRAIN) * array)[0])] = 0
    save((folder / VAREA).with_name("V1.nii.gz"), array)
    refused(folder, "V1.nii.gz and .*varea.nii.gz are both masks of V1, and differ in 1 voxels")


def test_a_column_without_a_mask_names_the_nearest_and_the_remedy(folder):
    refused(folder, "no mask in the volume form of sub-01.*no ROI 'IT'", ["IT"])
    refused(folder, r"no ROI 'LOC'; they have \['rLOC', 'lLOC'\] and ", ["LOC"])
    refused(folder, "put sub-01_VoxelMetadata.csv of the table form below things.root", ["IT"])
    refused(folder, "no ROI 'prf-size'", ["prf-size"])


def remove_last(table):
    return table.iloc[:-1]


def reverse(table):
    return table.iloc[::-1]


def swap_two_places(table):
    places = ["voxel_x", "voxel_y", "voxel_z"]
    table.loc[[7, 8], places] = table.loc[[8, 7], places].to_numpy()
    return table


def flip_one_flag(table):
    return table.assign(V1=table["V1"] ^ (table["voxel_id"] == 12))


def other_ceilings(table):
    return table.assign(nc_testset=table["nc_testset"] / 100)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (remove_last, r"VoxelMetadata.csv: has \d+ voxels, .*brainmask.nii.gz marks \d+"),
        (reverse, r"VoxelMetadata.csv: voxel_id of row 0 is \d+, and 0 in .*brainmask"),
        (swap_two_places, r"VoxelMetadata.csv: voxel_. of row 7 is \d, and \d in .*brainmask"),
        (flip_one_flag, "'V1' differs from that of the images .* in 1 voxels, first in row 12"),
        (other_ceilings, r"'nc_testset' differs from that of the images .*Keep only one"),
    ],
)
def test_a_voxel_table_of_other_data_is_refused(folder, edit, message):
    table = generated_truth(sessions=2, runs=3).people["01"].voxels
    table.to_csv(folder / TABLE, index=False)
    read_all(folder, [*COLUMNS, "IT"])
    edit(table).to_csv(folder / TABLE, index=False)
    refused(folder, message, [*COLUMNS, "IT"])


def test_nothing_is_left_behind_by_a_refused_run(folder, tmp_path):
    content = (folder / BETAS).read_bytes()
    (folder / BETAS).write_bytes(content[:-100])
    settings = responses_of(union("V1"))
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="cut short"):
        write_roi_responses(Volumes(folder), "01", "V1", settings, tmp_path / "out" / "roi.h5")
    assert list((tmp_path / "out").iterdir()) == []
