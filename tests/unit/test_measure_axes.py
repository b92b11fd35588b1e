"""Measures and features as axes: universes counted by hand, refusals, and what jobs are told."""

import re
from dataclasses import replace

import pandas as pd
import pytest

import claim_files
from complete_studies import complete
from rulealign.claims.words import summary_line, value_words
from rulealign.config.load import load_study
from rulealign.errors import ConfigurationError
from rulealign.plan.claims import needs
from rulealign.plan.settings.claims import (
    ClaimsSettings,
    FactsSettings,
    GridSettings,
    MeasuredSettings,
)
from rulealign.plan.universes import PLAIN_WAY, Way, universes
from rulealign.report.claims_figure import value_label, varied_values

ALONE = claim_files.GRID | {
    "crossed": ["features", "measure"],
    "features": ["activations", "gradient", "teaching"],
    "measure": ["rsa", "encoding", "cka"],
    "size": [32],
    "centring": ["uncentred", "centred"],
    "baseline": ["own"],
    "initialisation": {"default": {}},
}
SIGNALS = {"gradient": {"bp": [32], "fa": [32], "untrained_bn": [32]}, "teaching": {"fa": [32]}}
FACTS = replace(claim_files.FACTS, features=SIGNALS)
FA = claim_files.claim("fa", [("fa", 1)], [("fa", 0)])


def found(claim, facts=FACTS, **changes):
    return universes(claim, claim_files.grid(ALONE | changes), facts)


def test_values_that_change_nothing_about_a_measure_make_no_universe():
    # by RSA 1 + descriptor, centring, convention, comparison and control, one more value each: 6
    # by encoding and CKA 1 + descriptor and convention: 3 each; for each of 3 kinds of features
    every = found(FA)
    assert len(every) == 3 * (6 + 3 + 3)
    assert len([one for one in every if one.choices["measure"] == "cka"]) == 9
    for one in every:
        by_grams = one.choices["measure"] != "rsa"
        assert (one.choices["comparison"] == "-") == (one.choices["centring"] == "-") == by_grams
    # all crossed: 2 x 2 x 2 x 2 x 2 by RSA, 2 x 2 by each other measure
    axes = ["features", "measure", "descriptor", "centring", "convention", "comparison", "control"]
    assert len(found(FA, crossed=axes)) == 3 * (32 + 4 + 4)


def test_the_first_values_are_primary_whatever_the_measure():
    for measure in ("encoding", "rsa"):
        values = [measure, *({"rsa", "encoding"} - {measure})]
        primary = [one for one in found(FA, measure=values) if one.primary]
        assert [one.choices["measure"] for one in primary] == [measure]


def test_a_rule_without_teaching_signals_has_universes_that_cannot_be_computed():
    claim = claim_files.claim("both", [("fa", 1)], [("untrained_bn", 0)])
    missing = {one.reason for one in found(claim) if one.choices["features"] == "teaching"}
    assert missing == {"untrained_bn has no teaching signals"}
    assert not any(one.reason for one in found(claim) if one.choices["features"] == "gradient")


def test_teaching_signals_of_one_size_are_missing_at_others():
    teaching = [
        one
        for one in found(FA, size=[32, 224], crossed=["features", "size"])
        if one.choices["features"] == "teaching"
    ]
    reasons = {one.choices["size"]: one.reason for one in teaching}
    assert reasons == {32: "", 224: "teaching signals of fa fit 32 pixels alone, not 224"}


def test_teaching_signals_that_are_the_gradient_count_once():
    signals = {"gradient": {"bp": [32]}, "teaching": {"bp": [32]}}
    facts = replace(FACTS, features=signals, exact=["bp"])
    kinds = [one.choices["features"] for one in found(claim_files.DROP, facts)]
    assert "teaching" not in kinds
    assert kinds.count("gradient") == 12
    # beside a rule whose teaching signals are its own, they are other ones
    signals = {kind: {"bp": [32], "fa": [32]} for kind in signals}
    facts = replace(FACTS, features=signals, exact=["bp"])
    kinds = [one.choices["features"] for one in found(claim_files.LESS, facts)]
    assert kinds.count("teaching") == 12


