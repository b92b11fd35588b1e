"""A study of one's own files, written by a command: what it takes from them, and refuses."""

import numpy as np
import pytest
import rsatoolbox
import yaml

from helpers.bids_folder import SUBJECTS, write_bids
from rulealign.config.load import load_study
from rulealign.data.init_study import main, new_study
from rulealign.errors import DataError

N = 5
NAMES = [f"stim_{number}" for number in range(7, 7 + N)]  # stim_10 comes last, not first


@pytest.fixture
def images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    for name in NAMES:
        (tmp_path / "images" / f"{name}.png").touch()
    rdms = np.random.default_rng(0).random((3, N, N))
    rdms += rdms.transpose(0, 2, 1)
    np.save(tmp_path / "rdms.npy", rdms * (1 - np.eye(N)))
    return tmp_path / "images"


def written(images, rdms, *rules, **about):
    text = new_study(images, rdms, rules, **about)
    assert len(text.splitlines()) <= 40
    return load_study(yaml.safe_load(text), "x.yaml")


def test_subjects_are_counted_and_the_baseline_is_added(images):
    study = written(images, "rdms.npy", "bp", roi="IT")
    assert study.brain.subject_names == ["01", "02", "03"]
    assert study.brain.ids_told_by == "images"
    assert list(study.rules) == ["untrained_bn", "bp"]
    assert study.rules["bp"].baseline == "untrained_bn"
    assert study.brain.sources("IT") == ["./rdms.npy"]
    assert list(written(images, "rdms.npy", "untrained").rules) == ["untrained"]


def test_names_of_subjects_are_read_from_those_of_files(images, tmp_path):
    (tmp_path / "r").mkdir()
    for name in ("s10", "s2"):
        np.save(tmp_path / "r" / f"sub-{name}_rdm.npy", np.load(tmp_path / "rdms.npy")[0])
    study = written(images, "r/sub-{subject}_rdm.npy", "untrained")
    assert study.brain.subject_names == ["s2", "s10"]
    assert study.brain.sources("V1") == ["r/sub-s2_rdm.npy", "r/sub-s10_rdm.npy"]


def test_a_descriptor_that_names_the_images_gives_the_ids(images, tmp_path):
    named = {"kind": list("ababa"), "stim": NAMES[::-1]}
    rdms = rsatoolbox.rdm.RDMs(np.random.default_rng(1).random((2, 10)), pattern_descriptors=named)
    rdms.save(str(tmp_path / "x.hdf5"))
    brain = written(images, "x.hdf5", "untrained").brain
    assert (brain.subjects, brain.ids.descriptor) == (2, "stim")


def with_names(folder, names, name="x.hdf5"):
    """Write RDMs of rsatoolbox with names beside them."""
    rdms = np.random.default_rng(1).random((2, 10))
    named = rsatoolbox.rdm.RDMs(rdms, pattern_descriptors={"stim": names})
    named.save(str(folder / name), overwrite=True)


def test_the_study_and_the_command_say_where_the_order_is_from(images, tmp_path, capsys):
    with_names(tmp_path, [f"Stim_0{name[5:]}.PNG" for name in NAMES[::-1]])
    assert main(["images", "x.hdf5", "bp", "--name", "named"]) == 0
    assert "Order of the RDMs: names in the file, by which rows come" in capsys.readouterr().out
    text = (tmp_path / "studies" / "named.yaml").read_text()
    assert "ids: {descriptor: stim} # names in the file, by which" in text
    with_names(tmp_path, [str(number) for number in range(1, N + 1)])
    for name, rdms in (("counted", "x.hdf5"), ("plain", "rdms.npy")):
        assert main(["images", rdms, "bp", "--name", name]) == 0
        assert "Order of the RDMs: the file names no images: rows" in capsys.readouterr().out
        text = (tmp_path / "studies" / f"{name}.yaml").read_text()
        assert "ids: images # the file names no images: rows are in" in text


