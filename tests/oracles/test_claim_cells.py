"""Verdicts over cells against the table of universes, plain loops, and a planted level."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import claim_files
from claim_files import DROP, LESS, SEEDS
from rulealign.claims.cells import curves_table
from rulealign.claims.evaluate import evaluate
from rulealign.claims.specification_curve import InErrors
from rulealign.config.universes import ESTIMANDS, listed_axes
from rulealign.errors import GuardError

LEVEL = claim_files.claim("level", [("bp", 1)], [], direction="positive")
NOISE = claim_files.claim("noise", [("fa", 1)], [], direction="positive")
RULES = {"bp": 0.15, "fa": 0.0, "untrained_bn": 0.2, "bp_normal": 0.15}


def shuffled(rule, level):
    """Give shuffled scores that rows share most of, as universes do."""
    rng, number = np.random.default_rng(len(rule)), len(list(claim_files.keys(rule)))
    return 0.01 * rng.standard_normal((300, 1)) + 0.004 * rng.standard_normal((300, number))


def run(folder, *claims, levels=True, **changes):
    told = {rule: {"shuffles": shuffled(rule, level)} for rule, level in RULES.items()}
    told["fa"]["change"] = lambda rows, people: people - people.mean() + 0.002
    files = claim_files.write_all(folder, **(told if levels else {}))
    made = [folder / f"{name}.csv" for name in ("claims", "summary", "curves")]
    evaluate(*files, claim_files.settings(*claims, **changes), *made)
    return [pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in made]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return run(tmp_path_factory.mktemp("cells"), DROP, LESS, LEVEL, NOISE)


def test_cells_are_the_universes_that_agree_in_what_they_estimate(tables):
    universes, _, curves = tables
    keys = ["claim", *listed_axes(curves, ESTIMANDS)]
    assert not curves.duplicated(keys).any()
    groups = universes.groupby(keys)
    assert len(curves) == len(groups)
    for _, row in curves.iterrows():
        own = groups.get_group(tuple(row[keys]))
        there = own[own["verdict"] != "missing"]
        assert row["universes"] == len(there)
        assert row["missing"] == len(own) - len(there)
        for word in ("holds", "reversed", "unresolved"):
            assert row[word] == (own["verdict"] == word).sum()
        assert row["primary"] == own["primary"].any()
        if len(there):
            side = 1 if row["claim"] in ("less", "level", "noise") else -1
            assert row["claimed_side"] == pytest.approx((side * there["effect"] > 0).mean())
        if len(there) and row["claim"] in ("drop", "less"):
            errors = there["effect"] / there["standard_error"]
            assert row["median"] == pytest.approx(np.median(errors))
            assert row["null"] == "no difference"


def test_p_of_primary_cells_is_adjusted_over_the_claims_and_gives_the_verdict(tables):
    _, _, curves = tables
    level, ordered = 1 - claim_files.INTERVAL, curves.query("primary").sort_values("p")
    assert ordered["family_size"].tolist() == [4] * 4
    largest = 0.0
    for rank, (_, row) in enumerate(ordered.iterrows()):
        largest = max(largest, min(1.0, (4 - rank) * row["p"]))
        assert row["p_adjusted"] == pytest.approx(largest)
        side = np.sign(row["median"]) * (-1 if row["claim"] == "drop" else 1)
        expected = "unresolved" if largest > level else "holds" if side > 0 else "reversed"
        assert row["verdict"] == expected


def test_a_cell_without_a_universe_has_no_p_and_says_why(tables):
    _, _, curves = tables
    lost = curves[curves["p"].isna()]
    assert len(lost)
    assert set(lost["verdict"]) == {"missing"}
    assert lost["reason"].map(type).eq(str).all()
    assert lost["p_adjusted"].isna().all()


def grid(claims, medians, nulls):
    """Give what `curves_table` takes: per claim a cell of one universe for each median."""
    rows, found = [], []
    for claim in claims:
        for place, (median, null) in enumerate(zip(medians, nulls, strict=True)):
            where = dict.fromkeys(ESTIMANDS, "one") | {"claim": claim.label, "size": place}
            told = {"verdict": "holds", "reason": None, "effect": median}
            rows.append(where | told | {"primary": place == 0})
            found.append(InErrors(median, null))
    return pd.DataFrame(rows), found, claims, 0.95


def declared(label):
    return replace(LESS, label=label)


def test_other_cells_are_adjusted_by_the_largest_of_them_in_a_plain_loop():
    rng = np.random.default_rng(1)
    nulls = (rng.normal(size=99) + rng.normal(size=(5, 99))) * np.arange(1, 6)[:, None]
    medians = np.array([0.1, 3.0, -9.0, 4.0, 20.0])
    found = curves_table(*grid([declared("one")], medians, nulls))
    spread = nulls[1:].std(axis=1)
    for place in range(1, 5):
        larger = 0
        for draw in range(99):
            units = [abs(nulls[cell, draw]) / spread[cell - 1] for cell in range(1, 5)]
            larger += max(units) >= abs(medians[place]) / spread[place - 1]
        row = found.loc[place]
        assert row["p_adjusted"] == pytest.approx((larger + 1) / 100)
        assert row["p_adjusted"] >= row["p"]
        assert row["family_size"] == 4


def test_what_is_plain_holds_however_many_cells_there_are():
    rng = np.random.default_rng(2)
    claims = [declared(f"claim {number}") for number in range(9)]
    nulls = rng.normal(size=(31, 1000))  # 279 cells: by Holm none could be below .27
    found = curves_table(*grid(claims, np.full(31, 50.0), nulls))
    assert set(found["verdict"]) == {"holds"}


def test_where_nothing_is_there_a_grid_has_a_verdict_as_seldom_as_one_cell():
    rng, any_verdict = np.random.default_rng(3), 0
    for _ in range(400):
        drawn = 0.7 * rng.normal(size=200) + 0.7 * rng.normal(size=(26, 200))
        found = curves_table(*grid([declared("one")], drawn[:, 0], drawn[:, 1:]))
        any_verdict += (found.query("not primary")["verdict"] != "unresolved").any()
    assert 8 <= any_verdict <= 34  # 20 expected; binomial, p < .002 on either side


def test_the_summary_begins_with_the_cell_of_the_primary_universe(tables):
    universes, summary, curves = tables
    names = ["verdict", "reason", "universes", "median", "p"]
    for _, row in summary.iterrows():
        (first,) = universes.query("claim == @row.claim and primary").to_dict("records")
        own = curves[curves["claim"] == row["claim"]]
        asked = listed_axes(own, ESTIMANDS)
        (cell,) = own[(own[asked] == pd.Series(first)[asked]).all(axis=1)].index
        found = row[[f"cell_{name}" for name in names] + ["claimed_side"]].to_list()
        expected = curves.loc[cell, [*names, "claimed_side"]].to_list()
        assert row["cell_p_holm"] == curves.loc[cell, "p_adjusted"]
        pd.testing.assert_series_equal(pd.Series(found), pd.Series(expected))


def test_a_planted_level_is_found_against_no_alignment_and_noise_is_not(tables):
    _, _, curves = tables
    own = curves.set_index("claim").query("primary")
    assert own.loc["level", "null"] == "no alignment"
    assert own.loc["level", ["p", "verdict"]].tolist() == [pytest.approx(1 / 301), "holds"]
    assert own.loc["noise", "verdict"] == "unresolved"
    assert own.loc["noise", "p"] > 0.3


def test_the_p_of_a_level_is_a_plain_loop(tables, tmp_path):
    universes, _, curves = tables
    row = curves.query("claim == 'noise' and primary").iloc[0]
    own = universes.query("claim == 'noise'")
    asked = listed_axes(own, ESTIMANDS)
    own = own[(own[asked] == row[asked]).all(axis=1)]
    keys = list(claim_files.keys("fa"))
    every = shuffled("fa", 0).astype(np.float32).astype(float)
    columns = []
    for one in own.itertuples():
        wanted = (1, one.stimuli, one.size, "conv1", one.descriptor, one.centring, "V1")
        wanted += (one.convention, one.pairs, one.comparison, one.control)
        places = [keys.index(("cnn3", "fa", seed, *wanted)) for seed in SEEDS["fa"]]
        column = np.append(every[:, places].mean(axis=1), one.effect)
        columns.append(column / column.std())
    medians = np.abs(np.median(columns, axis=0))
    assert row["p"] == pytest.approx((medians >= medians[-1] - 1e-12).sum() / 301)


def test_a_level_without_shuffled_scores_stops_the_run(tmp_path):
    with pytest.raises(GuardError, match="no scores with shuffled stimuli"):
        run(tmp_path, LEVEL, levels=False)


def test_what_is_uninformative_is_in_no_curve():
    where = dict.fromkeys(ESTIMANDS, "one") | {"claim": "drop", "primary": True}
    noisy = where | {"verdict": "uninformative", "reason": "too noisy", "effect": -9.0}
    clear = where | {"verdict": "holds", "reason": None, "effect": -1.0}
    null = np.linspace(-1, 1, 99)
    found = [InErrors(-99.0, null), InErrors(-3.0, null)]
    (row,) = curves_table(pd.DataFrame([noisy, clear]), found, [DROP], 0.95).to_dict("records")
    assert (row["universes"], row["uninformative"], row["median"]) == (1, 1, -3.0)
    assert (row["p"], row["verdict"], row["claimed_side"]) == (0.01, "holds", 1.0)
    (row,) = curves_table(pd.DataFrame([noisy]), found[:1], [DROP], 0.95).to_dict("records")
    assert (row["verdict"], row["reason"], row["universes"]) == ("uninformative", "too noisy", 0)
    assert row["p"] is None
