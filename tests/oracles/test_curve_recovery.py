"""Specification curves in simulated data sets of a known truth: the whole way, a few data sets."""

from dataclasses import replace

import pandas as pd

from validation.curves import curve_lines, specification_curves
from validation.world import Setting

SMALL = Setting(stimuli=40, subjects=3, voxels=40, cells=40, units=30, noise=0.5, network_noise=1.0)
SMALL = replace(SMALL, draws=100)


def test_what_was_planted_is_found_and_what_was_not_is_not(tmp_path):
    rows = pd.DataFrame([specification_curves(SMALL, number, tmp_path) for number in range(3)])
    again = specification_curves(SMALL, 1, tmp_path)
    assert again == rows.loc[1].to_dict()
    medians = rows.median()
    assert medians["p curve alignment"] < 0.05 < medians["p curve no alignment"]
    assert medians["p curve difference"] < medians["p curve no difference"]


def test_lines_judge_uniformity_and_power():
    even = [(n + 0.5) / 100 for n in range(100)]
    rows = pd.DataFrame({"p curve no difference": even, "p curve no alignment": even})
    rows = rows.assign(
        **{"p curve difference": 0.01, "p curve alignment": [0.01] * 79 + [0.9] * 21}
    )
    rows["verdict any universe"] = [1.0] * 20 + [0.0] * 80
    lines = curve_lines(rows)
    assert [line.verdict for line in lines] == ["met", "met", "met", "missed", ""]
    assert "20.0%" in lines[-1].seen
    small = curve_lines(rows.assign(**{"p curve no difference": [p**2 for p in even]}))
    assert small[0].verdict == "too often small"
