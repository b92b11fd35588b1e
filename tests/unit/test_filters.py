"""Filters of the first layer: kept as they are, and drawn."""

import statistics

import numpy as np
import pytest
import torch
from PIL import Image  # noqa: F401 - before torch's copy of libjpeg
from torch import nn

from rulealign.learning.filters import first_filters, write_filters
from rulealign.plan.settings.report import FigureSettings
from rulealign.report.filter_pictures import picture, read_filters
from rulealign.store import open_h5


def network(*layers):
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def test_the_filters_are_the_weights_of_the_first_layer():
    conv = nn.Conv2d(3, 5, (2, 4))
    found = first_filters(network(nn.BatchNorm2d(3), conv, nn.Conv2d(5, 3, 1)))
    assert found.layer == "1"
    for at, row, column, channel in np.ndindex(5, 2, 4, 3):
        expected = conv.weight[at, channel, row, column].item()
        assert found.weights[at, row, column, channel] == expected


@pytest.mark.parametrize("first", [nn.Linear(4, 3), nn.Conv2d(1, 4, 3), nn.Conv2d(4, 3, 3)])
def test_other_first_layers_have_no_filters_to_look_at(first, tmp_path):
    assert first_filters(network(first, nn.Conv2d(3, 2, 3))) is None
    write_filters(tmp_path / "f.h5", {0: None}, settings={}, attributes={"network": "n"})
    told = FigureSettings(rules=[], lines=[], layer_map=[], views=[])
    assert read_filters([tmp_path / "f.h5"], [0], told).empty


def test_filters_are_written_epoch_by_epoch_and_drawn_rule_by_rule(tmp_path):
    told = FigureSettings(rules=["a", "b"], lines=["a", "b"], layer_map=[], views=[])
    files = []
    for rule, epochs in (("b", (0, 4)), ("a", (0,))):
        seen = {epoch: first_filters(network(nn.Conv2d(3, 2, 3))) for epoch in epochs}
        files.append(tmp_path / f"{rule}.h5")
        about = {"network": "n", "rule": rule, "seed": 1}
        write_filters(files[-1], seen, settings={}, attributes=about)
        with open_h5(files[-1]) as file:
            for at, epoch in enumerate(epochs):
                np.testing.assert_array_equal(file["filters"][at], seen[epoch].weights)
    rows = read_filters(files, [0, 4], told)
    assert list(rows["shown"]) == ["a", "b", "b"]
    assert list(rows["still"]) == [True, False, False]
    assert list(rows["checkpoint"]) == [0, 0, 1]
    assert list(rows["column"]) == [0, 1, 1]
    assert rows["url"].nunique() == 3
    with open_h5(files[0]) as file:
        first, last = (one.ravel() for one in file["filters"][()])
    assert list(rows["kept"]) == [1, 1, round(statistics.correlation(first, last), 3)]


def test_a_filter_is_scaled_by_its_largest_weight_and_grey_is_zero():
    filters = np.zeros((9, 2, 2, 3))
    filters[0, 0, 0] = [-0.5, 0.25, 0.0]
    filters[8, 1, 1] = [0.0, 0.0, 7.0]
    sheet = picture(filters)
    assert sheet.shape == (5, 23, 3)  # two rows, eight across, a line between
    assert list(sheet[0, 0]) == [0, 191, 128]
    assert list(sheet[4, 1]) == [128, 128, 255]
    assert (sheet[2] == 255).all()
    assert (sheet[:2, 2] == 255).all()
    assert (sheet[3:5, 3:] == 255).all()  # no ninth filter's neighbour
