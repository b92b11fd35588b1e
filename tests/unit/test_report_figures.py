import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from rulealign.config.evaluation import LayerRoi, View
from rulealign.errors import DataError, GuardError
from rulealign.report.figures import draw_accuracy, draw_final, draw_trajectories
from rulealign.report.panels import limits, spread
from rulealign.report.select import at_view, ceiling
from rulealign.report.style import rule_styles

RULES = ["untrained", "bp", "fa"]
VIEW = {"stimuli": "grey", "size": 32, "descriptor": "grid-8", "centring": "centred"}
MAP = [{"layer": "conv1", "roi": "V1"}, {"layer": "fc1", "roi": "IT"}]
SHOWN = View(stimuli="grey", size=32, descriptor="grid-8", centring="centred")
LOOK = {"rules": RULES, "layer_map": [LayerRoi(**pair) for pair in MAP], "view": SHOWN}


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
                **{"rule": rule, "epoch": epoch, "stimuli": stimuli, "size": size, "layer": layer},
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


def _line(ax, label):
    (line,) = [one for one in ax.lines if one.get_label() == label]
    return line


def _segments(ax):
    lines = [tuple(map(tuple, s)) for c in ax.collections for s in c.get_segments()]
    return {tuple(round(v, 9) for point in line for v in point) for line in lines}


def test_lines_and_bars_of_trajectories_are_the_tables_scores_and_intervals(
    alignment, ceilings, tmp_path
):
    figure = draw_trajectories(alignment, ceilings, **LOOK, output=tmp_path / "x.svg")
    for ax, pair in zip(figure.axes, MAP, strict=True):
        assert ax.get_title(loc="left") == f"{pair['layer']} → {pair['roi']}"
        drawn = _segments(ax)
        for rule in RULES:
            rows, line = _rows(alignment, rule, pair), _line(ax, rule)
            assert list(line.get_ydata()) == [row["score"] for row in rows]
            for x, row in zip(line.get_xdata(), rows, strict=True):
                bar = tuple(round(value, 9) for value in (x, row["low"], x, row["high"]))
                assert bar in drawn
        assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "1", "5"]


def test_checkpoints_are_evenly_spaced_and_rules_side_by_side(alignment, ceilings, tmp_path):
    figure = draw_trajectories(alignment, ceilings, **LOOK, output=tmp_path / "x.svg")
    bp, fa = (np.asarray(_line(figure.axes[0], rule).get_xdata()) for rule in ("bp", "fa"))
    assert np.allclose(np.diff(bp), 1)
    assert np.allclose(fa - bp, 0.12)
    assert np.abs(np.concatenate([bp, fa]) - np.tile([0, 1, 2], 2)).max() < 0.5


def test_a_rule_that_does_not_train_is_a_dashed_horizontal_line(alignment, ceilings, tmp_path):
    figure = draw_trajectories(alignment, ceilings, **LOOK, output=tmp_path / "x.svg")
    for ax, pair in zip(figure.axes, MAP, strict=True):
        line = _line(ax, "_frozen untrained")
        score = _rows(alignment, "untrained", pair)[0]["score"]
        assert list(line.get_ydata()) == [score, score]
        assert line.is_dashed()
        assert not any(one.get_label() == "_frozen bp" for one in ax.lines)


def test_a_ceiling_is_drawn_to_scale_or_said_to_be_above_the_axis(alignment, ceilings, tmp_path):
    near, far = draw_trajectories(alignment, ceilings, **LOOK, output=tmp_path / "x.svg").axes
    (band,) = near.patches
    box = band.get_bbox()
    assert (box.y0, box.y1) == (0.1, 0.2)
    assert band.get_hatch() is not None
    assert any(set(line.get_ydata()) == {0.21} for line in near.lines)
    assert near.get_ylim()[1] > 0.21
    assert "noise ceiling 0.100 to 0.200, not informative" in [t.get_text() for t in near.texts]
    assert not far.patches
    assert far.get_ylim()[1] < 0.8
    assert "↑ noise ceiling 0.800 to 0.900" in [t.get_text() for t in far.texts]


