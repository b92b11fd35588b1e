"""Alignment over training and at the last checkpoint: what is drawn is what the tables say."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rulealign.arm import Mapped
from rulealign.config.evaluation import View
from rulealign.errors import DataError, GuardError
from rulealign.plan.settings.report import FigureSettings
from rulealign.report import drawn, finals, layers_figure, trajectories, vega
from rulealign.report.drawn import at_view
from rulealign.report.layers_figure import TILE
from rulealign.report.marks import OTHERS
from rulealign.report.select import at_view as rows_at_view
from rulealign.report.select import ceiling
from rulealign.report.style import COLOURS, PALE
from scene import scene

RULES = ["untrained", "bp", "fa"]
VIEW = {"stimuli": "grey", "size": 32, "descriptor": "grid-8", "centring": "centred"}
PAIRS = {"conv1": "V1", "fc1": "IT"}
MAP = [{"network": "cnn3", "layer": layer, "roi": roi} for layer, roi in PAIRS.items()]
SHOWN = View(stimuli="grey", size=32, descriptor="grid-8", centring="centred")
TOLD = FigureSettings(
    rules=RULES, lines=RULES, layer_map=[Mapped(**pair) for pair in MAP], views=[SHOWN]
)
BOTH = pytest.mark.parametrize("module", [trajectories, finals])
COLOUR = dict(zip(RULES, COLOURS, strict=False))


@pytest.fixture(scope="module")
def alignment():
    rng = np.random.default_rng(3)
    networks = [(rule, e) for rule in RULES for e in ((0,) if rule == "untrained" else (0, 1, 5))]
    features = [("conv1", "grid-8"), ("conv1", "global-average"), ("fc1", "vector")]
    axes = (networks, ("grey", "white"), (32, 64), features, ("centred", "uncentred"))
    rows = []
    for (rule, epoch), stimuli, size, (
        layer,
        descriptor,
    ), centring, roi, convention in itertools.product(
        *axes, ("V1", "IT"), ("per_subject", "mean_rdm")
    ):
        score, below, above, seed = rng.uniform(0.01, 0.1, 4)
        rows.append(
            {
                **{
                    "network": "cnn3",
                    "rule": rule,
                    "epoch": epoch,
                    "stimuli": stimuli,
                    "size": size,
                    "layer": layer,
                },
                **{"descriptor": descriptor, "centring": centring, "roi": roi, "pairs": "all"},
                **{"convention": convention, "n_seeds": 2, "n_stimuli": 30, "n_pairs": 435},
                **{"score": score, "low": score - below, "high": score + above},
                **{"seed_low": score - seed, "seed_high": score + seed},
            }
        )
    # any order must do
    return pd.DataFrame(rows).sample(frac=1, random_state=1)


@pytest.fixture(scope="module")
def ceilings():
    shared = {"convention": "per_subject", "pairs": "all", "null_upper_high": 0.21}
    near = {"roi": "V1", "lower": 0.1, "upper": 0.2, "informative": False, **shared}
    far = {"roi": "IT", "lower": 0.8, "upper": 0.9, "informative": True, **shared}
    return pd.DataFrame([near, far])


def _rows(alignment, rule, pair):
    wanted = {**VIEW, **pair, "rule": rule, "convention": "per_subject"}
    wanted["descriptor"] = "vector" if pair["layer"] == "fc1" else VIEW["descriptor"]
    rows = [row for row in alignment.to_dict("records") if wanted.items() <= row.items()]
    return sorted(rows, key=lambda row: row["epoch"])


def scenes(module, told=TOLD, **tables):
    data = drawn.of_alignment(tables, told)
    shown = at_view(data, told.views[0])
    return [scene(panel.drawing, shown) for panel in module.panels(told, data)]


def across(scores):
    """Give the place of a value on a horizontal axis, from where scores of rules stand."""
    return np.poly1d(np.polyfit(*np.transpose(scores), 1))


def test_points_and_bars_of_trajectories_are_the_tables_scores_and_intervals(alignment, ceilings):
    both = scenes(trajectories, alignment=alignment, ceilings=ceilings)
    for drawing, pair in zip(both, MAP, strict=True):
        assert f"{pair['layer']} → {pair['roi']}" in drawing.texts
        assert drawing.ticks == ["0", "1", "5"]
        for rule in RULES:
            rows = _rows(alignment, rule, pair)
            points = sorted(drawing.of("symbol", COLOUR[rule]), key=lambda item: item["x"])
            heights = [drawing.y(item["y"]) for item in points]
            assert heights == pytest.approx([row["score"] for row in rows], abs=1e-6)
            bars = sorted(drawing.of("rule", COLOUR[rule]), key=lambda item: item["x"])
            ends = [sorted(drawing.y([item["y"], item["y2"]])) for item in bars]
            expected = [[row["low"], row["high"]] for row in rows]
            np.testing.assert_allclose(ends, expected, atol=1e-6)


def test_checkpoints_are_evenly_spaced_and_rules_side_by_side(alignment, ceilings):
    first, _ = scenes(trajectories, alignment=alignment, ceilings=ceilings)
    bp, fa = ([item["x"] for item in first.of("symbol", COLOUR[rule])] for rule in ("bp", "fa"))
    assert np.allclose(np.diff(np.sort(bp)), 100)  # a third of the axis
    assert np.allclose(np.subtract(sorted(fa), sorted(bp)), 12)


def test_a_rule_that_does_not_train_is_a_dashed_line_at_its_score(alignment, ceilings):
    both = scenes(trajectories, alignment=alignment, ceilings=ceilings)
    for drawing, pair in zip(both, MAP, strict=True):
        score = _rows(alignment, "untrained", pair)[0]["score"]
        line = drawing.of("line", COLOUR["untrained"])
        assert len(line) == 3
        assert drawing.y([item["y"] for item in line]) == pytest.approx([score] * 3, abs=1e-6)
        assert {tuple(item["strokeDash"]) for item in line} == {(4, 3)}
        assert {tuple(item["strokeDash"]) for item in drawing.of("line", COLOUR["bp"])} == {(1, 0)}


def test_rules_that_are_no_lines_are_a_band_from_the_lowest_to_the_highest(alignment, ceilings):
    rules = ["fa", "untrained", "bp"]
    told = TOLD.__class__(**{**vars(TOLD), "rules": rules, "lines": ["fa"]})
    both = scenes(trajectories, told, alignment=alignment, ceilings=ceilings)
    for drawing, pair in zip(both, MAP, strict=True):
        assert len(drawing.of("symbol", COLOURS[0])) == 3
        assert not drawing.of("symbol", COLOURS[1])
        held, bp = (_rows(alignment, rule, pair) for rule in ("untrained", "bp"))
        band = sorted(drawing.of("area", OTHERS), key=lambda item: item["x"])
        for item, row in zip(band, bp, strict=True):
            expected = sorted([row["score"], held[0]["score"]])
            ends = sorted(drawing.y([item["y"], item["y2"]]))
            assert ends == pytest.approx(expected, abs=1e-6)


def test_a_ceiling_is_drawn_to_scale_or_said_to_be_above_the_axis(alignment, ceilings):
    near, far = scenes(trajectories, alignment=alignment, ceilings=ceilings)
    [band] = near.of("rect")
    assert sorted(near.y([band["y"], band["y2"]])) == pytest.approx([0.1, 0.2])
    assert band["strokeDash"]  # it is not informative
    assert any(near.y(item["y"]) == pytest.approx(0.21) for item in near.of("rule"))
    assert "noise ceiling 0.100 to 0.200, not informative" in near.texts
    assert not far.of("rect")
    assert "↑ noise ceiling 0.800 to 0.900" in far.texts


def test_the_last_checkpoint_is_drawn_with_interval_seeds_and_the_ceiling_in_view(
    alignment, ceilings
):
    for drawing, pair in zip(
        scenes(finals, alignment=alignment, ceilings=ceilings), MAP, strict=True
    ):
        rows = {rule: _rows(alignment, rule, pair)[-1] for rule in RULES}
        points = {rule: drawing.of("symbol", COLOUR[rule])[0] for rule in RULES}
        place = across([(rows[rule]["score"], points[rule]["x"]) for rule in RULES])
        [band] = [item for item in drawing.of("rect") if item["height"] > 30]  # no tick
        own = ceiling(ceilings, pair["roi"])
        ends = sorted([band["x"], band["x2"]])
        assert ends == pytest.approx([place(own["lower"]), place(own["upper"])], abs=0.01)
        assert (band.get("fill") == PALE) == own["informative"]
        for rule, row in rows.items():
            assert points[rule]["x"] == pytest.approx(place(row["score"]), abs=1e-3)
            [bar] = drawing.of("rule", COLOUR[rule])
            assert bar["y"] == points[rule]["y"]
            ends = sorted([bar["x"], bar["x2"]])
            assert ends == pytest.approx([place(row["low"]), place(row["high"])], abs=0.01)
            middles = [
                item["x"] + item.get("width", 0) / 2
                for item in drawing.of("rect", "#222222")
                if abs(item["y"] + item["height"] / 2 - bar["y"]) < 1
            ]
            seeds = [place(row["seed_low"]), place(row["seed_high"])]
            assert sorted(middles) == pytest.approx(seeds, abs=0.01)


def test_subjects_are_dots_beside_the_last_score(alignment, ceilings):
    means = alignment[alignment["convention"] == "per_subject"].drop(columns="convention")
    every = [
        means.assign(seed=seed, subject=subject, score=means["score"] + 0.3 * subject + 0.1 * seed)
        for seed in (1, 2)
        for subject in (1, 2, 3)
    ]
    tables = {"alignment": alignment, "ceilings": ceilings}
    both = scenes(finals, **tables, alignment_subjects=pd.concat(every))
    for drawing, pair in zip(both, MAP, strict=True):
        last = {rule: _rows(alignment, rule, pair)[-1]["score"] for rule in RULES}
        points = {rule: drawing.of("symbol", COLOUR[rule]) for rule in RULES}
        *_, (rule, (*dots, mean)) = points.items()
        place = across([(last[one], items[-1]["x"]) for one, items in points.items()])
        expected = [place(last[rule] + 0.15 + 0.3 * subject) for subject in (1, 2, 3)]
        assert sorted(item["x"] for item in dots) == pytest.approx(expected, abs=0.05)
        assert {item["y"] for item in dots} == {mean["y"]}


def test_a_missing_score_is_a_gap_and_no_earlier_one_stands_in_for_it(alignment, ceilings):
    holes = alignment.copy()
    values = ["score", "low", "high", "seed_low", "seed_high"]
    holes.loc[(holes["rule"] == "bp") & (holes["epoch"] == 1), values] = np.nan
    holes.loc[(holes["rule"] == "fa") & (holes["epoch"] == 5), values] = np.nan
    course, _ = scenes(trajectories, alignment=holes, ceilings=ceilings)
    assert len(course.of("symbol", COLOUR["bp"])) == 2
    line = sorted(course.of("line", COLOUR["bp"]), key=lambda item: item["x"])
    assert [item.get("defined", True) for item in line] == [True, False, True]
    last, _ = scenes(finals, alignment=holes, ceilings=ceilings)
    assert not last.of("symbol", COLOUR["fa"])
    assert "not measured" in last.texts


def _across_runs(alignment, ceilings):
    own = ceilings.assign(pairs="cross_run", lower=0.03, upper=0.04)
    tables = {"alignment": alignment.assign(pairs="cross_run")}
    return tables | {"ceilings": pd.concat([ceilings, own])}


@BOTH
def test_the_same_table_gives_the_same_bytes_and_panels_in_equal_rectangles(
    alignment, ceilings, tmp_path, module
):
    data = drawn.of_alignment({"alignment": alignment, "ceilings": ceilings}, TOLD)
    for name in ("one.svg", "other.svg"):
        vega.save(module.panels(TOLD, data), at_view(data, SHOWN), tmp_path / name, "A <title>")
    one = (tmp_path / "one.svg").read_text()
    assert one == (tmp_path / "other.svg").read_text()
    assert "<title>A &lt;title&gt;</title>" in one
    assert 'id="panel--conv1--V1" transform="translate(0,0)"' in one
    width = float(one.partition('viewBox="0 0 ')[2].partition(" ")[0])
    assert f'id="panel--fc1--IT" transform="translate({width / 2:g},0)"' in one


def test_conventions_are_never_mixed(alignment, ceilings):
    for convention in ("per_subject", "mean_rdm"):
        rows = rows_at_view(alignment, SHOWN, convention=convention)
        assert set(rows["convention"]) == {convention}
    with pytest.raises(DataError, match="0 rows for V1, mean_rdm"):
        ceiling(ceilings, "V1", convention="mean_rdm")


@BOTH
def test_ceilings_of_another_convention_are_not_drawn(alignment, ceilings, module):
    other = ceilings.assign(convention="mean_rdm")
    for faulty in (other, pd.concat([ceilings, other])):
        with pytest.raises(GuardError, match=r"mean_rdm.*per_subject"):
            scenes(module, alignment=alignment, ceilings=faulty)


@BOTH
def test_scores_over_pairs_in_different_runs_say_so_and_have_their_own_ceiling(
    alignment, ceilings, module
):
    for drawing in scenes(module, **_across_runs(alignment, ceilings)):
        assert "Spearman's ρ, pairs in different runs" in drawing.texts
        assert any("noise ceiling 0.030 to 0.040" in text for text in drawing.texts)


@BOTH
def test_scores_and_ceilings_over_different_pairs_are_not_drawn(alignment, ceilings, module):
    across_runs = _across_runs(alignment, ceilings)["alignment"]
    for faulty in (across_runs, pd.concat([alignment, across_runs])):
        with pytest.raises(GuardError, match=r"'all', 'cross_run'"):
            scenes(module, alignment=faulty, ceilings=ceilings)


def test_what_the_table_lacks_or_has_twice_is_an_error(alignment, ceilings):
    data = drawn.of_alignment({"alignment": alignment, "ceilings": ceilings}, TOLD)
    with pytest.raises(DataError, match="no rows for stimuli grey, 224 px"):
        at_view(data, SHOWN.model_copy(update={"size": 224}))
    elsewhere = TOLD.__class__(**{**vars(TOLD), "layer_map": [Mapped("cnn3", "conv3", "V1")]})
    with pytest.raises(DataError, match="no scores of cnn3, conv3, V1"):
        drawn.of_alignment({"alignment": alignment, "ceilings": ceilings}, elsewhere)
    twice = pd.concat([alignment, alignment])
    with pytest.raises(DataError, match="twice for one epoch"):
        drawn.of_alignment({"alignment": twice, "ceilings": ceilings}, TOLD)


def test_tiles_are_the_scores_of_every_layer_with_every_roi_and_the_named_pairs_are_framed(
    alignment, ceilings
):
    data = drawn.of_alignment({"alignment": alignment, "ceilings": ceilings}, TOLD)
    found = {one.name: one.drawing for one in layers_figure.panels(TOLD, data)}
    assert list(found) == RULES
    for rule, drawing in found.items():
        shown = scene(drawing, at_view(data, SHOWN))
        tiles = [item for kind, item in shown.marks if kind == "rect" and "fill" in item]
        framed = [item for kind, item in shown.marks if kind == "rect" and "fill" not in item]
        texts = [item for kind, item in shown.marks if kind == "text"]
        assert len(tiles) == len(texts) == 4
        for place, (layer, roi) in enumerate(itertools.product(("conv1", "fc1"), ("V1", "IT"))):
            row = _rows(alignment, rule, {"layer": layer, "roi": roi})[-1]
            x, y = TILE[0] * (place % 2), TILE[1] * (place // 2)
            [text] = [
                one for one in texts if 0 < one["x"] - x < TILE[0] and 0 < one["y"] - y < TILE[1]
            ]
            assert float(text["text"].replace("−", "-")) == pytest.approx(row["score"], abs=5e-3)
            frames = [one for one in framed if (one["x"], one["y"]) == (x, y)]
            assert bool(frames) == (PAIRS[layer] == roi)


@BOTH
def test_a_panel_of_several_networks_names_its_own(alignment, ceilings, tmp_path, module):
    both = [*TOLD.layer_map, *(pair._replace(network="deep") for pair in TOLD.layer_map)]
    told = replace(TOLD, layer_map=both)
    rows = pd.concat([alignment, alignment.assign(network="deep")])
    data = drawn.of_alignment({"alignment": rows, "ceilings": ceilings}, told)
    vega.save(module.panels(told, data), at_view(data, SHOWN), tmp_path / "both.svg", "A title")
    text = (tmp_path / "both.svg").read_text()
    for title in ("cnn3 conv1 → V1", "deep conv1 → V1", "deep fc1 → IT"):
        assert text.count(f">{title}<") == 1
    vega.save(module.panels(TOLD, data), at_view(data, SHOWN), tmp_path / "one.svg", "A title")
    assert ">conv1 → V1<" in (tmp_path / "one.svg").read_text()
