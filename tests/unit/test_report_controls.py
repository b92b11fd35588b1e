"""Controls are drawn in the same panels as layers, and say so where they have no score."""

import itertools

import numpy as np
import pandas as pd
import pytest

from rulealign.config.evaluation import LayerRoi, View
from rulealign.errors import DataError, GuardError
from rulealign.report import controls
from rulealign.report.figures import draw_final, draw_trajectories

RULES = ["untrained", "bp"]
VIEW = {"stimuli": "grey", "size": 32, "descriptor": "grid-8", "centring": "centred"}
MAP = [{"layer": "conv1", "roi": "V1"}, {"layer": "conv2", "roi": "IT"}]
SHOWN = View(stimuli="grey", size=32, descriptor="grid-8", centring="centred")
LOOK = {"rules": RULES, "layer_map": [LayerRoi(**pair) for pair in MAP], "view": SHOWN}
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
        keys = {"rule": rule, "epoch": epoch, "layer": layer, "roi": roi, **VIEW}
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


def lines_of(ax):
    return {
        line.get_label().removeprefix("_control "): line
        for line in ax.lines
        if str(line.get_label()).startswith("_control ")
    }


def test_trajectories_have_a_labelled_line_at_each_controls_score(
    alignment, ceilings, scores, tmp_path
):
    output = tmp_path / "x.svg"
    figure = draw_trajectories(alignment, ceilings, **LOOK, output=output, controls=scores)
    for ax, pair in zip(figure.axes, MAP, strict=True):
        lines = lines_of(ax)
        assert set(lines) == {"pixels", "contrast"}
        low, high = ax.get_ylim()
        for name, line in lines.items():
            expected = row_of(scores, name, pair["roi"])["score"]
            assert list(line.get_ydata()) == [expected, expected]
            assert low < expected < high
        assert {"pixels", "contrast"} <= {text.get_text() for text in ax.texts}
        assert "silhouette" not in {text.get_text() for text in ax.texts}


def test_the_last_checkpoint_has_a_row_per_control_with_interval_or_none(
    alignment, ceilings, scores, tmp_path
):
    output = tmp_path / "x.svg"
    figure = draw_final(alignment, ceilings, **LOOK, output=output, controls=scores)
    for ax, pair in zip(figure.axes, MAP, strict=True):
        labels = [text.get_text() for text in ax.get_yticklabels()]
        assert labels[:2] == RULES
        assert sorted(labels[2:]) == sorted(NAMES)
        segments = [tuple(map(tuple, s)) for c in ax.collections for s in c.get_segments()]
        low, high = ax.get_xlim()
        for name, line in lines_of(ax).items():
            row, place = row_of(scores, name, pair["roi"]), labels.index(name)
            assert (line.get_xdata()[0], line.get_ydata()[0]) == (row["score"], place)
            assert ((row["low"], place), (row["high"], place)) in segments
            assert low < row["low"] < row["high"] < high
        (none,) = [text for text in ax.texts if text.get_text() == " none"]
        assert none.get_position()[1] == labels.index("silhouette")


def test_without_controls_figures_are_what_they_were(alignment, ceilings, tmp_path):
    for draw in (draw_trajectories, draw_final):
        figure = draw(alignment, ceilings, **LOOK, output=tmp_path / "x.svg")
        assert not any(lines_of(ax) for ax in figure.axes)


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


def test_controls_of_another_view_roi_or_pairs_are_refused(alignment, ceilings, scores, tmp_path):
    with pytest.raises(DataError, match="no rows of .*'size': 128"):
        controls.at_view(scores, SHOWN.model_copy(update={"size": 128}), alignment)
    with pytest.raises(GuardError, match="different pairs"):
        controls.at_view(scores.assign(pairs="cross_run"), SHOWN, alignment)
    fewer = scores[(scores["roi"] != "IT") | (scores["control"] != "pixels")]
    with pytest.raises(DataError, match="for IT, not each of"):
        draw_final(alignment, ceilings, **LOOK, output=tmp_path / "x.svg", controls=fewer)