def test_the_last_checkpoint_is_drawn_with_interval_seeds_and_the_ceiling_in_view(
    alignment, ceilings, tmp_path
):
    figure = draw_final(alignment, ceilings, **LOOK, output=tmp_path / "x.svg")
    for ax, pair in zip(figure.axes, MAP, strict=True):
        seeds = [list(line.get_xdata()) for line in ax.lines if line.get_label() == "_seeds"]
        for place, rule in enumerate(RULES):
            row = _rows(alignment, rule, pair)[-1]
            assert list(_line(ax, rule).get_xdata()) == [row["score"]]
            assert list(_line(ax, rule).get_ydata()) == [place]
            bar = tuple(round(v, 9) for v in (row["low"], place, row["high"], place))
            assert bar in _segments(ax)
            assert [row["seed_low"], row["seed_high"]] in seeds
        assert ax.get_xlim()[1] > ceiling(ceilings, pair["roi"])["upper"]


def test_subjects_are_dots_beside_the_last_score_and_within_the_axis(alignment, ceilings, tmp_path):
    means = alignment[alignment["convention"] == "per_subject"].drop(columns="convention")
    every = [
        means.assign(seed=seed, subject=subject, score=means["score"] + 0.3 * subject + 0.1 * seed)
        for seed in (1, 2)
        for subject in (1, 2, 3)
    ]
    figure = draw_final(
        alignment, ceilings, **LOOK, output=tmp_path / "x.svg", subjects=pd.concat(every)
    )
    for ax, pair in zip(figure.axes, MAP, strict=True):
        dots = [line for line in ax.lines if line.get_label() == "_subjects"]
        assert len(dots) == len(RULES)
        for place, (rule, line) in enumerate(zip(RULES, dots, strict=True)):
            score = _rows(alignment, rule, pair)[-1]["score"] + 0.15
            assert np.allclose(sorted(line.get_xdata()), [score + 0.3 * n for n in (1, 2, 3)])
            assert set(line.get_ydata()) == {place}
            assert ax.get_xlim()[1] > max(line.get_xdata())


def test_accuracy_lines_are_the_seeds_and_their_mean(tmp_path):
    rows = [("untrained", 1, 0, 0.1), ("untrained", 2, 0, 0.14)]
    for epoch, seed in itertools.product((0, 5, 1), (2, 1)):
        rows.append(("bp", seed, epoch, 0.1 + 0.07 * epoch + 0.02 * seed))
    training = pd.DataFrame(rows, columns=["rule", "seed", "epoch", "held_out_accuracy"])
    figure = draw_accuracy(training, rules=RULES[:2], classes=10, output=tmp_path / "x.svg")
    (ax,) = figure.axes
    assert np.allclose(_line(ax, "bp").get_ydata(), [0.13, 0.2, 0.48])
    assert np.allclose(_line(ax, "_frozen untrained").get_ydata(), 0.12)
    seeds = [list(line.get_ydata()) for line in ax.lines if line.get_label() == "_seed"]
    for expected in ([0.12, 0.19, 0.47], [0.14, 0.21, 0.49], [0.1], [0.14]):
        assert any(len(one) == len(expected) and np.allclose(one, expected) for one in seeds)
    assert any(list(line.get_ydata()) == [0.1, 0.1] and line.is_dashed() for line in ax.lines)


@pytest.mark.parametrize("last", [0.4, 0.1])
def test_the_labels_of_17_rules_and_chance_do_not_touch(tmp_path, last):
    rules = [f"untrained_bn_objects_{number}" for number in range(17)]
    ends = {rule: last + place / 1000 for place, rule in enumerate(rules)}
    rows = [(rule, 1, epoch, ends[rule] * epoch) for rule in rules for epoch in (0, 1)]
    training = pd.DataFrame(rows, columns=["rule", "seed", "epoch", "held_out_accuracy"])
    figure = draw_accuracy(training, rules=rules, classes=10, output=tmp_path / "x.svg")
    (ax,) = figure.axes
    boxes = {text.get_text(): text.get_window_extent() for text in ax.texts}
    assert sorted(boxes) == sorted([*rules, "chance"])
    upwards = sorted(boxes.values(), key=lambda box: box.y0)
    assert all(below.y1 <= above.y0 for below, above in itertools.pairwise(upwards))
    assert upwards[0].y0 >= 0
    assert upwards[-1].y1 <= figure.bbox.height
    assert all(box.x1 <= figure.bbox.width for box in upwards)


