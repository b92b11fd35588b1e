"""Scores of controls against scipy, and against those of networks with the same RDMs."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from scipy.stats import spearmanr

import score_settings
from rulealign.arm import Arm
from rulealign.plan.settings.scores import ControlRdmSettings, ScoreSettings
from rulealign.rsa.alignment import align
from rulealign.rsa.control_alignment import CONTROL_COLUMNS, align_controls, controls_table
from rulealign.rsa.control_rdms import read_control_rdms, write_control_rdms
from rulealign.rsa.model_rdms import MODEL_KEYS
from rulealign.store import read_csv, write_h5
from shown_stimuli import write_shown

N = 14
IDS = [f"image_{place:02d}" for place in range(N)]
CENTRINGS = ["centred", "uncentred"]
CONTROLS = ["silhouette", "pixels", "mean-luminance"]
WANTED = ControlRdmSettings(controls=CONTROLS, centring=CENTRINGS)
SCORES = ScoreSettings(study_seed=5, bootstrap_draws=40, interval=0.9, pairs="all")


def stimuli_file(path, kind, size, ids=IDS):
    """Write images: objects on white, or scenes, which have no silhouette."""
    rng = np.random.default_rng(size)
    pixels = rng.integers(0, 256, (len(ids), size, size, 3), dtype=np.uint8)
    if kind == "objects":
        inside = np.zeros((len(ids), size, size), dtype=bool)
        for mask in inside:
            top, left = rng.integers(1, size // 2, 2)
            mask[top : top + size // 3, left : left + size // 4] = True
        pixels[~inside] = 255
    return write_shown(path, pixels, ids)


def brain_files(folder, roi):
    for subject in range(3):
        path = folder / f"sub-{subject}_roi-{roi}_rdm.h5"
        rdm = np.random.default_rng([len(roi), subject]).random(N * (N - 1) // 2)
        about = {"subject": subject, "roi": roi, "distance": "1 - Pearson"}
        about |= {"acquisition": "3T", "repetitions": 2}
        write_h5(path, {"rdm": rdm}, ids={"stimulus": IDS}, settings={}, attributes=about)
        yield path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Give the folder, the files of RDMs, of brains, and of scores of two ROIs."""
    folder = tmp_path_factory.mktemp("controls")
    rdms = []
    for kind, size in (("objects", 16), ("objects", 32), ("scenes", 16), ("scenes", 32)):
        shown = stimuli_file(folder / f"{kind}_{size}.h5", kind, size)
        rdms.append(folder / f"controls_stim-{kind}_px-{size}.h5")
        write_control_rdms(shown, rdms[-1], WANTED, stimuli=kind)
    brains = {roi: list(brain_files(folder, roi)) for roi in ("V1", "LOC")}
    for roi, files in brains.items():
        output = folder / f"controls_roi-{roi}.csv", folder / f"controls_roi-{roi}_draws.h5"
        align_controls(rdms, files, roi, SCORES, *output)
    return folder, rdms, brains


def test_scores_are_scipys_with_every_subject_and_with_their_mean(made):
    folder, rdms, brains = made
    table = read_csv(folder / "controls_roi-V1.csv")
    assert list(table.columns) == list(CONTROL_COLUMNS)
    assert table.equals(table.sort_values([*MODEL_KEYS, "convention"], kind="stable"))
    theirs = []
    for path in brains["V1"]:
        with h5py.File(path) as file:
            theirs.append(file["rdm"][()])
    scored = table[table["score"].notna()]
    # objects have all three controls, scenes two; sizes, centrings and conventions: two of each
    assert len(scored) == (3 + 2) * 2 * 2 * 2
    for row in scored.itertuples():
        own = read_control_rdms(rdms, row.stimuli, row.size).rdm(row.layer, row.centring)
        own = np.round(own / own.max(), 6)  # kept in single precision: what it rounds is tied
        expected = {
            "per_subject": np.mean([spearmanr(own, one).statistic for one in theirs]),
            "mean_rdm": spearmanr(own, np.mean(theirs, axis=0)).statistic,
        }[row.convention]
        assert row.score == pytest.approx(expected, abs=1e-9)
        assert (row.rule, row.seed, row.epoch, row.descriptor) == ("control", 0, 0, "image")


