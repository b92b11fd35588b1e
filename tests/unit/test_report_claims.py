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
from rulealign.config.claims import ESTIMANDS
from rulealign.report import claims
from rulealign.report.claims_figure import LOOKS, draw_claims, value_label
from rulealign.report.formatting import p_value, plain_p
from rulealign.report.inline import inline


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


@pytest.fixture(scope="module")
def drawn(tables, tmp_path_factory):
    path = tmp_path_factory.mktemp("figure") / "claims.svg"
    return path, draw_claims(*tables, output=path)


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


def test_every_universe_that_was_computed_is_drawn_in_order_with_its_interval(tables, drawn):
    rows, summary = tables
    _, figure = drawn
    tops = figure.axes[::2]
    assert [ax.get_gid() for ax in tops] == [f"panel--{one}" for one in summary["claim"]]
    for ax, label in zip(tops, summary["claim"], strict=True):
        own = rows[(rows["claim"] == label) & (rows["verdict"] != "missing")]
        points, heights = {}, {}
        for line in ax.lines:
            x, y = line.get_xdata(), line.get_ydata()
            if line.get_linestyle() == "None" and len(x):
                verdict = next(
                    v
                    for v, look in LOOKS.items()
                    if look[:2] == (line.get_color(), line.get_marker())
                )
                points |= {at: (effect, verdict) for at, effect in zip(x, y, strict=True)}
            elif len(x) > 2:
                ends = np.reshape(y, (-1, 3))
                heights |= dict(zip(np.asarray(x)[::3], ends[:, :2].tolist(), strict=True))
        expected = own.sort_values("effect", kind="stable")
        assert [points[place][0] for place in range(len(own))] == expected["effect"].tolist()
        assert [points[place][1] for place in range(len(own))] == expected["verdict"].tolist()
        ends = [heights[place] for place in range(len(own))]
        assert ends == expected[["low", "high"]].to_numpy().tolist()


def test_a_panel_begins_with_the_verdict_over_all_universes(tables, tmp_path):
    _, summary = tables
    numbers = {"cell_p_holm": 0.2504, "cell_universes": 12, "claimed_side": 0.75}
    told = summary.assign(cell_verdict="unresolved", verdict="holds", **numbers)
    told.loc[1, ["cell_verdict", "cell_p_holm"]] = ["uninformative", np.nan]
    figure = draw_claims(tables[0], told, output=tmp_path / "told.svg")
    first, second = figure.axes[0], figure.axes[2]
    assert first.get_title(loc="left") == "drop: unresolved"
    assert "median of 12 universes: p = 0.250 (Holm)" in first.texts[0].get_text()
    assert "75% on the claimed side; primary universe: holds" in first.texts[0].get_text()
    assert second.get_title(loc="left") == "less: uninformative"
    assert second.texts[0].get_text().startswith("no test over universes")


def test_below_each_effect_are_its_values_on_every_axis(tables, drawn):
    rows, _ = tables
    _, figure = drawn
    below = figure.axes[1]
    own = rows[(rows["claim"] == "drop") & (rows["verdict"] != "missing")]
    own = own.sort_values("effect", kind="stable").reset_index(drop=True)
    labels = [label.get_text() for label in below.get_yticklabels()]
    covered = {label: set() for label in labels}
    for line in below.lines:
        x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        if len(x) > 2 or np.isnan(x).any():
            for start, stop, _ in x.reshape(-1, 3):
                at = range(round(start + 0.4), round(stop - 0.4) + 1)
                covered[labels[int(y[0] + 0.3)]] |= set(at)
    for axis in ("size", "control", "comparison", "baseline"):
        for value in own[axis].unique():
            expected = set(own.index[own[axis] == value])
            assert covered[value_label(axis, value)] == expected, (axis, value)
    assert len(labels) == len(set(labels)) == 2 * 7


def test_an_axis_with_one_value_has_no_row(drawn):
    _, figure = drawn
    labels = {label.get_text() for label in figure.axes[1].get_yticklabels()}
    assert "grey" not in labels
    assert "uncentred" not in labels


def test_the_page_can_show_each_claim_by_itself(tables, drawn):
    rows, summary = tables
    path, _ = drawn
    caption = claims.figure_caption(rows, 0.9)
    shown = inline(path, "figure9", caption, "claims")
    assert [name for _, name in shown.panels] == summary["claim"].tolist()
    assert f"Left out: {(rows['verdict'] == 'missing').sum()} universes" in caption


def test_the_same_tables_draw_the_same_bytes(tables, drawn, tmp_path):
    draw_claims(*tables, output=tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_bytes() == drawn[0].read_bytes()


def test_a_claim_that_cannot_be_computed_says_so_in_its_panel(tables, tmp_path):
    rows, summary = tables
    lost = rows[rows["claim"] == "drop"].assign(verdict="missing")
    figure = draw_claims(lost, summary.iloc[[0]], output=tmp_path / "one.svg")
    assert "cannot be computed" in [words.get_text() for words in figure.axes[0].texts]


def test_universes_of_other_cells_than_the_verdicts_are_pale(tables, drawn):
    rows, summary = tables
    _, figure = drawn
    for ax, (_, claim) in zip(figure.axes[::2], summary.iterrows(), strict=True):
        own = rows[(rows["claim"] == claim["claim"]) & (rows["verdict"] != "missing")]
        own = own.sort_values("effect", kind="stable").reset_index(drop=True)
        of_cell = own.index[(own[list(ESTIMANDS)] == claim[list(ESTIMANDS)]).all(axis=1)]
        dark = set()
        for line in ax.lines:
            if line.get_linestyle() == "None" and line.get_alpha() == 1:
                dark |= set(line.get_xdata())
        assert dark == set(of_cell)
        assert 0 < len(dark) < len(own)


@pytest.mark.parametrize(
    ("p", "text"), [(0.0003, "< 0.001"), (0.0005, "0.001"), (0.25, "0.250"), (0.0, "0.000")]
)
def test_a_small_p_is_not_written_as_none(p, text):
    assert plain_p(p) == text
    assert str(p_value(p)) == f'<data value="{p!r}">{escape(text)}</data>'
