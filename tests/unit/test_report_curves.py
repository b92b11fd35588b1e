"""Specification curves on the page say what the CSV says."""

import re

import numpy as np
import pandas as pd

from rulealign.report.curves import HEAD, tabulate

ROW = {
    **{"claim": "drop", "stimuli": "grey", "size": 224, "baseline": "own"},
    **{"network": "cnn3", "initialisation": "default"},
    **{"primary": True, "null": "no difference", "universes": 12},
    **{"median": -2.51, "p": 0.012, "family": "conv1", "family_size": 3, "p_adjusted": 0.036},
    **{"verdict": "holds", "reason": None, "claimed_side": 0.75},
    **{"holds": 7, "reversed": 1, "unresolved": 4, "missing": 2},
}


def values(cell):
    return [float(one) for one in re.findall(r'value="([^"]+)"', str(cell))]


def test_the_table_is_the_csv():
    other = ROW | {"size": 32, "primary": False, "median": 0.4, "verdict": "unresolved"}
    lost = dict.fromkeys(("median", "p", "p_adjusted", "claimed_side"), np.nan)
    lost = other | lost | {"baseline": "untrained_bn", "universes": 0, "verdict": "missing"}
    table = tabulate(pd.DataFrame([ROW, other, lost | {"reason": "no such weights"}]), 0.95)
    assert "conv1: 3); that of a claim’s other" in table.caption
    assert "no alignment" not in table.caption
    cells = [dict(zip(HEAD, row, strict=True)) for row in table.rows]
    for cell, row in zip(cells[:2], (ROW, other), strict=True):
        names = ("median", "p", "p_adjusted", "universes", "claimed_side")
        for head, name in zip(HEAD[3:8], names, strict=True):
            assert values(cell[head]) == [row[name]]
        assert values(cell[HEAD[8]]) == [7, 1, 4]
    assert str(cells[0]["where"]) == "<strong>at 224 px, against its own epoch 0</strong>"
    assert str(cells[0]["verdict"]) == "<strong>holds</strong>"
    assert str(cells[1]["where"]) == "at 32 px, against its own epoch 0"
    assert "no such weights" in cells[2]["verdict"]


def test_a_level_says_what_it_is_held_against():
    table = tabulate(pd.DataFrame([ROW | {"null": "no alignment"}]), 0.9)
    assert "A level is held against no alignment" in table.caption
    assert "everywhere" in str(table.rows[0][1])