def test_a_missing_rule_is_called_not_measured(alignment, ceilings, tmp_path):
    figure = draw_final(
        alignment[alignment["rule"] != "fa"], ceilings, **LOOK, output=tmp_path / "x.svg"
    )
    for ax in figure.axes:
        assert [text.get_position()[1] for text in ax.texts if "not measured" in text.get_text()]


def test_a_missing_score_is_a_gap_and_no_earlier_one_stands_in_for_it(
    alignment, ceilings, tmp_path
):
    holes = alignment.copy()
    values = ["score", "low", "high", "seed_low", "seed_high"]
    holes.loc[(holes["rule"] == "bp") & (holes["epoch"] == 1), values] = np.nan
    holes.loc[(holes["rule"] == "fa") & (holes["epoch"] == 5), values] = np.nan
    course = draw_trajectories(holes, ceilings, **LOOK, output=tmp_path / "x.svg").axes[0]
    assert list(np.isnan(_line(course, "bp").get_ydata())) == [False, True, False]
    last = draw_final(holes, ceilings, **LOOK, output=tmp_path / "x.svg").axes[0]
    assert not any(line.get_label() == "fa" for line in last.lines)
    assert any("not measured" in text.get_text() for text in last.texts)


def _across_runs(alignment, ceilings):
    own = ceilings.assign(pairs="cross_run", lower=0.03, upper=0.04)
    return alignment.assign(pairs="cross_run"), pd.concat([ceilings, own])


@pytest.mark.parametrize("scale", [1, 0.07, -0.07])
@pytest.mark.parametrize("draw", [draw_trajectories, draw_final])
def test_nothing_reaches_out_of_its_panels_rectangle(alignment, ceilings, tmp_path, draw, scale):
    scores = alignment[["score", "low", "high", "seed_low", "seed_high"]] * scale
    ends = {"low": scores[["low", "high"]].min(axis=1), "high": scores[["low", "high"]].max(axis=1)}
    scaled = alignment.assign(**{**scores, **ends})
    figure = draw(*_across_runs(scaled, ceilings), **LOOK, output=tmp_path / "x.svg")
    half, height = figure.bbox.width / 2, figure.bbox.height
    for place, ax in enumerate(figure.axes):
        reach = ax.get_tightbbox()
        assert place * half <= reach.x0 < reach.x1 <= (place + 1) * half
        assert 0 <= reach.y0 < reach.y1 <= height


@pytest.mark.parametrize("draw", [draw_trajectories, draw_final])
def test_the_same_table_gives_the_same_bytes(alignment, ceilings, tmp_path, draw):
    for name in ("one.svg", "other.svg"):
        draw(alignment, ceilings, **LOOK, output=tmp_path / name)
    one = (tmp_path / "one.svg").read_bytes()
    assert one == (tmp_path / "other.svg").read_bytes()
    assert b"dc:date" not in one
    assert b"<title>Alignment" in one


def test_rules_differ_in_more_than_colour():
    looks = list(rule_styles([f"rule_{number}" for number in range(84)]).values())
    assert len({(look.colour, look.marker, look.dashes) for look in looks}) == 84
    for one, other in itertools.combinations(looks[:12], 2):
        assert one.marker != other.marker
    for one, other in itertools.pairwise(looks):
        assert to_hex(one.colour) != to_hex(other.colour)
        assert one.dashes != other.dashes


