"""Controls are drawn in the same panels as layers, and say so where they have no score."""

import itertools

import numpy as np
import pandas as pd
import pytest

from rulealign.arm import Mapped
from rulealign.config.evaluation import View
from rulealign.errors import DataError, GuardError
from rulealign.plan.settings.report import FigureSettings
from rulealign.report import controls, drawn, finals, trajectories
from rulealign.report.marks import SAND
from rulealign.report.style import QUIET
from scene import scene

RULES = ["untrained", "bp"]
VIEW = {"stimuli": "grey", "size": 32, "descriptor": "grid-8", "centring": "centred"}
PAIRS = {"conv1": "V1", "conv2": "IT"}
MAP = [{"network": "cnn3", "layer": layer, "roi": roi} for layer, roi in PAIRS.items()]
SHOWN = View(stimuli="grey", size=32, descriptor="grid-8", centring="centred")
TOLD = FigureSettings(
    rules=RULES, lines=RULES, layer_map=[Mapped(**pair) for pair in MAP], views=[SHOWN]
)
NAMES = ["pixels", "silhouette", "contrast"]
REASON = "3 of 3 images have no uniform background: there is no silhouette"


def table_of(keys, rng, low, high):
    score = rng.uniform(low, high)
    shared = {"pairs": "all", "n_stimuli": 30, "n_pairs": 435, "n_subjects": 3}
    return {**keys, **shared, "score": score, "low": score - 0.02, "high": score + 0.03}


@pytest.fixture(scope="module")
def alignment():
    rng = np.random.default_rng(3)
    axes = (RULES, (0, 1, 5), ("conv1", "conv2"), ("V1", "IT"), ("per_subject", "mean_rdm"))
    rows = []
    for rule, epoch, layer, roi, convention in itertools.product(*axes):
        keys = {"network": "cnn3", "rule": rule, "epoch": epoch, "layer": layer, "roi": roi, **VIEW}
        row = table_of({**keys, "convention": convention, "n_seeds": 1}, rng, 0.02, 0.06)
        rows.append({**row, "seed_low": row["score"], "seed_high": row["score"]})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(4)
    axes = (("grey", "white"), (32, 64), NAMES, ("centred", "uncentred"), ("V1", "IT"))
    rows = []
    for keys in itertools.product(*axes, ("per_subject", "mean_rdm")):
        names = ("stimuli", "size", "control", "centring", "roi", "convention")
        # beyond all layers, so that an axis must make room
        row = table_of(dict(zip(names, keys, strict=True)), rng, 0.2, 0.3)
        row["reason"] = np.nan
        if row["control"] == "silhouette" and row["stimuli"] == "grey":
            row |= dict.fromkeys(("score", "low", "high"), np.nan) | {"reason": REASON}
        if row["control"] == "contrast":
            row["score"], row["low"], row["high"] = -0.2, -0.25, -0.1
        rows.append(row)
    return pd.DataFrame(rows).sample(frac=1, random_state=2)


@pytest.fixture(scope="module")
def ceilings():
    shared = {"convention": "per_subject", "pairs": "all", "null_upper_high": 0.4}
    both = {"lower": 0.5, "upper": 0.6, "informative": True, **shared}
    return pd.DataFrame([{"roi": roi, **both} for roi in ("V1", "IT")])


def row_of(scores, name, roi, convention="per_subject"):
    wanted = {"stimuli": "grey", "size": 32, "centring": "centred", "convention": convention}
    wanted |= {"control": name, "roi": roi}
    (row,) = [row for row in scores.to_dict("records") if wanted.items() <= row.items()]
    return row


def scenes(module, **tables):
    data = drawn.of_alignment(tables, TOLD)
    shown = drawn.at_view(data, SHOWN)
    return [scene(panel.drawing, shown) for panel in module.panels(TOLD, data)]


def test_trajectories_have_a_band_over_controls_and_a_line_at_each_score(
    alignment, ceilings, scores
):
    tables = {"alignment": alignment, "ceilings": ceilings, "controls": scores}
    for drawing, pair in zip(scenes(trajectories, **tables), MAP, strict=True):
        known = [row_of(scores, name, pair["roi"])["score"] for name in ("contrast", "pixels")]
        lines = [item["y"] for item in drawing.of("rule", SAND)]
        assert sorted(drawing.y(lines)) == pytest.approx(sorted(known), abs=1e-6)
        [band] = drawing.of("rect", SAND)
        ends = sorted(drawing.y([band["y"], band["y2"]]))
        assert ends == pytest.approx([min(known), max(known)], abs=1e-6)


def test_the_last_checkpoint_has_a_row_per_control_with_interval_or_none(
    alignment, ceilings, scores
):
    tables = {"alignment": alignment, "ceilings": ceilings, "controls": scores}
    for drawing, pair in zip(scenes(finals, **tables), MAP, strict=True):
        assert {*RULES, *NAMES, "none"} <= set(drawing.texts)
        rows = [row_of(scores, name, pair["roi"]) for name in ("contrast", "pixels")]
        bars = [
            item for item in drawing.of("rule", QUIET) if item.get("x2", item["x"]) != item["x"]
        ]
        bars = sorted(bars, key=lambda item: min(item["x"], item["x2"]))
        ends = np.array([sorted([item["x"], item["x2"]]) for item in bars])
        expected = np.array([[row["low"], row["high"]] for row in rows])
        # pixels are an affine function of scores, the same for both controls
        slope, start = np.polyfit(expected.ravel(), ends.ravel(), 1)
        np.testing.assert_allclose(ends, slope * expected + start, atol=0.01)
        assert slope > 0


def test_without_controls_there_is_no_band_and_no_row(alignment, ceilings):
    for module in (trajectories, finals):
        for drawing in scenes(module, alignment=alignment, ceilings=ceilings):
            assert not drawing.of("rect", SAND)
            assert "none" not in drawing.texts


def test_the_caption_names_what_is_missing_and_why(alignment, scores):
    rows = controls.at_view(scores, SHOWN, alignment)
    text = controls.caption(rows, "Thin grey lines")
    assert text.count(f"silhouette ({REASON})") == 1
    assert "pixels (" not in text
    assert controls.caption(controls.at_view(None, SHOWN, alignment), "Thin") == ""


def test_the_table_has_the_scores_of_its_convention_and_reasons(alignment, scores):
    rows = controls.at_view(scores, SHOWN, alignment, "mean_rdm")
    table = controls.tabulate(rows, ["IT", "V1"], "words")
    assert table.head == ["control", "IT", "V1"]
    assert sorted(row[0] for row in table.rows) == sorted(NAMES)
    for name, *cells in table.rows:
        for roi, cell in zip(("IT", "V1"), cells, strict=True):
            row = row_of(scores, name, roi, "mean_rdm")
            assert ("none" if name == "silhouette" else repr(row["score"])) in cell
    assert f"No silhouette: {REASON}." in table.caption


def test_controls_of_another_view_or_pairs_are_refused(alignment, ceilings, scores):
    with pytest.raises(DataError, match="no rows of .*'size': 128"):
        controls.at_view(scores, SHOWN.model_copy(update={"size": 128}), alignment)
    with pytest.raises(GuardError, match="different pairs"):
        controls.at_view(scores.assign(pairs="cross_run"), SHOWN, alignment)
    twice = pd.concat([scores, scores])
    with pytest.raises(DataError, match="a score twice"):
        scenes(finals, alignment=alignment, ceilings=ceilings, controls=twice)
