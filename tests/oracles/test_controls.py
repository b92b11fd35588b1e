"""Controls against plain loops, PIL, numpy's histograms, scipy's distances and known values."""

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

from rulealign.controls import REGISTRY, find_control
from rulealign.controls.control import Images, at_most, cells, luminance
from rulealign.data.images.stimulus_images import read_stimuli, write_stimuli
from rulealign.errors import DataError
from rulealign.plan.settings.scores import ControlRdmSettings
from rulealign.rsa.control_rdms import read_control_rdms, write_control_rdms
from rulealign.store import write_h5
from shown_stimuli import told, write_shown

CENTRINGS = ["uncentred", "centred"]


def images_of(pixels, stimulus=None, count=None, masks=None):
    """Put pixels into the form that controls take."""
    ids = [f"image_{place:02d}" for place in range(count or len(pixels))]
    stimulus = np.arange(len(pixels)) if stimulus is None else np.asarray(stimulus)
    return Images(ids, pixels, stimulus, None if masks is None else 255 * masks.astype(np.uint8))


def noise(count, size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def objects(count, size, background, seed=0):
    """Draw a rectangle of noise on a uniform background; give images and masks."""
    rng = np.random.default_rng(seed)
    pixels = np.full((count, size, size, 3), background, dtype=np.uint8)
    masks = np.zeros((count, size, size), dtype=bool)
    for image, mask in zip(pixels, masks, strict=True):
        top, left = rng.integers(0, size // 2, 2)
        high, wide = rng.integers(size // 8, size // 2, 2)
        mask[top : top + high, left : left + wide] = True
        image[mask] = rng.integers(0, 100, (mask.sum(), 3))
    return pixels, masks


def features(name, pixels, **others):
    return find_control(name).features(images_of(pixels, **others))


def test_pixels_are_the_images_or_means_over_their_cells():
    small, large = noise(3, 32), noise(3, 128)
    given = features("pixels", small).reshape(3, 3, 32, 32)
    assert np.allclose(given, np.moveaxis(small, -1, 1) / 255, atol=1e-12)
    blocks = large.reshape(3, 64, 2, 64, 2, 3).mean(axis=(2, 4)) / 255
    assert np.allclose(features("pixels", large).reshape(3, 3, 64, 64), np.moveaxis(blocks, -1, 1))


def test_cells_are_those_of_adaptive_average_pooling():
    torch = pytest.importorskip("torch")
    for side, k in ((30, 8), (224, 64), (9, 8), (64, 64), (5, 8)):
        maps = np.random.default_rng(side).normal(size=(2, side, side))
        pooled = torch.nn.functional.adaptive_avg_pool2d(torch.tensor(maps), min(k, side))
        assert np.allclose(cells(maps, k), pooled.numpy(), atol=1e-12)


def test_luminance_is_that_of_pil_to_its_rounding():
    pixels = noise(4, 16)
    for image, mean in zip(pixels, features("mean-luminance", pixels), strict=True):
        grey = np.asarray(Image.fromarray(image).convert("L"), dtype=float)
        assert np.abs(255 * luminance(image / 255) - grey).max() < 1
        assert 255 * mean.item() == pytest.approx(grey.mean(), abs=0.6)


def test_contrast_of_a_checkerboard_is_half_the_difference_of_its_greys():
    board = np.indices((16, 16)).sum(axis=0) % 2
    pixels = np.stack([np.where(board, 200, 100), np.where(board, 30, 230), np.full_like(board, 9)])
    pixels = np.repeat(pixels[..., np.newaxis], 3, axis=-1).astype(np.uint8)
    given = features("contrast", pixels).ravel()
    assert given == pytest.approx([50 / 255, 100 / 255, 0], abs=1e-12)


def test_mean_rgb_is_the_mean_of_each_channel():
    pixels = noise(3, 20)
    for image, given in zip(pixels, features("mean-rgb", pixels), strict=True):
        loop = [
            sum(int(v) for v in image[..., channel].ravel()) / 400 / 255 for channel in range(3)
        ]
        assert given == pytest.approx(loop, abs=1e-12)


def test_the_colour_histogram_is_numpys():
    pixels = noise(3, 20)
    pixels[0, :5] = 255
    pixels[1, :5] = (63, 64, 128)
    for image, given in zip(pixels, features("colour-histogram", pixels), strict=True):
        counts, _ = np.histogramdd(image.reshape(-1, 3), bins=4, range=[(0, 256)] * 3)
        assert np.allclose(given, counts.ravel() / 400, atol=1e-15)


def silhouettes(folder, pixels, size=None):
    """Prepare pictures as a stimulus set; give the silhouettes that are kept, 0 to 1."""
    ids = [f"image_{place:02d}" for place in range(len(pixels))]
    with h5py.File(write_shown(folder / "s.h5", pixels, ids, size)) as file:
        return file["silhouettes"][()] / 255


@pytest.mark.parametrize("background", [128, 255])
def test_the_silhouette_is_the_planted_mask(background, tmp_path):
    pixels, masks = objects(6, 48, background)
    cut = silhouettes(tmp_path, pixels)
    assert np.array_equal(cut, masks)
    assert np.array_equal(features("silhouette", pixels, masks=cut), masks.reshape(6, -1))


def test_traces_of_jpeg_on_the_background_are_no_object_but_a_clear_difference_is(tmp_path):
    pixels, masks = objects(6, 48, 240)
    traces = np.random.default_rng(1).integers(-5, 6, pixels.shape)
    blurred = np.where(masks[..., np.newaxis], pixels, pixels + traces).astype(np.uint8)
    blurred[0, 40, 40], blurred[1, 40, 40] = (240, 229, 240), (240, 230, 240)
    masks[0, 40, 40] = True
    assert np.array_equal(silhouettes(tmp_path, blurred), masks)


def test_silhouettes_are_cut_before_pictures_are_made_smaller(tmp_path):
    # in blocks of 5 x 5 pixels a resized mask has the share that the object covers, as Pillow's
    # reduce, a plain mean, has; cut afterwards, every block that it touches would be whole
    pixels, masks = objects(4, 160, 255)
    cut = silhouettes(tmp_path, pixels, 32)
    for mask, small in zip(masks, cut, strict=True):
        whole = Image.fromarray(255 * mask.astype(np.uint8))
        shares = np.asarray(whole.resize((32, 32), Image.Resampling.BILINEAR)) / 255
        assert np.array_equal(small, shares)
        assert small.mean() == pytest.approx(mask.mean(), abs=0.005)


def test_objects_on_another_grey_keep_their_pixels_and_their_silhouettes(tmp_path):
    pixels, masks = objects(5, 40, 128)
    pixels[0][masks[0]] = (120, 130, 128)  # a grey object: all of it counts as background
    inner = np.argwhere(masks[1])[len(np.argwhere(masks[1])) // 2]
    pixels[1][tuple(inner)] = 128  # enclosed by the object, stays
    masks[0], ids = False, [f"image_{place:02d}" for place in range(5)]
    write_shown(tmp_path / "s.h5", pixels, ids)
    settings = told("folder", background="grey 96", level=96)
    write_stimuli(settings, 40, tmp_path / "s", tmp_path / "cut.h5", {})
    with h5py.File(tmp_path / "cut.h5") as cut, h5py.File(tmp_path / "s.h5") as plain:
        assert np.array_equal(cut["images"][()][masks], pixels[masks])
        assert (cut["images"][()][~masks] == 96).all()
        assert np.array_equal(cut["silhouettes"][()], plain["silhouettes"][()])
        assert cut.attrs["background"] == "grey 96"
    noise_only = noise(3, 16)
    write_shown(tmp_path / "n.h5", noise_only, ids[:3])
    with pytest.raises(DataError, match="3 of 3 images have no uniform background"):
        write_stimuli(settings, 40, tmp_path / "n", tmp_path / "none.h5", {})


def test_of_large_images_the_silhouette_is_the_covered_share_of_cells():
    pixels, masks = objects(4, 128, 255)
    shares = masks.reshape(4, 64, 2, 64, 2).mean(axis=(2, 4))
    assert np.array_equal(features("silhouette", pixels, masks=masks).reshape(4, 64, 64), shares)


@pytest.mark.parametrize("name", list(REGISTRY))
def test_features_of_a_concept_are_the_mean_of_its_images(name):
    pixels, places = noise(7, 16), [2, 0, 2, 1, 0, 2, 0]
    masks = pixels[..., 0] > 90
    alone = features(name, pixels, masks=masks)
    given = features(name, pixels, stimulus=places, count=3, masks=masks)
    for concept in range(3):
        own = [alone[place] for place in range(7) if places[place] == concept]
        assert np.allclose(given[concept], sum(own) / len(own), atol=1e-12)


@pytest.mark.parametrize("name", list(REGISTRY))
def test_features_do_not_depend_on_how_many_images_are_held_at_a_time(name, monkeypatch):
    pixels, masks = objects(9, 32, 255)
    together = features(name, pixels, masks=masks)
    monkeypatch.setattr("rulealign.controls.control._PIXELS_AT_A_TIME", 2 * 32 * 32)
    assert np.allclose(features(name, pixels, masks=masks), together, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("pixels", "correlation"),
        ("silhouette", "correlation"),
        ("colour-histogram", "correlation"),
        ("gabor-pooled", "correlation"),
        ("gabor-grid", "correlation"),
        ("mean-rgb", "euclidean"),
        ("mean-luminance", "cityblock"),
        ("contrast", "cityblock"),
    ],
)
def test_rdms_in_the_file_are_scipys_distances_under_both_centrings(name, metric, tmp_path):
    pixels, masks = objects(8, 32, 255)
    ids = [f"image_{place:02d}" for place in range(8)]
    write_shown(tmp_path / "s.h5", pixels, ids)
    wanted = ControlRdmSettings(controls=[name], centring=CENTRINGS)
    write_control_rdms(tmp_path / "s.h5", tmp_path / "c.h5", wanted, stimuli="white")
    given = read_control_rdms([tmp_path / "c.h5"], "white", 32)
    assert given.ids == ids
    values = features(name, pixels, masks=masks)
    for how in CENTRINGS:
        centred = values - values.mean(axis=0) if how == "centred" else values
        assert np.allclose(given.rdm(name, how), pdist(centred, metric), atol=1e-6)


def test_the_file_is_named_like_those_of_networks(tmp_path):
    pixels, _ = objects(4, 16, 255)
    names = [f"image_{place}" for place in range(4)]
    write_h5(
        tmp_path / "s.h5",
        {"images": pixels},
        ids={"stimulus": names},
        settings={},
        attributes={"size": 16},
    )
    wanted = ControlRdmSettings(controls=["pixels", "contrast"], centring=CENTRINGS)
    write_control_rdms(tmp_path / "s.h5", tmp_path / "c.h5", wanted, stimuli="white")
    with h5py.File(tmp_path / "c.h5") as file:
        assert file["pixels/image/centred"].dtype == np.float32
        keys = ("kind", "rule", "seed", "epoch", "stimuli", "size")
        assert [file.attrs[key] for key in keys] == ["control", "control", 0, 0, "white", 16]


@pytest.fixture(scope="session")
def scores_of_92(mirror, tmp_path_factory):
    """Give a function: stimuli -> (control, ROI, centring) -> mean rho with 15 subjects, 224 px."""
    folder, data = tmp_path_factory.mktemp("controls"), mirror / "cichy92"
    sources = {
        "white": (told("folder"), data / "92images"),
        "grey": (
            told("mat", key="stimuli_92objs", ids="image_{:02d}"),
            data / "Kriegeskorte_Neuron2008_supplementalData.mat",
        ),
    }
    upper = np.triu_indices(92, 1)
    brains = {
        roi: [one[upper] for one in np.load(data / f"fmri_{roi}_RDMs.npz")["Net_RDM"]]
        for roi in ("EVC", "IT")
    }

    def scores(stimuli):
        settings, source = sources[stimuli]
        write_stimuli(settings, 224, source, folder / f"{stimuli}.h5", {})
        wanted = ControlRdmSettings(controls=list(REGISTRY), centring=CENTRINGS)
        output = folder / f"{stimuli}_rdms.h5"
        write_control_rdms(folder / f"{stimuli}.h5", output, wanted, stimuli=stimuli)
        rdms = read_control_rdms([output], stimuli, 224).rdms
        return {
            (name, roi, how): np.mean([spearmanr(rdm, brain).statistic for brain in brains[roi]])
            for (name, how), rdm in rdms.items()
            for roi in brains
        }

    return scores


@pytest.mark.mirror
def test_on_white_the_92_objects_give_the_known_low_level_scores(scores_of_92):
    white = scores_of_92("white")
    print({key: round(value, 4) for key, value in white.items()})
    known = {"pixels": 0.18, "gabor-grid": 0.18, "silhouette": 0.21, "mean-luminance": 0.02}
    for name, value in known.items():
        assert white[name, "EVC", "uncentred"] == pytest.approx(value, abs=0.01), name


@pytest.mark.slow
@pytest.mark.mirror
def test_a_silhouette_hardly_depends_on_the_background_and_pixels_do(scores_of_92):
    # the same objects: on grey, where most are darker or lighter, pixels lose what white gives them
    white, grey = scores_of_92("white"), scores_of_92("grey")
    print({key: round(value, 4) for key, value in grey.items()})
    key = ("EVC", "uncentred")
    assert abs(grey["silhouette", *key] - white["silhouette", *key]) < 0.015
    assert white["pixels", *key] - grey["pixels", *key] > 0.1


@pytest.mark.mirror
def test_detail_finer_than_64_px_hardly_changes_the_rdm_of_pixels(mirror, tmp_path):
    images = mirror / "cichy92" / "92images"
    write_stimuli(told("folder"), 224, images, tmp_path / "white.h5", {})
    with h5py.File(tmp_path / "white.h5") as file:
        maps = np.moveaxis(file["images"][()], -1, 1) / 255
    upper = np.triu_indices(92, 1)
    every, fewer = (np.corrcoef(part.reshape(92, -1))[upper] for part in (maps, at_most(maps)))
    assert spearmanr(every, fewer).statistic > 0.995


@pytest.mark.mirror
@pytest.mark.parametrize("size", [32, 64])
def test_every_one_of_the_92_objects_on_grey_has_its_silhouette_at_small_sizes(
    mirror, tmp_path, size
):
    # image_92 fills its picture: once that is resized, 9% of its border is still background
    source = mirror / "cichy92" / "Kriegeskorte_Neuron2008_supplementalData.mat"
    mat = told("mat", key="stimuli_92objs", ids="image_{:02d}")
    own = np.stack([np.asarray(image) for _, image in read_stimuli(mat, source, {})])
    write_stimuli(mat, size, source, tmp_path / "grey.h5", {})
    with h5py.File(tmp_path / "grey.h5") as file:
        covered = file["silhouettes"][()].mean(axis=(1, 2)) / 255
    differ = np.abs(own.astype(int) - 128).max(axis=-1) > 10
    assert covered == pytest.approx(differ.mean(axis=(1, 2)), abs=0.008)
    assert covered.max() < 0.98
