"""Noise ceilings and alignments that do not belong together, or not all there (guards 20, 24)."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rulealign.errors import DataError, GuardError
from rulealign.plan.settings.scores import CeilingSettings
from rulealign.rsa.ceiling_table import roi_ceiling
from rulealign.rsa.joined_tables import ceilings_table
from rulealign.rsa.tables import ALIGNMENT_KEYS, require_whole
from rulealign.store import write_h5

N = 10
SETTINGS = CeilingSettings(study_seed=5, null_draws=40, interval=0.9, pairs="all")
ROIS = ["V1", "IT"]
SEEDS = {"cnn3": {"bp": [1], "fa": [1]}}


def ceiling(folder, roi, name=None, **changed):
    """Make the noise ceiling of one ROI."""
    rng, files = np.random.default_rng(ord(roi[0])), []
    for subject in range(3):
        files.append(folder / f"sub-{subject}_roi-{roi}_rdm.h5")
        about = {"subject": subject, "roi": roi, "distance": "1 - Pearson", "acquisition": "3T"}
        arrays = {"rdm": rng.random(N * (N - 1) // 2)}
        ids = {"stimulus": [f"s{place}" for place in range(N)]}
        about["repetitions"] = 1
        write_h5(files[-1], arrays, ids=ids, settings={}, attributes=about)
    made = folder / (name or f"roi-{roi}_ceiling.csv")
    roi_ceiling(files, roi, replace(SETTINGS, **changed), made)
    return made


@pytest.fixture
def parts(tmp_path):
    return [ceiling(tmp_path, roi) for roi in ("V1", "IT")]


def refused(parts, folder, error, message, **changed):
    with pytest.raises(error, match=message):
        ceilings_table(parts, ROIS, replace(SETTINGS, **changed), folder / "ceilings.csv")
    assert not (folder / "ceilings.csv").exists()


def test_sound_ceilings_are_joined_in_the_order_of_their_names(parts, tmp_path):
    ceilings_table(parts, ROIS, SETTINGS, tmp_path / "ceilings.csv")
    table = pd.read_csv(tmp_path / "ceilings.csv")
    assert table["roi"].tolist() == ["IT", "V1"]
    own = pd.concat([pd.read_csv(part) for part in parts[::-1]], ignore_index=True)
    pd.testing.assert_frame_equal(table, own.drop(columns="settings_hash"))


@pytest.mark.parametrize(
    "changed", [{"null_draws": 60}, {"interval": 0.8}, {"study_seed": 6}], ids=lambda one: str(one)
)
def test_ceilings_of_other_settings_are_not_mixed(parts, tmp_path, changed):
    other = ceiling(tmp_path, "IT", "other.csv", **changed)
    refused([parts[0], other], tmp_path, GuardError, r"other.csv: was made with other settings")
    refused(parts, tmp_path, GuardError, "roi-V1_ceiling.csv: was made with other", **changed)


def test_a_ceiling_that_is_missing_or_there_twice_is_named(parts, tmp_path):
    refused(parts[:1], tmp_path, DataError, r"are of .*\('V1', 'all'\)\], the study has .*'IT'")
    refused([*parts, parts[0]], tmp_path, DataError, "every ROI needs its own, once")
    refused([], tmp_path, DataError, "there are no noise ceilings")
    text = parts[0].read_text().splitlines()
    parts[0].write_text(text[0] + "\n")
    refused(parts, tmp_path, DataError, "roi-V1_ceiling.csv: has no rows")


def alignments():
    rows = [
        ("cnn3", rule, 0, "grey", 32, layer, "grid-8", "centred", roi, "per_subject", "all")
        for rule in ("bp", "fa")
        for layer in ("conv1", "conv2")
        for roi in ("V1", "IT")
    ]
    return pd.DataFrame(rows, columns=ALIGNMENT_KEYS)


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ("rule == 'bp'", "lack cnn3 by fa"),
        (
            "roi == 'V1' or rule == 'bp'",
            "have cnn3_fa_0_.*conv1.* with only one of the ROIs IT and V1",
        ),
        (
            "not (layer == 'conv2' and roi == 'IT' and rule == 'fa')",
            "have cnn3_fa_0_grey_32_conv2_",
        ),
    ],
)
def test_alignments_that_lack_a_rule_or_an_roi_are_refused(keep, message):
    require_whole(alignments(), ALIGNMENT_KEYS, SEEDS, "alignment tables")
    with pytest.raises(DataError, match=message):
        require_whole(alignments().query(keep), ALIGNMENT_KEYS, SEEDS, "alignment tables")
