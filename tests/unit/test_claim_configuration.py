"""Claims and universes that are misspelt or impossible are refused before any job, by name."""

import re

import pytest

from complete_studies import complete
from no_claims import without_claims
from rulealign.config.load import load_study
from rulealign.errors import ConfigurationError
from rulealign.plan import claims as claim_stages
from rulealign.plan.settings.claims import ClaimSettings, UniverseSettings
from rulealign.plan.universes import PLAIN_WAY
from rulealign.rsa.comparisons import REGISTRY


@pytest.fixture
def default(project):
    return complete(project / "workflow_config.yaml")


@pytest.fixture
def real(project):
    return complete(project / "studies/cichy92.yaml")


SIDES = ("plus", "minus")


def refused(values, message):
    with pytest.raises(ConfigurationError, match=re.compile(message, re.DOTALL)):
        load_study(values)


def put(values, path, value):
    *keys, last = path
    section = values
    for key in keys:
        section = section[key]
    section[last] = value
    return values


@pytest.mark.parametrize(
    ("axis", "value", "message"),
    [
        ("crossed", ["colour"], r"universes\.crossed\.0.*'stimuli'.*colour"),
        ("crossed", ["size", "size"], r"universes\.crossed: 'size' is listed twice"),
        ("stimuli", ["grey"], r"universes\.stimuli: there is no 'grey'.*\['shown'\]"),
        ("size", [], r"universes\.size"),
        ("size", [32, 32], r"universes\.size: 32 is listed twice"),
        ("size", [96], r"universes\.size: \[96\] lacks the training size 32; .* Add it"),
        ("size", [64], r"universes\.size: there is no 64;.*\[32, 96\]"),
        ("descriptor", ["grid-4"], r"universes\.descriptor: there is no 'grid-4'.*grid-8"),
        ("centring", ["half"], r"universes\.centring\.0.*uncentred"),
        ("pairs", ["within"], r"universes\.pairs\.0.*cross_run"),
        ("pairs", ["all", "cross_run"], r"universes\.pairs: 'cross_run' needs .* several runs"),
        ("convention", ["median"], r"universes\.convention\.0.*mean_rdm"),
        ("comparison", ["euclid"], r"universes\.comparison\.0.*kendall_tau_a.*euclid"),
        ("control", ["none", "hue"], r"universes\.control: 'hue': there is no 'hue'.*pixels"),
        ("control", ["pixels+pixels"], "'pixels.pixels' names a control twice"),
        ("control", ["pixels+contrast", "contrast+pixels"], "listed twice, in different order"),
        ("layer", ["nested"], r"universes\.layer: unknown key"),
        ("resample", ["stimuli"], r"universes\.resample: unknown key"),
        ("baseline", ["bb"], r"universes\.baseline: there is no 'bb'.*'own', 'untrained'"),
        ("initialisation", {"a": {"bp": "fa"}}, r"universes\.initialisation\.a: replaces.*be \{\}"),
        ("initialisation", {"a": {}, "b": {}}, r"universes\.initialisation\.b: replaces no rule"),
        ("initialisation", {"a": {}, "b": {"bp": "x"}}, r"initialisation\.b: there is no 'x'"),
        ("initialisation", {"a": {}, "b": {"bp": "untrained"}}, "cannot stand for 'bp'"),
        ("initialisation", {}, r"universes\.initialisation"),
    ],
)
def test_an_impossible_grid_is_refused_by_name(default, axis, value, message):
    refused(put(default, ("universes", axis), value), message)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("layer", "conv7", r"claims\.bp_drop\.layer: there is no 'conv7'.*conv1"),
        ("roi", "V9", r"claims\.bp_drop\.roi: there is no 'V9'.*'V1'"),
        ("plus", [], r"claims\.bp_drop\.plus"),
        ("plus", [{"rule": "dfa", "epoch": 1}], r"plus\.0\.rule: there is no 'dfa'.*untrained"),
        (
            "plus",
            [{"rule": "bp", "epoch": 3}],
            r"plus\.0\.epoch: there is no 3; 'bp'.*\[0, 1, 10\]",
        ),
        (
            "plus",
            [{"rule": "untrained", "epoch": 1}],
            r"epoch: there is no 1; 'untrained'.*\[0\]",
        ),
        ("plus", [{"rule": "bp", "epoch": 0}], "plus and minus are equal"),
        ("plus", [{"rule": "bp", "epoch": 1}] * 2, "plus has 2 terms and minus 1; .* both sides"),
        ("direction", "up", r"claims\.bp_drop\.direction.*positive"),
        ("smallest_effect", 0, "smallest_effect: 0 is no smallest effect .*; write none where no"),
        (
            "smallest_effect",
            0.02,
            r"0.02 is no .*; write \{value: 0.02, reason: \.\.\.\}, with why",
        ),
        ("smallest_effect", {"value": 0, "reason": "so it is"}, r"smallest_effect\.value.*above 0"),
        (
            "smallest_effect",
            {"value": -1, "reason": "so it is"},
            r"smallest_effect\.value.*above 0",
        ),
        ("smallest_effect", {"value": 0.1, "reason": "small"}, r"effect\.reason.*is no reason"),
        ("smallest_effect", {"value": 0.1}, r"smallest_effect\.reason: missing"),
        ("family", "", r"claims\.bp_drop\.family"),
        ("layer", ["conv1", "conv2"], r"plus\.0: says no layer, and the claim names .*conv2"),
        ("roi", ["V1", "IT"], r"plus\.0: says no roi, and the claim names .*IT"),
        ("colour", "red", r"claims\.bp_drop\.colour: unknown key"),
        ("plus", [{"rule": "bp", "epoch": 1, "roi": "IT"}], r"plus\.0\.roi: there is no 'IT'.*V1"),
    ],
)
def test_an_impossible_claim_is_refused_by_name(default, key, value, message):
    refused(put(default, ("claims", "bp_drop", key), value), message)


