"""Claims in a real run: what they need is made, and a changed claim remakes nothing else."""

import copy
import html

import pandas as pd
import pytest

from changed_study import counts
from interrupted import copy_of
from rulealign.claims.verdicts import VERDICTS


@pytest.fixture
def changed(finished, tmp_path):
    """Give a copy of the finished study, whose claims may be changed."""
    return copy_of(finished, tmp_path)


def planned(run):
    plan = run.snakemake("--dry-run", check=True).output
    return counts(plan)


def test_every_claim_is_evaluated_and_on_the_page(finished):
    results = finished.folder / "results/small"
    claims = pd.read_csv(results / "statistics/claims.csv", keep_default_na=False)
    # 2 descriptors x (1 + convention, comparison, control and baseline varied alone)
    assert claims["claim"].tolist() == ["bp_drop"] * 10
    assert set(claims["verdict"]) <= set(VERDICTS)
    assert (claims.loc[claims["verdict"] == "missing", "reason"] != "").all()
    names = {path.name for path in (results / "alignment").glob("*_universes.csv")}
    assert names == {
        f"net-cnn3_rule-{rule}_roi-EVC_universes.csv" for rule in ("bp", "untrained_bn")
    }
    page = (results / "report.html").read_text()
    assert 'id="claims"' in page
    assert finished.study["claims"]["bp_drop"]["statement"] in html.unescape(page)


def test_the_primary_universe_is_the_difference_of_two_alignments(finished):
    results = finished.folder / "results/small"
    alignment = pd.read_csv(results / "alignment/net-cnn3_rule-bp_roi-EVC.csv")
    own = alignment[
        (alignment["layer"] == "conv1")
        & (alignment["descriptor"] == "grid-2")
        & (alignment["convention"] == "per_subject")
    ].set_index("epoch")
    claims = pd.read_csv(results / "statistics/claims.csv")
    first = claims[claims["primary"]]
    expected = own.loc[1, "score"] - own.loc[0, "score"]
    assert first["effect"].item() == pytest.approx(expected, abs=1e-9)


def test_a_claim_over_another_rule_makes_that_rules_universes_only(changed):
    other = copy.deepcopy(changed.study["claims"]["bp_drop"])
    for side in ("plus", "minus"):
        other[side][0]["rule"] = "fa"
    changed.study["claims"]["fa_drop"] = other
    plan = planned(changed)
    assert plan["universes"] == 1
    assert plan["claims"] == 1
    assert not {"train", "activations", "alignment", "controls"} & set(plan)


def test_another_smallest_effect_scores_nothing_again(changed):
    changed.study["claims"]["bp_drop"]["smallest_effect"] = {
        "value": 0.01,
        "reason": "a fifth of the fall",
    }
    plan = planned(changed)
    assert plan["claims"] == 1
    assert not {"universes", "train", "alignment"} & set(plan)


def test_a_study_without_claims_plans_none_of_them(changed):
    changed.study["claims"] = {}
    plan = planned(changed)
    assert not {"universes", "claims", "claims_figure"} & set(plan)


def test_a_claim_over_what_the_study_lacks_stops_before_any_job(changed):
    changed.study["claims"]["bp_drop"]["roi"] = "V1"
    refused = changed.snakemake("--dry-run")
    assert refused.returncode != 0
    assert "claims.bp_drop.roi: there is no 'V1'; brain.rois lists ['EVC']" in refused.output


def test_a_claim_about_a_level_shuffles_stimuli_in_the_jobs_that_it_needs(changed):
    level = copy.deepcopy(changed.study["claims"]["bp_drop"])
    level |= {"minus": [], "direction": "positive"}
    changed.study["claims"]["bp_level"] = level
    table = "results/small/statistics/specification_curves.csv"
    plan = counts(changed.snakemake("--dry-run", table, check=True).output)
    assert {name: plan[name] for name in ("universes", "claims")} == {"universes": 1, "claims": 1}
    changed.snakemake(table, check=True)
    curves = pd.read_csv(changed.folder / table).set_index("claim")
    assert set(curves.loc["bp_drop", "null"]) == {"no difference"}
    assert set(curves.loc[["bp_level"], "null"]) == {"no alignment"}
    smallest = 1 / (changed.study["statistics"]["null_draws"] + 1)
    assert curves.loc[["bp_level"], "p"].dropna().ge(smallest - 1e-9).all()