def test_a_study_that_names_neither_axis_is_told_nothing_of_them(project):
    study = load_study(complete(project / "workflow_config.yaml"))
    told = ClaimsSettings.of(study).plain()
    assert not {"measure", "features"} & set(told["grid"]["values"])
    assert not {"exact", "features"} & set(told["facts"])
    assert list(needs(study)) == [PLAIN_WAY]
    assert not {"measure", "features"} & set(study.complete()["universes"])
    one = found(FA, features=["activations"], measure=["rsa"])[0]
    assert one.choices["comparison"] == "spearman"


@pytest.fixture
def gradients(project):
    return complete(project / "studies/gradients.yaml")


def test_jobs_of_measures_are_told_what_they_use(gradients):
    study = load_study(gradients)
    needed = needs(study)
    arm = ("cnn3", "bp", "IT")
    by_ridge, by_cka, by_rsa = (
        MeasuredSettings.of(study, needed[way][arm], way)
        for way in (Way("encoding", "gradient"), Way("cka", "teaching"), Way("rsa", "gradient"))
    )
    assert (by_ridge.dataset, by_cka.dataset) == ("gradient-own-decision", "teaching")
    assert by_ridge.penalties == study.encoding.penalties
    assert by_cka.penalties is by_rsa.penalties is by_rsa.distance is None
    assert by_ridge.distance == by_cka.distance == "correlation"
    assert [one["comparison"] for one in by_cka.analyses] == ["-"]
    # of untrained networks nothing is asked, and no claim takes teaching signals of bp alone
    grid, facts = GridSettings.of(study), FactsSettings.of(study)
    assert facts.exact == ["bp"]
    assert set(facts.features["teaching"]) == {"bp", "fa"}
    assert grid.values["measure"] == ["encoding", "cka", "rsa"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoding": None}, r"universes\.measure: 'encoding' needs the section `encoding`"),
        ({"encoding": None}, r"universes\.features: 'gradient' is not computed.*`encoding`"),
        (
            {"encoding": {"features": ["activations"]}},
            r"universes\.features: 'teaching' is not computed.*lists activations",
        ),
        ({"universes": {"measure": ["cca"]}}, r"universes\.measure\.0.*'encoding'.*cca"),
        ({"universes": {"features": ["error"]}}, r"universes\.features\.0.*'teaching'.*error"),
        ({"universes": {"measure": []}}, r"universes\.measure"),
    ],
)
def test_axes_without_what_they_need_are_refused(gradients, changes, message):
    for key, value in changes.items():
        gradients[key] = gradients[key] | value if value else value
    with pytest.raises(ConfigurationError, match=re.compile(message, re.DOTALL)):
        load_study(gradients)


def test_voxel_by_voxel_is_refused(project):
    study = complete(project / "studies/things_encoding.yaml")
    study["universes"] = study["universes"] | {"measure": ["rsa", "encoding"]}
    with pytest.raises(ConfigurationError, match=r"universes\.measure: 'encoding' takes all vox"):
        load_study(study)


def test_words_say_the_measure_and_not_what_it_lacks():
    rows = pd.DataFrame(
        {
            "claim": "fa",
            "features": features,
            "measure": measure,
            "comparison": "-" if measure == "cka" else "spearman",
            "verdict": "reversed" if measure == "cka" else "holds",
            "reason": None,
        }
        for features in ("activations", "gradient")
        for measure in ("rsa", "cka")
    ).reindex(columns=["claim", *ALONE, "verdict", "reason"])
    rows = rows.fillna({axis: "x" for axis in ALONE})
    assert summary_line(rows) == "holds by RSA; reversed by CKA (holds in 2 of 4 universes)"
    assert value_words("features", "gradient") == "with gradients"
    assert value_words("comparison", "-") == "by measures without comparison"
    varied = varied_values(rows)
    assert ("comparison", "-") not in varied
    assert [value_label(*one) for one in varied] == ["activations", "gradient", "RSA", "CKA"]