@pytest.mark.parametrize(
    ("names", "match"),
    [
        ([*NAMES[:-1], "stim_12"], "'.*/stim' says that row 4 of the RDMs is stim_12, and"),
        (
            [*NAMES[:0:-1], "stim_70"],
            "'.*stim' says that row 0 .* is stim_11, and .* stim_7",
        ),
        (
            [f"object{name[5:]}" for name in NAMES[::-1]],
            "'.*stim' says that row 0 of the RDMs is stim_11",
        ),
        (["cat", "dog", "elk", "fox", "gnu"], "'.*stim' names the rows .*cat, dog, elk .*be told"),
        (["2", "1", "3", "4", "5"], "'.*stim' names the rows of the RDMs 2, 1, 3 .*stim_7, stim_8"),
    ],
)
def test_an_order_that_cannot_be_told_is_refused(images, tmp_path, names, match):
    with_names(tmp_path, names)
    with pytest.raises(DataError, match=rf"x\.hdf5: {match}"):
        new_study(images, "x.hdf5", ["bp"])


def test_rdms_at_which_a_run_would_stop_are_told_at_once(images, tmp_path, capsys):
    rdms = np.load(tmp_path / "rdms.npy")
    np.save(tmp_path / "r.npy", 1 - rdms / rdms.max())
    assert main(["images", "r.npy", "bp", "--name", "similar"]) == 1
    assert "the run would stop: r.npy: sub-01: holds similarities" in capsys.readouterr().err
    rdms[1, 0, 2] = rdms[1, 2, 0] = np.nan
    np.save(tmp_path / "r.npy", rdms)
    assert main(["images", "r.npy", "bp", "--name", "missing"]) == 1
    assert "Set brain.pairs to 'present'" in capsys.readouterr().err
    assert (tmp_path / "studies" / "missing.yaml").is_file()  # to be corrected
    assert main(["images", "rdms.npy", "bp", "--name", "sound"]) == 0
    assert capsys.readouterr().err == ""


def test_what_the_files_do_not_tell_is_refused(images, tmp_path, capsys):
    np.save(tmp_path / "cube.npy", np.random.default_rng(2).random((N, N, N)))
    with pytest.raises(DataError, match=r"cube\.npy: shape \(5, 5, 5\) can be read in several"):
        new_study(images, "cube.npy", ["bp"])
    (images / "stim_11.png").unlink()
    with pytest.raises(DataError, match=r"shape \(3, 5, 5\) .* how many subjects .* with 4 images"):
        new_study(images, "rdms.npy", ["bp"])
    assert main(["images", "none.npy", "bp"]) == 1
    assert "none.npy: there is no such file" in capsys.readouterr().err
    assert main(["images", "rdms.npy", "bq"]) == 1
    assert "there is no rule 'bq'" in capsys.readouterr().err
    assert main(["nothing", "rdms.npy", "bp"]) == 1
    assert "nothing: there is no such folder" in capsys.readouterr().err


def test_a_study_that_is_there_is_not_written_over(images, tmp_path, capsys):
    assert main(["images", "rdms.npy", "untrained", "--name", "mine"]) == 0
    before = (tmp_path / "studies" / "mine.yaml").read_text()
    assert main(["images", "rdms.npy", "bp", "--name", "mine"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "studies" / "mine.yaml").read_text() == before


GLM = "bids/derivatives/glm/sub-{subject}/sub-{subject}_task-objects_run-{run}_betas.nii.gz"
BETAS = {
    "masks": "bids/derivatives/rois/sub-{subject}_{roi}_mask.nii.gz",
    "events": "bids/sub-{subject}/func/sub-{subject}_task-objects_run-{run}_events.tsv",
}


def test_a_study_of_betas_names_their_subjects_and_files(images, tmp_path, capsys):
    write_bids(tmp_path / "bids")
    brain = written(images, GLM, "bp", roi="LO", **BETAS).brain
    assert brain.subject_names == SUBJECTS
    assert brain.rois["LO"].union == ["LO"]
    assert (brain.betas, brain.events.image) == (GLM, "stim_file")
    with pytest.raises(DataError, match="subject anna has no mask .*those of "):
        new_study(images, GLM, ["bp"], roi="FFA", **BETAS)
    words = ["images", GLM.replace("task", "run"), "bp", "--masks", BETAS["masks"]]
    assert main([*words, "--events", BETAS["events"]]) == 1
    assert "there are no such files" in capsys.readouterr().err
