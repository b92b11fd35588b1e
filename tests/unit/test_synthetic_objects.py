"""Generated objects: deterministic, independent of size and count, learnable but not by colour."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import zoom
from scipy.stats import linregress

from rulealign.data.simulated.objects import (
    CLASSES,
    TEXTURES,
    draw_object,
    draw_pose,
    draw_style,
    make_objects,
    render,
)
from rulealign.data.simulated.voxels import draw_gabors, gabor_energy


@pytest.fixture(scope="module")
def objects():
    return make_objects(1500, 32, seed=7)


def ridge_accuracy(features, labels, train):
    """Classify the pictures after `train` by a ridge readout of those before."""
    scores = (features - features[:train].mean(0)) / features[:train].std(0)
    design = np.hstack([scores, np.ones((len(scores), 1))])
    gram = design[:train].T @ design[:train] + 100 * np.eye(design.shape[1])
    weights = np.linalg.solve(gram, design[:train].T @ np.eye(10)[labels[:train]])
    return ((design[train:] @ weights).argmax(1) == labels[train:]).mean()


def test_classes_take_turns():
    _, labels = make_objects(25, 16, seed=0)
    assert len(CLASSES) == 10
    assert labels.tolist() == [*range(10), *range(10), *range(5)]


def test_a_picture_depends_on_seed_and_place_alone(objects):
    images, _ = objects
    few, _ = make_objects(30, 32, seed=7)
    other, _ = make_objects(30, 32, seed=8)
    assert few.tobytes() == images[:30].tobytes()
    assert all((few[i] != other[i]).any() for i in range(30))
    assert len({image.tobytes() for image in images}) == len(images)


@pytest.mark.parametrize("class_index", range(10))
def test_the_scene_is_the_same_at_any_size(class_index):
    small, small_mask = draw_object(class_index, 32, np.random.default_rng(class_index))
    large, large_mask = draw_object(class_index, 96, np.random.default_rng(class_index))
    blocks = large.reshape(32, 3, 32, 3, 3).mean(axis=(1, 3))
    assert linregress(blocks.ravel(), small.ravel().astype(float)).rvalue > 0.9
    covered = zoom(small_mask.astype(float), 3, order=0) > 0.5
    assert (covered & large_mask).sum() / (covered | large_mask).sum() > 0.8


def test_the_mask_is_the_outline_whatever_the_paint():
    rng = np.random.default_rng(3)
    style, pose = draw_style(4, rng), draw_pose(rng)
    masks = []
    for texture in TEXTURES:
        painted = replace(style, texture=texture, colours=rng.random((2, 3)), tilt=rng.random())
        masks.append(render(painted, pose, 64, rng)[1])
    assert all((mask == masks[0]).all() for mask in masks)


def test_a_disc_covers_its_closed_form_area():
    rng = np.random.default_rng(1)
    style = replace(draw_style(0, rng), form=0.0, aspect=1.0)
    pose = replace(draw_pose(rng), centre=(0.0, 0.0), size=0.8)
    _, mask = render(style, pose, 256, rng)
    # radius .85 of a unit of .8 half-widths; the picture has 4 square half-widths
    assert mask.mean() == pytest.approx(np.pi * (0.85 * 0.8) ** 2 / 4, rel=0.01)


def test_the_background_falls_as_one_over_frequency():
    rng = np.random.default_rng(5)
    style, pose = draw_style(0, rng), replace(draw_pose(rng), contrast=0.0)
    power = np.zeros((64, 64))
    for _ in range(60):
        grey = render(style, pose, 64, rng)[0].mean(axis=2)
        power += np.abs(np.fft.fft2(grey - grey.mean())) ** 2
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(64, 1 / 64)] * 2))
    kept = (frequency >= 2) & (frequency <= 12)
    slope = linregress(np.log(frequency[kept]), np.log(power[kept])).slope
    assert slope == pytest.approx(-2, abs=0.25)  # power; amplitude falls as 1/f


def test_mean_colour_hardly_gives_the_class_away(objects):
    images, labels = objects
    colour = images.reshape(len(images), -1, 3).mean(axis=1)
    with_squares = np.hstack([colour, colour**2, colour * np.roll(colour, 1, axis=1)])
    assert ridge_accuracy(with_squares, labels, 1000) < 0.25


def test_a_linear_readout_of_gabor_energies_beats_chance_but_not_by_far(objects):
    images, labels = objects
    cells = draw_gabors(200, np.random.default_rng(0))
    energy = np.log(gabor_energy(images.mean(axis=3) / 255, cells) + 1e-3)
    assert 0.25 < ridge_accuracy(energy, labels, 1000) < 0.7


def test_textures_and_hues_overlap_between_classes():
    rng = np.random.default_rng(0)
    for class_index in range(10):
        seen = {draw_style(class_index, rng).texture for _ in range(200)}
        assert seen == set(TEXTURES)