@pytest.mark.parametrize(
    ("named", "evidence", "message"),
    [
        (
            "conv1",
            "fc1",
            r"plus\.0\.layer: the claim names conv1, but its evidence is of fc1, downstream",
        ),
        ("fc1", "conv1", r"names fc1, but its evidence is of conv1, upstream of it"),
        (["conv1", "conv3"], "conv2", "evidence is of conv2, which lies between them"),
    ],
)
def test_evidence_of_another_layer_than_the_claims_is_refused(default, named, evidence, message):
    one = default["claims"]["bp_drop"]
    one |= {"layer": named, "plus": [{"rule": "bp", "epoch": 1, "layer": evidence}]}
    one["minus"] = [{"rule": "bp", "epoch": 0, "layer": evidence}]
    refused(default, message)


def test_a_claim_over_two_layers_takes_evidence_of_both(default):
    one = default["claims"]["bp_drop"]
    one |= {"layer": ["conv1", "fc1"], "plus": [{"rule": "bp", "epoch": 1, "layer": "fc1"}]}
    one["minus"] = [{"rule": "bp", "epoch": 1, "layer": "conv1"}]
    claim = load_study(default).claims["bp_drop"]
    assert claim.terms("plus") == [("bp", 1, "fc1", "V1", None, 1.0)]
    assert claim.terms("minus") == [("bp", 1, "conv1", "V1", None, 1.0)]


@pytest.mark.parametrize(
    ("key", "named", "message"),
    [
        ("layer", ["conv1", "fc1"], r"layer: names conv1, but no term is of it"),
        ("roi", ["IT", "V1"], r"roi: names IT, but no term is of it"),
    ],
)
@pytest.mark.parametrize("cancelling", [False, True])
def test_what_a_claim_names_has_evidence_of_its_own(default, key, named, message, cancelling):
    one = default["claims"]["bp_drop"]
    one[key] = named
    for side in ("plus", "minus"):
        one[side][0][key] = named[1]
        if cancelling:  # a term of each, on both sides, is no evidence
            one[side].append({"rule": "bp", "epoch": 0, key: named[0]})
    refused(default, message)


def test_a_primary_universe_that_cannot_be_computed_is_refused(default):
    claim_stages.require_primaries(load_study(default))
    default["universes"]["convention"] = ["mean_rdm", "per_subject"]
    claim_stages.require_primaries(load_study(default))
    default["statistics"]["generalise_to"] = "subjects"
    message = "claims.bp_drop: .*convention mean_rdm.*the mean RDM has no scores of single subjects"
    with pytest.raises(ConfigurationError, match=message):
        claim_stages.require_primaries(load_study(default))


def test_a_smallest_effect_has_its_reason_or_is_none(default):
    default["claims"]["bp_drop"]["smallest_effect"] = {"value": 0.02, "reason": "half the report"}
    study = load_study(default)
    told = ClaimSettings.of(study, "bp_drop")
    assert told.smallest_effect == 0.02
    assert told.smallest_effect_reason == "half the report"
    assert ClaimSettings.of(study, "fa_drop").smallest_effect is None


def test_another_learning_rule_is_no_other_initialisation(default, real):
    swapped = {"default": {}, "normal": {"bp": "fa"}}
    refused(
        put(default, ("universes", "initialisation"), swapped),
        r"initialisation.normal: 'fa' cannot stand for 'bp': they differ in kind \('bp' and 'fa'\)",
    )
    real["rules"]["bp_normal"]["learning_rate"] = 0.01
    refused(real, r"'bp_normal' cannot stand for 'bp': they differ in learning_rate \(0.001 and")


def test_mistakes_name_the_file_and_what_yaml_makes_of_an_empty_key(default):
    default["claims"] = None
    with pytest.raises(
        ConfigurationError,
        match=r"^studies/mine.yaml has mistakes:\n  claims: must "
        r"be a section of keys and values, not null; write \{\} for none",
    ):
        load_study(default, "studies/mine.yaml")


def test_given_rdms_have_no_runs(real):
    refused(put(real, ("universes", "pairs"), ["all", "cross_run"]), "'rdm-archive' has no runs")


