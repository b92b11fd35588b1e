"""RDMs to look at: ranks in one byte, means over seeds and subjects, maps, pictures."""

import base64
import itertools

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata, spearmanr

from complete_studies import complete
from rulealign.config.load import load_study
from rulealign.data.sources import pictures_allowed
from rulealign.errors import DataError
from rulealign.plan.settings.report import FigureSettings, ShownRdmsSettings
from rulealign.report.shown import palette, read_shown, with_urls
from rulealign.rsa.embedding import aligned, embedding
from rulealign.rsa.shown import MISSING, MOST_STIMULI, chosen, codes, write_shown_rdms
from rulealign.store import open_h5, read_ids, write_h5
from shown_rdms import brain_files, images_file, make_shown, model_files

IDS = [f"s{at:03d}" for at in range(12)]


@pytest.fixture(scope="module")
def study(project):
    return load_study(complete(project / "workflow_config.yaml"))


@pytest.fixture
def files(study, tmp_path):
    rng = np.random.default_rng(3)
    models, brains = model_files(study, tmp_path, IDS, rng), brain_files(study, tmp_path, IDS, rng)
    return models, brains, images_file(tmp_path, IDS, rng)


def test_ranks_of_pairs_take_one_byte_and_missing_pairs_their_own():
    rdm = np.array([0.3, np.nan, 0.1, 0.3, 2.0, np.nan, -1.0])
    found = codes(rdm, "an RDM")
    there = ~np.isnan(rdm)
    expected = np.round(254 * (rankdata(rdm[there]) - 1) / 4)
    np.testing.assert_array_equal(found[there], expected)
    assert (found[~there] == MISSING).all()
    assert found.dtype == np.uint8
    with pytest.raises(DataError, match="an RDM is constant"):
        codes(np.ones(6), "an RDM")


def test_too_many_stimuli_are_drawn_by_the_seed():
    np.testing.assert_array_equal(chosen(MOST_STIMULI, 1), np.arange(MOST_STIMULI))
    one, again, other = chosen(300, 1), chosen(300, 1), chosen(300, 2)
    assert len(set(one)) == len(one) == MOST_STIMULI
    assert (np.diff(one) > 0).all()
    assert list(one) == list(again) != list(other)
    assert one.max() > 200  # not the first ones


def test_models_are_means_over_seeds_and_brains_over_subjects(study, files, tmp_path):
    write_shown_rdms(*files, tmp_path / "shown.h5", ShownRdmsSettings.of(study))
    view = study.report.view
    with open_h5(tmp_path / "shown.h5") as file:
        names = read_ids(file, "rdm")
        for name, layer, found in (
            ("bp/1", "conv2", f"conv2/{view.descriptor}/{view.centring}"),
            ("fa/10", "fc1", f"fc1/vector/{view.centring}"),
        ):
            rule, epoch = name.split("/")
            sums = 0
            for seed in (42, 123):
                with open_h5(tmp_path / f"{rule}_{seed}_{epoch}.h5") as model:
                    sums = sums + model[found][()]
            at = names.index(f"cnn3/{layer}/{name}")
            expected = np.round(254 * (rankdata(sums / 2) - 1) / 65)
            assert np.abs(file["codes"][at] - expected).max() <= 1  # a half is rounded to even
            assert file["counts"][at] == 2
        brain = np.mean([_rdm(tmp_path / f"IT_{subject}.h5") for subject in "123"], axis=0)
        at = names.index("IT")
        assert spearmanr(file["codes"][at], brain)[0] > 0.999
        assert file["counts"][at] == 3


def _rdm(path):
    with open_h5(path) as file:
        return file["rdm"][()]


def test_a_subset_keeps_the_pairs_of_its_stimuli(study, tmp_path):
    rng, ids = np.random.default_rng(4), [f"s{at:03d}" for at in range(120)]
    models, brains = model_files(study, tmp_path, ids, rng), brain_files(study, tmp_path, ids, rng)
    write_shown_rdms(models, brains, None, tmp_path / "s.h5", ShownRdmsSettings.of(study))
    mean = squareform(np.mean([_rdm(tmp_path / f"V1_{subject}.h5") for subject in "123"], axis=0))
    with open_h5(tmp_path / "s.h5") as file:
        kept = [ids.index(one) for one in read_ids(file, "stimulus")]
        assert file.attrs["n_stimuli"] == 120
        at = read_ids(file, "rdm").index("V1")
        own = squareform(mean[np.ix_(kept, kept)])
        assert spearmanr(file["codes"][at], own)[0] > 0.999
        assert "pictures" not in file


def test_a_map_of_ranks_on_a_line_is_that_line():
    # three stimuli whose ranks are 1, 2 and 3: distances 1/3, 2/3 and 1 lie on a line
    places = embedding(np.array([0.1, 5.0, 0.2]), 3, "three")
    np.testing.assert_allclose(pdist(places), [1 / 3, 1, 2 / 3], atol=1e-9)
    np.testing.assert_allclose(places[:, 1], 0, atol=1e-7)
    np.testing.assert_allclose(places.mean(axis=0), 0, atol=1e-7)