def test_labels_move_apart_by_the_least_that_is_needed():
    assert np.allclose(spread([1, 2, 3], 0.5, 0, 4), [1, 2, 3])
    # least squares: equal values move apart about their mean
    assert np.allclose(spread([2, 2, 2], 0.5, 0, 4), [1.5, 2, 2.5])
    assert np.allclose(spread([3.9, 4.0], 0.5, 0, 4), [3.5, 4.0])
    assert np.allclose(spread([0.0, 0.1], 0.5, 0, 4), [0.0, 0.5])


def test_limits_hold_zero_every_interval_and_a_near_ceiling():
    rows = pd.DataFrame({"low": [0.02, 0.05], "high": [0.06, 0.1]})
    far = pd.Series({"lower": 0.3, "upper": 0.4, "null_upper_high": 0.2})
    low, high, shown = limits(rows, far, always=False)
    assert (low < 0, 0.1 < high < 0.2, shown) == (True, True, False)
    low, high, shown = limits(rows, far, always=True)
    assert (low < 0, high > 0.4, shown) == (True, True, True)
    near = pd.Series({"lower": 0.1, "upper": 0.2, "null_upper_high": 0.25})
    assert limits(rows, near, always=False)[2]


def test_conventions_are_never_mixed(alignment, ceilings):
    for convention in ("per_subject", "mean_rdm"):
        rows = at_view(alignment, SHOWN, convention=convention)
        assert set(rows["convention"]) == {convention}
    with pytest.raises(DataError, match="0 rows for V1, mean_rdm"):
        ceiling(ceilings, "V1", convention="mean_rdm")


@pytest.mark.parametrize("draw", [draw_trajectories, draw_final])
def test_ceilings_of_another_convention_are_not_drawn(alignment, ceilings, tmp_path, draw):
    other = ceilings.assign(convention="mean_rdm")
    for faulty in (other, pd.concat([ceilings, other])):
        with pytest.raises(GuardError, match=r"mean_rdm.*per_subject"):
            draw(alignment, faulty, **LOOK, output=tmp_path / "x.svg")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("draw", [draw_trajectories, draw_final])
def test_scores_over_pairs_in_different_runs_say_so_and_have_their_own_ceiling(
    alignment, ceilings, tmp_path, draw
):
    figure = draw(*_across_runs(alignment, ceilings), **LOOK, output=tmp_path / "x.svg")
    for ax in figure.axes:
        label = ax.get_ylabel() if draw is draw_trajectories else ax.get_xlabel()
        assert label == "Spearman's ρ, pairs in different runs,\nmean of subjects"
        assert any("noise ceiling 0.030 to 0.040" in text.get_text() for text in ax.texts)


@pytest.mark.parametrize("draw", [draw_trajectories, draw_final])
def test_scores_and_ceilings_over_different_pairs_are_not_drawn(
    alignment, ceilings, tmp_path, draw
):
    across, _ = _across_runs(alignment, ceilings)
    for faulty in (across, pd.concat([alignment, across])):
        with pytest.raises(GuardError, match=r"'all', 'cross_run'"):
            draw(faulty, ceilings, **LOOK, output=tmp_path / "x.svg")
    assert not list(tmp_path.iterdir())


def test_what_the_table_lacks_or_has_twice_is_an_error(alignment, ceilings, tmp_path):
    large = LOOK | {"view": SHOWN.model_copy(update={"size": 224})}
    with pytest.raises(DataError, match="no rows for stimuli grey, 224 px"):
        draw_final(alignment, ceilings, **large, output=tmp_path / "x.svg")
    elsewhere = [LayerRoi(layer="conv3", roi="V1")]
    with pytest.raises(DataError, match="no scores of conv3 with V1"):
        draw_final(alignment, ceilings, **{**LOOK, "layer_map": elsewhere}, output=tmp_path / "x")
    twice = pd.concat([alignment, alignment])
    with pytest.raises(DataError, match="twice for one epoch"):
        draw_trajectories(twice, ceilings, **LOOK, output=tmp_path / "x.svg")
    assert not list(tmp_path.iterdir())