def test_claims_generalise_to_subjects_only_where_there_are_enough_of_them(default):
    assert load_study(default).statistics.generalise_to == "stimuli"
    for goal in ("subjects", "both"):
        default["statistics"]["generalise_to"] = goal
        load_study(put(default, ("brain", "subjects"), 3))
        message = rf"statistics.generalise_to: '{goal}' needs 3 subjects, and V1 has 2 \(brain"
        refused(put(default, ("brain", "subjects"), 2), message)
        load_study(without_claims(default))
    refused(put(default, ("statistics", "generalise_to"), "seeds"), "generalise_to.*'subjects'")


def test_claims_generalise_to_the_subjects_of_their_own_roi(real):
    put(real, ("statistics", "generalise_to"), "both")
    load_study(real)  # nineteen subjects, of whom four have the third ROI
    two = real["claims"]["bp_gains_conv3"] | {"roi": ["IT", "IT_2008"]}
    two["plus"], two["minus"] = ([one | {"roi": "IT"} for one in two[side]] for side in SIDES)
    put(real, ("claims", "two"), two)
    refused(real, r"claims.two.roi: \['IT', 'IT_2008'\] have different subjects")
    del real["claims"]["two"]
    put(real, ("brain", "rois", "IT_2008", "subjects"), ["BE", "KO"])
    refused(real, "needs 3 subjects, and IT_2008 has 2")


def test_the_intervals_of_claims_need_100_draws(default):
    default["statistics"]["bootstrap_draws"] = 99
    refused(default, "bootstrap_draws: is 99, and the intervals of claims need 100 or more")
    load_study(without_claims(default))


def test_a_family_needs_draws_for_a_p_that_can_be_small_enough(default):
    (claim,) = list(default["claims"].values())[:1]
    default["claims"] = {f"claim_{number}": claim | {"family": "all"} for number in range(6)}
    default["statistics"]["bootstrap_draws"] = 118  # 6 / 119 > .05
    message = r"bootstrap_draws: is 118: with the 6 claims of the family 'all'.* raise it to 119"
    refused(default, message)
    default["statistics"]["bootstrap_draws"] = 119
    load_study(default)
    level = claim | {"minus": [], "direction": "positive", "family": "all"}
    default["claims"]["claim_6"] = level
    default["statistics"] |= {"bootstrap_draws": 139, "null_draws": 138}
    refused(default, r"statistics\.null_draws: is 138: with the 7 claims .* raise it to 139")


def test_an_interval_needs_its_draws(default):
    statistics = default["statistics"] | {"bootstrap_draws": 199, "interval": 0.99}
    refused({**default, "statistics": statistics}, "must be at least 200 for an interval of 0.99")


def test_without_claims_and_universes_there_are_none_and_one_of_what_is_evaluated(default):
    study = load_study({key: default[key] for key in default if key not in ("claims", "universes")})
    assert study.claims == {}
    assert study.universes.size == study.evaluation.sizes
    assert study.universes.descriptor == study.evaluation.descriptors
    assert study.universes.stimuli == list(study.stimuli)
    assert study.universes.crossed == []


def test_comparisons_of_claims_are_those_that_can_be_computed_but_for_cosines(default):
    allowed = ["spearman", "kendall_tau_a", "pearson", "whitened_pearson"]
    assert set(REGISTRY) >= {*allowed, "cosine", "whitened_cosine"}
    default["universes"]["comparison"] = allowed
    assert load_study(default).universes.comparison == allowed


@pytest.mark.parametrize(("name", "remedy"), [("", ""), ("whitened_", "whitened_")])
@pytest.mark.parametrize("distance", ["correlation", {"crossnobis": {"folds": "session"}}])
def test_cosines_are_no_evidence_for_a_claim_whatever_the_distance(default, name, remedy, distance):
    default["brain"]["distance"] = distance
    default["universes"]["comparison"] = ["spearman", f"{name}cosine"]
    refused(
        default,
        rf"comparison\.1: {name}cosine describes .* cannot test .* labels are shuffled\."
        rf" Use '{remedy}pearson'",
    )


def test_a_level_has_nothing_to_subtract_and_asks_for_shuffles(default):
    label, other = list(default["claims"])[:2]
    default["claims"] = {name: default["claims"][name] for name in (label, other)}
    claim = default["claims"][label]
    claim |= {"plus": [{"rule": "bp", "epoch": 1}], "minus": [], "direction": "positive"}
    study = load_study(default)
    needs = claim_stages.needs(study)[PLAIN_WAY].items()
    asked = {key: UniverseSettings.of(study, need).shuffles for key, need in needs}
    roi = study.claims[label].roi[0]
    of_levels = {key for key, number in asked.items() if number}
    assert of_levels == {("cnn3", "bp", roi)}
    assert asked["cnn3", "bp", roi] == default["statistics"]["null_draws"]


def test_a_contrast_of_unequal_sides_is_refused_still(default):
    label = next(iter(default["claims"]))
    default["claims"][label]["plus"] *= 2
    refused(default, r"a contrast of scores needs as many .* and a level has minus: \[\]")
