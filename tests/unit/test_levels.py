"""What grows alike need not be alike: figures and tables show levels, not growth."""

import re

import numpy as np
import pandas as pd
import pytest

from rulealign.arm import Mapped
from rulealign.config.evaluation import View
from rulealign.plan.settings.report import FigureSettings
from rulealign.report import drawn, trajectories
from rulealign.report.style import COLOURS
from rulealign.report.tabulate import by_epoch, last_checkpoints
from scene import scene

PAIR = {"layer": "conv1", "roi": "V1"}
VIEW = {"stimuli": "grey", "size": 32, "descriptor": "grid-8", "centring": "uncentred"}
START = {"bp": 0.25, "fa": 0.05}
GROWTH = {0: 0.0, 1: 0.01, 5: 0.1}


@pytest.fixture
def alignment():
    """Two rules that grow by the same, one of them from a level .2 above the other's."""
    counts = {"n_seeds": 5, "n_stimuli": 30, "n_pairs": 435}
    kind = {"pairs": "all", "convention": "per_subject"}
    rows = [
        {
            "network": "cnn3",
            "rule": rule,
            "epoch": epoch,
            **VIEW,
            **PAIR,
            **kind,
            **counts,
            "score": start + more,
        }
        for rule, start in START.items()
        for epoch, more in GROWTH.items()
    ]
    table = pd.DataFrame(rows)
    ends = {"low": -0.02, "high": 0.02, "seed_low": -0.01, "seed_high": 0.01}
    return table.assign(**{name: table["score"] + by for name, by in ends.items()})


def test_rules_of_equal_growth_are_drawn_and_tabulated_at_their_levels(alignment):
    held = {"roi": "V1", "lower": 0.3, "upper": 0.4, "informative": True, "null_upper_high": 0.1}
    ceilings = pd.DataFrame([{**held, "convention": "per_subject", "pairs": "all"}])
    view = View(size=32, **{key: value for key, value in VIEW.items() if key != "size"})
    rules, pairs = list(START), [Mapped("cnn3", **PAIR)]
    told = FigureSettings(rules=rules, lines=rules, layer_map=pairs, views=[view])
    data = drawn.of_alignment({"alignment": alignment, "ceilings": ceilings}, told)
    [panel] = trajectories.panels(told, data)
    drawing = scene(panel.drawing, drawn.at_view(data, view))
    bp, fa = (
        sorted(drawing.y([item["y"] for item in drawing.of("symbol", COLOURS[rules.index(rule)])]))
        for rule in ("bp", "fa")
    )
    np.testing.assert_allclose(bp, [0.25, 0.26, 0.35], atol=1e-6)
    np.testing.assert_allclose(np.subtract(bp, fa), 0.2, atol=1e-6)
    # the axis begins at or below 0, so that heights can be compared
    assert drawing.y(210) <= 1e-9
    body = by_epoch(alignment, list(START), [Mapped("cnn3", **PAIR)], "words").rows
    levels = {(rule, _value(epoch)): _value(cell) for rule, epoch, cell in body}
    known = {(rule, epoch): START[rule] + more for rule in START for epoch, more in GROWTH.items()}
    assert levels == pytest.approx(known)
    last = last_checkpoints(alignment, list(START), [Mapped("cnn3", **PAIR)], "words").rows
    assert [_value(cell) for *_, cell in last] == pytest.approx([0.35, 0.15])


def _value(cell):
    return float(re.search(r'value="([^"]+)"', str(cell)).group(1))
