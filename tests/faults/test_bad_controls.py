"""Controls that cannot be computed, and files of controls that must not be mixed."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from complete_studies import complete
from no_claims import without_claims
from rulealign.config.load import load_study
from rulealign.controls import find_control
from rulealign.errors import ConfigurationError, DataError, GuardError, StoreError
from rulealign.plan.settings.scores import ControlRdmSettings, ScoreSettings
from rulealign.rsa.control_alignment import align_controls, controls_table
from rulealign.rsa.control_rdms import read_control_rdms, write_control_rdms
from rulealign.store import read_csv, write_csv, write_h5
from shown_stimuli import write_shown

NAMES = ["pixels", "silhouette", "mean-luminance", "gabor-pooled"]
WANTED = ControlRdmSettings(controls=NAMES, centring=["uncentred"])
IDS = [f"image_{place:02d}" for place in range(12)]
SCORES = ScoreSettings(study_seed=5, bootstrap_draws=20, interval=0.9, pairs="all")


def pictures(size=16):
    return np.random.default_rng(size).integers(0, 256, (12, size, size, 3), dtype=np.uint8)


def write(folder, pixels, stimuli="grey", wanted=WANTED, ids=IDS):
    shown = write_shown(folder / f"{stimuli}_{len(list(folder.iterdir()))}.h5", pixels, ids)
    output = shown.with_name(f"controls_{shown.name}")
    write_control_rdms(shown, output, wanted, stimuli=stimuli)
    return output


def brains(folder):
    for subject in range(3):
        path = folder / f"sub-{subject}.h5"
        about = {"subject": subject, "roi": "V1", "distance": "d", "acquisition": "a"}
        rdm = np.random.default_rng(subject).random(66)
        about |= {"repetitions": 1}
        write_h5(path, {"rdm": rdm}, ids={"stimulus": IDS}, settings={}, attributes=about)
        yield path


def test_scenes_have_no_silhouette_and_asking_for_it_says_why(tmp_path):
    file = write(tmp_path, pictures())
    controls = read_control_rdms([file], "grey", 16)
    assert set(controls.missing) == {"silhouette"}
    with pytest.raises(DataError, match=r"'silhouette' is missing .* no uniform background, such"):
        controls.rdm("silhouette", "uncentred")
    with h5py.File(file) as held:
        assert "silhouette" not in held


def test_one_scene_among_objects_is_named(tmp_path):
    pixels = np.full((12, 16, 16, 3), 255, dtype=np.uint8)
    for place in range(12):
        pixels[place, 1 + place // 2 : 9, 4:12] = pictures()[place, 1 + place // 2 : 9, 4:12]
    assert not read_control_rdms([write(tmp_path, pixels)], "grey", 16).missing
    pixels[7] = pictures()[7]
    controls = read_control_rdms([write(tmp_path, pixels)], "grey", 16)
    assert "1 of 12 images" in controls.missing["silhouette"]
    assert "'image_07'" in controls.missing["silhouette"]


def test_a_feature_that_is_the_same_for_all_stimuli_is_missing_not_zero(tmp_path):
    pixels = pictures()
    # every image holds the same pixels, elsewhere
    for place in range(1, 12):
        pixels[place] = np.roll(pixels[0], place, axis=0)
    controls = read_control_rdms([write(tmp_path, pixels)], "grey", 16)
    assert "the same for all stimuli" in controls.missing["mean-luminance"]
    assert ("pixels", "uncentred") in controls.rdms


def test_a_blank_image_is_named_where_a_feature_needs_more(tmp_path):
    pixels = pictures()
    pixels[3] = 128
    controls = read_control_rdms([write(tmp_path, pixels)], "grey", 16)
    assert "'image_03' are all equal" in controls.missing["gabor-pooled"]
    assert "'image_03' are all equal" in controls.missing["pixels"]
    assert ("mean-luminance", "uncentred") in controls.rdms


def test_a_study_without_any_control_left_has_reasons_only(tmp_path):
    file = write(tmp_path, pictures(), wanted=replace(WANTED, controls=["silhouette"]))
    table, draws = tmp_path / "c.csv", tmp_path / "c.h5"
    align_controls([file], list(brains(tmp_path)), "V1", SCORES, table, draws)
    rows = read_csv(table)
    assert len(rows) == 2
    assert rows["score"].isna().all()
    assert rows["reason"].notna().all()
    controls_table([table], [draws], ["silhouette"], SCORES, tmp_path / "t.csv")


def test_files_of_other_stimuli_settings_or_kinds_are_not_mixed(tmp_path):
    file = write(tmp_path, pictures())
    other = write(tmp_path, pictures(), "white", ids=[*IDS[:-1], "image_12"])
    with pytest.raises(DataError, match="at place 11 'image_11' and 'image_12'"):
        read_control_rdms([file, other], "grey", 16)
    fewer = write(tmp_path, pictures(), "white", replace(WANTED, controls=NAMES[:2]))
    with pytest.raises(GuardError, match="different settings"):
        read_control_rdms([file, fewer], "grey", 16)
    keys, arrays = (
        {"rule": "bp", "stimuli": "grey", "size": 16},
        {"fc1/vector/centred": np.arange(66.0)},
    )
    network = tmp_path / "bp.h5"
    write_h5(network, arrays, ids={"stimulus": IDS}, settings={}, attributes=keys)
    with pytest.raises(GuardError, match="holds no controls"):
        read_control_rdms([file, network], "grey", 16)


def test_what_is_not_there_or_there_twice_is_named(tmp_path):
    file = write(tmp_path, pictures())
    with pytest.raises(DataError, match="controls of the stimuli 'grey' at 32 px"):
        read_control_rdms([file], "grey", 32)
    copy = tmp_path / "copy.h5"
    copy.write_bytes(file.read_bytes())
    with pytest.raises(DataError, match="both of the stimuli 'grey' at 16 px"):
        read_control_rdms([file, copy], "grey", 16)
    with pytest.raises(DataError, match=r"holds no control 'contrast' \(uncentred\)"):
        read_control_rdms([file], "grey", 16).rdm("contrast", "uncentred")
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(StoreError, match="cannot be read"):
        read_control_rdms([file], "grey", 16)


def test_brains_of_other_stimuli_or_another_roi_are_refused(tmp_path):
    shifted = write(tmp_path, pictures(), ids=[*IDS[1:], "image_99"])
    theirs, output = list(brains(tmp_path)), (tmp_path / "c.csv", tmp_path / "c.h5")
    with pytest.raises(DataError, match="at place 0 'image_01' and 'image_00'"):
        align_controls([shifted], theirs, "V1", SCORES, *output)
    file = write(tmp_path, pictures())
    with pytest.raises(GuardError, match="of the ROI 'V1', not 'IT'"):
        align_controls([file], theirs, "IT", SCORES, *output)
    assert not output[0].exists()


def test_a_table_with_a_control_too_few_or_a_gap_without_reason_is_refused(tmp_path):
    file = write(tmp_path, pictures())
    table, draws = tmp_path / "c.csv", tmp_path / "c.h5"
    align_controls([file], list(brains(tmp_path)), "V1", SCORES, table, draws)
    output = tmp_path / "t.csv"
    with pytest.raises(DataError, match=r"the study has .*'contrast'"):
        controls_table([table], [draws], [*NAMES, "contrast"], SCORES, output)
    with pytest.raises(DataError, match="list each table once"):
        controls_table([table, table], [draws, draws], NAMES, SCORES, output)
    with pytest.raises(GuardError, match="bootstrap_draws = 20"):
        controls_table([table], [draws], NAMES, replace(SCORES, bootstrap_draws=30), output)
    rows = read_csv(table)
    rows["reason"] = None
    write_csv(table, rows)
    with pytest.raises(DataError, match="neither a score nor a reason"):
        controls_table([table], [draws], NAMES, SCORES, output)


def test_an_unknown_control_and_a_rule_named_like_one_are_named(project):

    with pytest.raises(ConfigurationError, match=r"no control 'pixel'; there are: \['pixels'"):
        find_control("pixel")
    values = without_claims(complete(project / "workflow_config.yaml"))
    for wrong, message in (
        (["pixels", "pixel"], r"controls\.1: there is no 'pixel'; the controls are"),
        (["pixels", "pixels"], "controls: 'pixels' is listed twice"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            load_study({**values, "controls": wrong})
    assert load_study({**values, "controls": []}).controls == []
    for label in ("contrast", "control"):
        rules = {**values["rules"], label: values["rules"]["bp"]}
        with pytest.raises(ConfigurationError, match=f"rules.{label}: is the name of controls"):
            load_study({**values, "rules": rules})


def test_a_feature_of_nothing_but_rounding_and_an_rdm_that_orders_nothing_are_missing(tmp_path):
    # every image has one colour of its own: no contrast in any, and histograms all equally far
    colours = 80 * np.stack(np.unravel_index(np.arange(12) * 5, (4, 4, 4)), axis=1)
    pixels = np.broadcast_to(colours[:, None, None].astype(np.uint8), (12, 16, 16, 3)).copy()
    wanted = replace(WANTED, controls=["contrast", "colour-histogram", "mean-luminance"])
    controls = read_control_rdms([write(tmp_path, pixels, wanted=wanted)], "grey", 16)
    assert "the same for all stimuli" in controls.missing["contrast"]
    assert "its uncentred RDM is constant" in controls.missing["colour-histogram"]
    assert list(controls.rdms) == [("mean-luminance", "uncentred")]