def test_a_map_finds_the_neighbours_of_a_plane():
    truth = np.random.default_rng(6).uniform(size=(40, 2))
    places = embedding(pdist(truth), 40, "a plane")
    assert spearmanr(pdist(places), pdist(truth))[0] > 0.98
    assert np.isnan(embedding(np.array([1.0, np.nan, 2.0]), 3, "with a gap")).all()


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turned_or_mirrored_map_is_turned_back(mirrored):
    target = np.random.default_rng(7).normal(size=(9, 2))
    target -= target.mean(axis=0)
    angle = 2.1
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn = turn * [1, -1] if mirrored else turn
    np.testing.assert_allclose(aligned(target @ turn, target), target, atol=1e-12)
    longer = aligned(3 * target @ turn, target)
    np.testing.assert_allclose(longer, 3 * target, atol=1e-12)  # distances stay


def test_files_of_other_stimuli_are_refused(study, files, tmp_path):
    models, brains, images = files
    other = [*IDS[:-1], "another"]
    keys = {"network": "cnn3", "rule": "bp", "seed": 42, "epoch": 0}
    write_h5(models[5], {"x": np.ones(3)}, ids={"stimulus": other}, settings={}, attributes=keys)
    with pytest.raises(DataError, match=r"different ids: at place 11 's011' and 'another'"):
        write_shown_rdms(models, brains, images, tmp_path / "s.h5", ShownRdmsSettings.of(study))


def test_pictures_are_means_of_blocks_of_the_first_image(study, files, tmp_path):
    models, brains, _ = files
    rng = np.random.default_rng(8)
    pixels = rng.integers(0, 256, (24, 64, 64, 3), dtype=np.uint8)
    ids = {"stimulus": IDS, "image": [f"i{at}" for at in range(24)]}
    arrays = {"images": pixels, "stimulus_of_image": np.repeat(np.arange(12), 2)}
    write_h5(tmp_path / "two.h5", arrays, ids=ids, settings={})
    out = tmp_path / "s.h5"
    write_shown_rdms(models, brains, tmp_path / "two.h5", out, ShownRdmsSettings.of(study))
    blocks = pixels[::2].reshape(12, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    with open_h5(out) as file:
        assert np.abs(file["pictures"][()] - blocks).max() <= 1


def test_pictures_of_rdms_have_the_colour_of_each_rank(study, tmp_path):
    shown = make_shown(study, tmp_path / "r", pictures=False)
    assert shown.pictures.empty
    assert shown.rules == list(study.rules)
    assert shown.first_rule == "bp"
    last = shown.last()
    trained = [rule for rule in study.rules if len(study.epochs(rule)) > 1]
    assert len(shown.rdms) - len(last.rdms) == 4 * len(trained) * 2
    row = with_urls(shown.rdms.iloc[:1], 30).iloc[0]
    kept = np.frombuffer(base64.b64decode(shown.rdms["codes"].iloc[0]), np.uint8)
    from io import BytesIO

    from PIL import Image

    image = Image.open(BytesIO(base64.b64decode(row["url"].partition(",")[2]))).convert("RGB")
    colours = np.array(palette())[squareform(kept)]
    np.testing.assert_array_equal(np.asarray(image), colours)
    assert palette()[0] == (0xF6, 0xF6, 0xF3)
    assert palette()[254] == (0x0B, 0x4F, 0x79)


def test_places_of_pictures_are_the_same_in_every_panel(study, tmp_path):
    shown = make_shown(study, tmp_path / "r")
    for _, own in shown.rdms.groupby(["layer", "roi"]):
        at = own[["shown", "column", "row"]].drop_duplicates()
        assert list(at["shown"]) == ["brain", *study.rules]
        order = list(itertools.product(range(3), range(3)))[: len(at)]
        assert list(zip(at["row"], at["column"], strict=True)) == order


@pytest.mark.parametrize(
    ("file", "section", "allowed"),
    [
        ("workflow_config.yaml", None, True),
        ("studies/cichy92_quick.yaml", None, True),
        ("studies/things.yaml", None, False),
        ("studies/cichy92_quick.yaml", {"kind": "folder", "source": "data/mine"}, False),
    ],
)
def test_pictures_are_shown_where_the_terms_of_the_images_allow_it(project, file, section, allowed):
    study = load_study(complete(project / file))
    label = study.report.stimuli
    if section:
        plain = {"background": "white", "as_shown": True, "convert": None}
        sections = study.model_dump(mode="json")
        sections["stimuli"] = {label: {**section, **plain}} | {
            other: one for other, one in sections["stimuli"].items() if other != label
        }
        study = load_study(sections)
    assert pictures_allowed(study, label) == allowed


def test_what_is_shown_has_the_same_bytes_whenever_it_is_made(study, files, tmp_path):
    for name in ("one.h5", "other.h5"):
        write_shown_rdms(*files, tmp_path / name, ShownRdmsSettings.of(study))
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "other.h5").read_bytes()
    read_shown(tmp_path / "one.h5", [], FigureSettings.of(study))