@pytest.mark.parametrize("pairs", ["all", "cross_run"])
def test_a_control_is_scored_and_drawn_to_the_bit_like_a_layer_with_its_rdm(made, pairs, tmp_path):
    _, rdms, brains = made
    write_pairs(tmp_path / "pairs.h5", np.random.default_rng(2).random(N * (N - 1) // 2) < 0.7)
    scores, where = replace(SCORES, pairs=pairs), tmp_path / "pairs.h5"
    align_controls(rdms, brains["V1"], "V1", scores, tmp_path / "c.csv", tmp_path / "c.h5", where)
    models = []
    for size in (16, 32):  # the same RDMs, in the files of a network
        own = read_control_rdms(rdms, "objects", size)
        arrays = {f"{name}/image/{how}": rdm for (name, how), rdm in own.rdms.items()}
        keys = {
            "network": "cnn3",
            "rule": "bp",
            "seed": 0,
            "epoch": 0,
            "stimuli": "objects",
            "size": size,
        }
        models.append(tmp_path / f"{size}.h5")
        write_h5(models[-1], arrays, ids={"stimulus": IDS}, settings={}, attributes=keys)
    outputs = tmp_path / "bp.csv", tmp_path / "bp.h5"
    align(
        models,
        brains["V1"],
        Arm("cnn3", "bp"),
        "V1",
        score_settings.alignment(scores),
        *outputs,
        where,
    )
    layers, controls = read_csv(tmp_path / "bp.csv"), read_csv(tmp_path / "c.csv")
    with h5py.File(tmp_path / "bp.h5") as file:
        expected = {
            name.decode().removeprefix("cnn3_bp_"): file["draws"][:, i]
            for i, name in enumerate(file["ids/row"])
        }
    with h5py.File(tmp_path / "c.h5") as file:
        named = [name.decode() for name in file["ids/row"]]
        found = {
            name.removeprefix("control_control_"): file["draws"][:, i]
            for i, name in enumerate(named)
        }
    assert len(expected) == len(layers) == 24
    for name, draws in expected.items():
        assert np.array_equal(found[name], draws), name
    keys = ["stimuli", "size", "layer", "centring", "convention"]
    both = layers.merge(controls, on=keys, validate="one_to_one", suffixes=("", "_control"))
    assert len(both) == 24
    for column in ("score", "low", "high", "n_pairs", "n_stimuli", "n_subjects", "pairs"):
        assert (both[column] == both[f"{column}_control"]).all(), column


def test_a_control_that_stimuli_lack_has_rows_with_the_reason_and_no_number(made):
    folder, *_ = made
    for roi in ("V1", "LOC"):
        table = read_csv(folder / f"controls_roi-{roi}.csv")
        without = table[table["score"].isna()]
        assert set(without["layer"]) == {"silhouette"}
        assert set(without["stimuli"]) == {"scenes"}
        assert len(without) == 2 * 2 * 2
        assert without["reason"].str.contains("14 of 14 images have no uniform background").all()
        assert without[["low", "high"]].isna().all().all()
        assert table.loc[table["score"].notna(), "reason"].isna().all()


def test_the_table_holds_every_row_of_every_roi_once(made, tmp_path):
    folder, *_ = made
    tables = [folder / f"controls_roi-{roi}.csv" for roi in ("V1", "LOC")]
    draws = [path.with_name(f"{path.stem}_draws.h5") for path in tables]
    controls_table(tables, draws, CONTROLS, SCORES, tmp_path / "controls.csv")
    table = read_csv(tmp_path / "controls.csv")
    assert len(table) == sum(len(read_csv(path)) for path in tables) == 2 * 3 * 2 * 2 * 2 * 2
    for row in read_csv(tables[1]).itertuples():
        found = table[
            (table["control"] == row.layer)
            & (table["roi"] == "LOC")
            & (table["stimuli"] == row.stimuli)
            & (table["size"] == row.size)
            & (table["centring"] == row.centring)
            & (table["convention"] == row.convention)
        ]
        assert len(found) == 1
        assert found["score"].item() == pytest.approx(row.score, nan_ok=True)


def test_controls_of_masked_pairs_are_scipys_over_those_pairs(made, tmp_path):
    _, rdms, brains = made
    mask = np.random.default_rng(2).random(N * (N - 1) // 2) < 0.7
    write_pairs(tmp_path / "pairs.h5", mask)
    scores = replace(SCORES, pairs="cross_run")
    output = tmp_path / "c.csv", tmp_path / "c.h5"
    align_controls(rdms, brains["V1"], "V1", scores, *output, tmp_path / "pairs.h5")
    table = read_csv(tmp_path / "c.csv")
    assert set(table["n_pairs"]) == {mask.sum()}
    own = read_control_rdms(rdms, "scenes", 16).rdm("pixels", "centred")
    with h5py.File(brains["V1"][0]) as one, h5py.File(brains["V1"][1]) as two:
        theirs = [one["rdm"][()], two["rdm"][()]]
    with h5py.File(brains["V1"][2]) as three:
        theirs.append(three["rdm"][()])
    expected = np.mean([spearmanr(own[mask], brain[mask]).statistic for brain in theirs])
    wanted = "stimuli == 'scenes' and size == 16 and layer == 'pixels' and centring == 'centred'"
    row = table.query(f"{wanted} and convention == 'per_subject'")
    assert row["score"].item() == pytest.approx(expected, abs=1e-9)


def write_pairs(path, mask):
    """Write pairs of stimuli as `brain/pairs.h5` has them."""
    write_h5(path, {"cross_run": mask}, ids={"stimulus": IDS}, settings={})


def test_neither_memory_nor_threads_change_a_byte(made, tmp_path):
    folder, rdms, brains = made
    output = tmp_path / "controls_roi-V1.csv", tmp_path / "controls_roi-V1_draws.h5"
    how = {"work_mb": 1e-3, "threads": 2}
    align_controls(rdms, brains["V1"], "V1", SCORES, *output, **how)
    for path in output:
        assert path.read_bytes() == (folder / path.name).read_bytes()
