"""Claims in the report: the table says what the CSV says, and the figure has every universe."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from markupsafe import escape

import claim_files
from rulealign.claims.evaluate import evaluate
from rulealign.config.universes import AXES, ESTIMANDS, listed_axes
from rulealign.report import claims, claims_figure, verdict_matrix
from rulealign.report.claims_figure import (
    LOOKS,
    ROW,
    panels,
    value_label,
    varied_values,
)
from rulealign.report.claims_overview import draw_claims, overview
from rulealign.report.formatting import p_value, plain_p
from rulealign.report.inline import inline
from scene import scene


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("claims")
    files = claim_files.write_all(folder)
    small = replace(claim_files.DROP, label="small", smallest_effect=0.05, family="other")
    rise = replace(claim_files.DROP, label="rise", direction="positive")
    told = claim_files.settings(claim_files.DROP, claim_files.LESS, small, rise)
    made = [folder / f"{name}.csv" for name in ("claims", "summary", "curves")]
    evaluate(*files, told, *made)
    return [pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in made[:2]]


def text(cell):
    parser, words = HTMLParser(), []
    parser.handle_data = words.append
    parser.feed(str(cell))
    return "".join(words)


def test_the_table_is_the_csv(tables):
    _, summary = tables
    table = claims.tabulate(summary, 0.9)
    assert len(table.rows) == len(summary)
    for row, (_, own) in zip(table.rows, summary.iterrows(), strict=True):
        cells = dict(zip(table.head, row, strict=True))
        assert text(cells["primary universe"]).startswith(own["verdict"])
        values = re.findall(r'value="([^"]+)"', str(cells["effect"]))
        assert [float(value) for value in values] == own[["effect", "low", "high"]].tolist()
        counts = text(cells["holds / reversed / unresolved / uninformative / missing"]).split(" / ")
        names = ["holds", "reversed", "unresolved", "uninformative", "missing"]
        assert [int(count) for count in counts] == own[names].tolist()
        assert text(cells["in words"]) == own["summary"]
        assert text(cells["claim"]) == own["claim"] + own["statement"]


def test_the_p_values_are_the_csvs(tables):
    _, summary = tables
    table = claims.tabulate_p(summary)
    for row, (_, own) in zip(table.rows, summary.iterrows(), strict=True):
        found = [float(re.search(r'value="([^"]+)"', str(cell))[1]) for cell in row[1:]]
        names = [f"{p}{kind}" for p in ("p", "p_seeds") for kind in ("", "_bh", "_holm")]
        assert [row[0], *found] == [own["claim"], *own[names]]


def test_the_table_says_how_small_a_p_can_be_and_the_sizes_of_families(tables):
    _, summary = tables
    caption = claims.tabulate_p(summary).caption
    assert "1/8 with 3 seeds, 1/32 with 5 seeds" in caption
    assert "all: 3, other: 1" in caption
    caption = claims.tabulate(summary, 0.9).caption
    assert "90% interval" in caption
    assert "Intervals are over stimuli, seeds." in caption
    pooled = summary.assign(generalises_to=["stimuli, seeds"] * 3 + ["stimuli, these seeds only"])
    caption = claims.tabulate(pooled, 0.9).caption
    assert "Of the intervals, 3 over stimuli, seeds; 1 over stimuli, these seeds only." in caption
    one = summary.assign(p_seeds_floor=np.nan)
    assert "which needs two seeds" in claims.tabulate_p(one).caption


def test_what_is_missing_says_why(tables):
    _, summary = tables
    numbers = dict.fromkeys(("effect", "low", "high", "p", "p_seeds"), np.nan)
    lost = summary.iloc[[0]].assign(verdict="missing", reason="no silhouette", **numbers)
    lost = lost.assign(p_seeds_reason="no silhouette", p_reason="no silhouette")
    cells = dict(zip(claims.HEAD, claims.tabulate(lost, 0.9).rows[0], strict=True))
    assert text(cells["effect"]) == "no silhouette"
    p = claims.tabulate_p(lost).rows[0]
    assert [text(cell) for cell in p[1:]] == ["no silhouette", "", ""] * 2


def test_an_unknown_ceiling_is_said_beside_the_verdict(tables):
    _, summary = tables
    note = "no p_seeds: 1 seed; ceiling unknown of V1 over all pairs: there is 1 subject"
    told = summary.iloc[[0]].assign(verdict="holds", reason=np.nan, note=note)
    cells = dict(zip(claims.HEAD, claims.tabulate(told, 0.9).rows[0], strict=True))
    said = "(ceiling unknown of V1 over all pairs: there is 1 subject)"
    assert text(cells["primary universe"]) == f"holds {said}"


def curves(rows, summary, **values):
    data = claims_figure.data(rows, summary)
    return {one.name: scene(one.drawing, data, **values) for one in panels(rows, summary)}


def computed(rows, label):
    own = rows[(rows["claim"] == label) & (rows["verdict"] != "missing")]
    return own.sort_values("effect", kind="stable").reset_index(drop=True)


def points(drawing):
    return sorted(drawing.of("symbol"), key=lambda item: item["x"])


def test_every_universe_that_was_computed_is_drawn_in_order_with_its_interval(tables):
    rows, summary = tables
    drawn = curves(rows, summary)
    assert list(drawn) == summary["claim"].tolist()
    for label, drawing in drawn.items():
        own, found = computed(rows, label), points(drawing)
        effects = drawing.y([item["y"] for item in found])
        np.testing.assert_allclose(effects, own["effect"], atol=2e-6)
        looks = [(item["stroke"], item["fill"] != "white") for item in found]
        assert looks == [LOOKS[verdict][::2] for verdict in own["verdict"]]
        bars = [item for item in drawing.of("rule") if "y2" in item and "opacity" in item]
        bars = sorted(bars, key=lambda item: item["x"])
        ends = [sorted(drawing.y([item["y"], item["y2"]])) for item in bars]
        np.testing.assert_allclose(ends, own[["low", "high"]], atol=2e-6)


def test_a_panel_begins_with_the_verdict_over_all_universes(tables):
    rows, summary = tables
    numbers = {"cell_p_holm": 0.2504, "cell_universes": 12, "claimed_side": 0.75}
    told = summary.assign(cell_verdict="unresolved", verdict="holds", **numbers)
    told.loc[1, ["cell_verdict", "cell_p_holm"]] = ["uninformative", np.nan]
    drawn = curves(rows, told)
    assert "drop: unresolved, claimed < 0" in drawn["drop"].texts
    assert "median of 12 universes: p = 0.250 (Holm)" in drawn["drop"].texts
    assert "75% on the claimed side; primary universe: holds" in drawn["drop"].texts
    assert "less: uninformative, claimed > 0" in drawn["less"].texts
    assert "no test over universes" in drawn["less"].texts


def test_below_each_effect_are_its_values_on_every_axis(tables):
    rows, summary = tables
    drawing, own = curves(rows, summary)["drop"], computed(rows, "drop")
    at = {round(item["x"], 3): place for place, item in enumerate(points(drawing))}
    labels = [value_label(*one) for one in varied_values(rows)]
    assert len(labels) == len(set(labels)) == 2 * 7
    covered = {label: set() for label in labels}
    for item in drawing.of("rect"):
        place = at[round(item["x"] + item["width"] / 2, 3)]
        covered[labels[int(item["y"] // ROW)]].add(place)
    for axis in ("size", "control", "comparison", "baseline"):
        for value in own[axis].unique():
            expected = set(own.index[own[axis] == value])
            assert covered[value_label(axis, value)] == expected, (axis, value)


def test_an_axis_with_one_value_has_no_row(tables):
    texts = curves(*tables)["drop"].texts
    assert "224 px" in texts
    assert "grey" not in texts
    assert "uncentred" not in texts


def test_universes_can_be_sorted_and_chosen_by_an_axis(tables):
    rows, summary = tables
    drawing, own = curves(rows, summary, order="size")["drop"], computed(rows, "drop")
    own["label"] = [value_label("size", value) for value in own["size"]]
    by_size = own.sort_values(["label", "effect"], kind="stable")
    effects = drawing.y([item["y"] for item in points(drawing)])
    np.testing.assert_allclose(effects, by_size["effect"], atol=2e-6)
    drawing = curves(rows, summary, only_size="32 px")["drop"]
    effects = drawing.y([item["y"] for item in points(drawing)])
    np.testing.assert_allclose(effects, own.loc[own["size"] == 32, "effect"], atol=2e-6)


def test_one_panel_shows_any_claim(tables):
    rows, summary = tables
    drawing = next(iter(curves(rows, summary, claim="less").values()))
    effects = drawing.y([item["y"] for item in points(drawing)])
    np.testing.assert_allclose(effects, computed(rows, "less")["effect"], atol=2e-6)


def test_the_page_can_show_each_claim_by_itself(tables, tmp_path):
    rows, summary = tables
    for name in ("one", "again"):
        draw_claims(rows, summary, each=tmp_path / name, every=tmp_path / f"{name}_all")
        assert "<title>All claims" in (tmp_path / f"{name}_all").read_text()
    assert (tmp_path / "one").read_bytes() == (tmp_path / "again").read_bytes()
    caption = claims.figure_caption(rows, 0.9)
    shown = inline(tmp_path / "one", "figure9", caption, "claims")
    assert [name for _, name in shown.panels] == summary["claim"].tolist()
    assert f"Left out: {(rows['verdict'] == 'missing').sum()} universes" in caption
    # numbers of shapes are cut, those that are read are not
    assert all(f"{p:.3f}" in shown.drawing for p in summary["cell_p_holm"].dropna())


def test_all_claims_at_once_have_their_primary_effect_over_every_universe(tables):
    rows, summary = tables
    drawing = scene(overview(summary).drawing, claims_figure.data(rows, summary))
    known = rows[rows["verdict"] != "missing"]
    assert len(drawing.of("rect")) == len(known)
    found = sorted(drawing.of("symbol"), key=lambda item: item["y"])
    bars = [item for item in drawing.of("rule") if "x2" in item and item["x"] != item["x2"]]
    bars = sorted(bars, key=lambda item: item["y"])
    place = [item["x"] for item in found] + [item[end] for item in bars for end in ("x", "x2")]
    ends = summary[["low", "high"]].to_numpy().ravel().tolist()
    known = np.array(summary["effect"].tolist() + ends)
    # bars may run either way
    pairs = np.sort(np.reshape(place[len(found) :], (-1, 2)), axis=1)
    place = np.array([*place[: len(found)], *pairs.ravel()])
    slope, start = np.polyfit(known, place, 1)
    np.testing.assert_allclose(place, slope * known + start, atol=0.01)
    assert slope > 0
    told = [f"{row.effect:.3f} [{row.low:.3f}, {row.high:.3f}]" for row in summary.itertuples()]
    assert set(told) <= {text.replace("−", "-") for text in drawing.texts}


def test_a_claim_that_cannot_be_computed_says_so_in_its_panel(tables):
    rows, summary = tables
    lost = rows[rows["claim"] == "drop"].assign(verdict="missing")
    assert "cannot be computed" in curves(lost, summary.iloc[[0]])["drop"].texts
    assert "cannot be computed" not in curves(rows, summary)["drop"].texts


def test_universes_of_other_cells_than_the_verdicts_are_pale(tables):
    rows, summary = tables
    drawn = curves(rows, summary)
    for _, claim in summary.iterrows():
        own = computed(rows, claim["claim"])
        asked = listed_axes(own, ESTIMANDS)
        of_cell = own.index[(own[asked] == claim[asked]).all(axis=1)]
        found = points(drawn[claim["claim"]])
        dark = {place for place, item in enumerate(found) if item["opacity"] == 1}
        assert dark == set(of_cell)
        assert 0 < len(dark) < len(own)


@pytest.mark.parametrize(
    ("p", "text"), [(0.0003, "< 0.001"), (0.0005, "0.001"), (0.25, "0.250"), (0.0, "0.000")]
)
def test_a_small_p_is_not_written_as_none(p, text):
    assert plain_p(p) == text
    assert str(p_value(p)) == f'<data value="{p!r}">{escape(text)}</data>'


def test_the_matrix_counts_verdicts_by_the_value_of_every_axis():
    # (size, centring) -> effect and verdict
    grid = {(32, "centred"): (-0.2, "holds"), (32, "uncentred"): (-0.1, "unresolved")}
    grid |= {(224, "centred"): (0.3, "reversed"), (224, "uncentred"): (-0.4, "holds")}
    axes = dict.fromkeys(AXES, "one")
    rows = pd.DataFrame(
        [
            axes | {"claim": "drop", "size": size, "centring": how, "effect": e, "verdict": word}
            for (size, how), (e, word) in grid.items()
        ]
        + [axes | {"claim": "drop", "size": 32, "centring": "centred", "verdict": "missing"}]
    )
    table = verdict_matrix.tabulate(rows)
    assert table.head == ["claim", "32 px", "224 px", "centred", "uncentred"]
    [row] = table.rows
    told = [cell.striptags() for cell in row[1:]]
    assert told == ["− 1 / 0 / 2", "− 1 / 1 / 2", "+ 1 / 1 / 2", "− 1 / 0 / 2"]
    assert 'class="tile holds"' in row[1]
    assert 'class="tile holds reversed"' in row[2]
    assert verdict_matrix.tabulate(rows[rows["size"] == 32].assign(centring="centred")) is None
