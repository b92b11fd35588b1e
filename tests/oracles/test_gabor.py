"""Gabor energy against closed forms, gratings of known direction, and filters written out."""

import numpy as np
import pytest

from rulealign.controls.gabor import WIDTH, energy, filters

PX = 64


def grating(wave, degrees, phase=0.0, amplitude=0.3, size=PX):
    """Draw a plane wave of luminance: `wave` cycles per image, moving on towards `degrees`."""
    down, across = np.indices((size, size)) / size
    angle = np.deg2rad(degrees)
    along = across * np.cos(angle) + down * np.sin(angle)
    grey = 0.5 + amplitude * np.cos(2 * np.pi * wave * along + phase)
    return np.repeat(grey[np.newaxis, ..., np.newaxis], 3, axis=-1)


def middle(pixels, k=8):
    """Give the energy of the four cells in the middle, far from the mirrored edges."""
    values = energy(pixels, k)[0]
    return values[:, k // 2 - 1 : k // 2 + 1, k // 2 - 1 : k // 2 + 1]


def test_there_are_eight_orientations_at_each_frequency_that_the_pixels_allow():
    for side, waves in ((8, [2]), (32, [2, 4, 8]), (64, [2, 4, 8, 16]), (63, [2, 4, 8])):
        found = filters(side)
        assert sorted({wave for wave, _ in found}) == waves
        assert sorted({angle for _, angle in found}) == [22.5 * place for place in range(8)]
        assert len(found) == 8 * len(waves)
    assert energy(grating(8, 0, size=224), 8).shape == (1, 32, 8, 8)
    assert energy(grating(2, 0, size=8), 8).shape == (1, 8, 8, 8)


@pytest.mark.parametrize("wave", [4, 8, 16])
@pytest.mark.parametrize("degrees", [0, 22.5, 67.5, 90, 135])
def test_a_grating_excites_the_filter_of_its_own_direction_and_frequency_most(wave, degrees):
    found = middle(grating(wave, degrees)).mean(axis=(1, 2))
    assert filters(PX)[int(np.argmax(found))] == (wave, degrees)
    own = filters(PX).index((wave, degrees))
    turned = filters(PX).index((wave, (degrees + 90) % 180))
    assert found[own] > 50 * found[turned]


@pytest.mark.parametrize("wave", [8, 16])
def test_a_plane_wave_has_the_energy_of_the_closed_form_in_every_filter(wave):
    degrees, amplitude = 30.0, 0.3
    found = middle(grating(wave, degrees, amplitude=amplitude))
    here = wave * np.exp(1j * np.deg2rad(degrees))
    for (frequency, angle), cells in zip(filters(PX), found, strict=True):
        if frequency >= 8:  # those whose filters do not reach the edges from here
            # a wave is two, one moving on towards either side; each passes by its distance
            peak = frequency * np.exp(1j * np.deg2rad(angle))
            away = np.abs([here - peak, -here - peak])
            passed = np.exp(-(away**2) / (2 * (WIDTH * frequency) ** 2))
            assert cells == pytest.approx(amplitude * np.hypot(*passed), abs=2e-3 * amplitude)


def test_a_filter_falls_to_half_one_octave_apart():
    def gain(wave):
        return middle(grating(wave, 0.0))[filters(PX).index((8, 0.0))].mean()

    low, high = 8 * 2 / 3, 8 * 4 / 3
    assert high / low == 2
    assert gain(low) / gain(8) == pytest.approx(0.5, abs=0.01)
    assert gain(high) / gain(8) == pytest.approx(0.5, abs=0.01)


def test_energy_is_blind_to_phase_and_polarity():
    own = filters(PX).index((8, 45.0))
    found = [middle(grating(8, 45.0, phase=phase))[own] for phase in np.linspace(0, 2 * np.pi, 7)]
    assert np.ptp(found, axis=0).max() < 1e-3 * np.mean(found)


def test_energy_is_that_of_even_and_odd_filters_written_out():
    # a pair of Gabor filters laid on the image point by point, without any Fourier transform
    pixels = np.random.default_rng(4).random((1, PX, PX, 3))
    grey = pixels[0] @ [0.299, 0.587, 0.114]
    found = energy(pixels, PX)[0]
    down, across = np.indices((PX, PX))
    for wave, degrees in ((8, 22.5), (16, 135.0), (8, 90.0)):
        own, angle = filters(PX).index((wave, degrees)), np.deg2rad(degrees)
        spread = PX / (2 * np.pi * WIDTH * wave)
        for row, column in ((31, 32), (36, 30)):
            y, x = row - down, column - across
            envelope = np.exp(-(x**2 + y**2) / (2 * spread**2)) / (np.pi * spread**2)
            phase = 2 * np.pi * wave * (x * np.cos(angle) + y * np.sin(angle)) / PX
            even = (envelope * np.cos(phase) * (grey - grey.mean())).sum()
            odd = (envelope * np.sin(phase) * (grey - grey.mean())).sum()
            assert found[own, row, column] == pytest.approx(np.hypot(even, odd), rel=2e-3)


def test_pooled_energy_is_the_mean_square_over_the_cells_of_a_grid():
    pixels = np.random.default_rng(5).random((2, PX, PX, 3))
    grid, pooled = energy(pixels, 8), energy(pixels, 1)
    assert np.allclose(pooled[..., 0, 0] ** 2, (grid**2).mean(axis=(2, 3)), rtol=1e-12)


def test_a_uniform_image_has_no_energy_at_its_edges():
    assert energy(np.full((1, PX, PX, 3), 0.8), 8).max() < 1e-12


def test_energy_stays_where_the_pattern_is():
    pixels = np.full((1, PX, PX, 3), 0.5)
    pixels[:, :16, 48:] = grating(16, 0.0)[:, :16, 48:]
    found = energy(pixels, 8)[0, filters(PX).index((16, 0.0))]
    assert found[:2, 6:].mean() > 100 * found[4:, :4].mean()
