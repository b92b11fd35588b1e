"""The figure and the tables of alignment over time show what is in the table, and no more."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from helpers import timed_files as made
from helpers.scene import scene
from rulealign.arm import Arm
from rulealign.config.evaluation import View
from rulealign.plan.settings.report import FigureSettings
from rulealign.report import over_time

VIEW = View(stimuli="grey", size=32, descriptor="grid-2", centring="centred")
TOLD = FigureSettings(rules=["bp", "fa", "pc"], lines=["fa", "bp"], layer_map=[], views=[VIEW])


@pytest.fixture(scope="module")
def rows():
    rdms, found = made.layer_rdms(1), []
    for place, rule in enumerate(TOLD.rules):
        rng = np.random.default_rng(place)
        subjects = [made.peaking(rdms, [60, 80, 100, 140, 180], rng, 0.3) for _ in range(4)]
        found.append(made.rows_of(rdms, subjects).assign(rule=rule, roi="MEG", n_subjects=4))
    white = found[0].assign(stimuli="white", value=-0.5)
    return pd.concat([*found, white], ignore_index=True).assign(reason="")


def test_a_panel_draws_every_layer_of_its_rule_at_its_scores(rows):
    data = over_time.data(rows, TOLD)
    panels = over_time.panels(TOLD, data["over_time"])
    assert [one.name for one in panels] == ["MEG-fa", "MEG-bp"]  # as lines are ordered; pc is none
    drawn = scene(panels[1].drawing, data, **VIEW.model_dump())
    points = drawn.of("symbol")
    own = rows[(rows["rule"] == "bp") & (rows["statistic"] == "score")]
    own = own[own["stimuli"] == "grey"]
    assert len(points) == len(own) == len(made.DEPTHS) * len(made.TIMES)
    heights = sorted(drawn.y(point["y"]) for point in points)
    np.testing.assert_allclose(heights, sorted(own["value"]), atol=2e-3)
    assert set(made.DEPTHS) <= set(drawn.texts)


def test_tables_have_peaks_and_orders_with_their_numbers(rows):
    study = SimpleNamespace(arms=[Arm("cnn3", rule) for rule in TOLD.rules], networks={"cnn3": {}})
    peaks, orders = over_time.tables(study, {"over_time": rows}, VIEW)
    assert [row[:2] for row in peaks.rows[:5]] == [["bp", layer] for layer in sorted(made.DEPTHS)]
    own = rows[(rows["rule"] == "bp") & (rows["stimuli"] == "grey")].set_index("layer")
    conv1 = own[own["statistic"] == "peak"].loc["conv1", "value"]
    assert f'value="{conv1}"' in peaks.rows[0][2]
    assert [row[0] for row in orders.rows] == TOLD.rules
    value, p = own[own["statistic"] == "rank_correlation"][["value", "p"]].iloc[0]
    assert f'value="{value!r}"' in orders.rows[0][1]
    assert f'; p <data value="{p!r}"' in orders.rows[0][1]


def test_a_missing_order_says_why(rows):
    study = SimpleNamespace(arms=[Arm("cnn3", "bp")], networks={"cnn3": {}})
    few = rows.assign(value=np.nan, reason="3 layers; a rank correlation needs 4 or more")
    _, orders = over_time.tables(study, {"over_time": few[few["stimuli"] == "grey"]}, VIEW)
    assert "3 layers; a rank correlation needs 4 or more" in orders.rows[0][1]


def test_a_study_without_time_has_no_tables():
    assert over_time.tables(None, {}, VIEW) == []
