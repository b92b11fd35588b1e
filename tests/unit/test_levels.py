"""What grows alike need not be alike: figures and tables show levels, not growth."""

import re

import numpy as np
import pandas as pd
import pytest

from rulealign.config.evaluation import LayerRoi, View
from rulealign.report.tabulate import by_epoch, last_checkpoints
from rulealign.report.trajectories import draw_trajectories

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
        {"rule": rule, "epoch": epoch, **VIEW, **PAIR, **kind, **counts, "score": start + more}
        for rule, start in START.items()
        for epoch, more in GROWTH.items()
    ]
    table = pd.DataFrame(rows)
    ends = {"low": -0.02, "high": 0.02, "seed_low": -0.01, "seed_high": 0.01}
    return table.assign(**{name: table["score"] + by for name, by in ends.items()})


def test_rules_of_equal_growth_are_drawn_and_tabulated_at_their_levels(alignment, tmp_path):
    held = {"roi": "V1", "lower": 0.3, "upper": 0.4, "informative": True, "null_upper_high": 0.1}
    ceilings = pd.DataFrame([{**held, "convention": "per_subject", "pairs": "all"}])
    figure = draw_trajectories(
        alignment,
        ceilings,
        layer_map=[LayerRoi(**PAIR)],
        view=View(size=32, **{key: value for key, value in VIEW.items() if key != "size"}),
        rules=list(START),
        output=tmp_path / "x.svg",
    )
    (ax,) = figure.axes
    drawn = {line.get_label(): np.asarray(line.get_ydata()) for line in ax.lines}
    np.testing.assert_allclose(drawn["bp"], [0.25, 0.26, 0.35])
    np.testing.assert_allclose(drawn["bp"] - drawn["fa"], 0.2)
    # the axis begins at or below 0, so that heights can be compared
    assert ax.get_ylim()[0] <= 0
    body = by_epoch(alignment, list(START), [LayerRoi(**PAIR)], "words").rows
    levels = {(rule, _value(epoch)): _value(cell) for rule, epoch, cell in body}
    known = {(rule, epoch): START[rule] + more for rule in START for epoch, more in GROWTH.items()}
    assert levels == pytest.approx(known)
    last = last_checkpoints(alignment, list(START), [LayerRoi(**PAIR)], "words").rows
    assert [_value(cell) for *_, cell in last] == pytest.approx([0.35, 0.15])


def _value(cell):
    return float(re.search(r'value="([^"]+)"', str(cell)).group(1))
