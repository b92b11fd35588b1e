"""Which universes a claim has, what each takes, and which jobs compute it."""

import copy
import json
from dataclasses import replace
from math import prod

import pytest

import claim_files
from complete_studies import complete
from rulealign.claims.scores import KEYS, read_universe_scores
from rulealign.config.load import load_study
from rulealign.plan import claims as claim_stages
from rulealign.plan.settings.claims import ClaimsSettings, UniverseSettings
from rulealign.plan.universes import PLAIN_WAY, Score, combinations, universes


def grid(**changes):
    return claim_files.grid(claim_files.GRID | changes)


def found(claim, **changes):
    return universes(claim, grid(**changes), claim_files.FACTS)


def weights(universe):
    return {f"{s.rule}@{s.epoch}": weight for s, weight in universe.weights.items()}


AXES = tuple(grid().values)


@pytest.mark.parametrize("crossed", [[], ["size"], ["size", "control", "pairs"], list(AXES)])
def test_crossed_axes_are_combined_and_each_other_one_is_varied_alone(crossed):
    values = grid().values
    every = list(combinations(grid(crossed=crossed)))
    alone = sum(len(values[axis]) - 1 for axis in AXES if axis not in crossed)
    assert len(every) == prod(len(values[axis]) for axis in crossed) * (1 + alone)
    assert len({json.dumps(one) for one in every}) == len(every)
    assert every[0] == {axis: values[axis][0] for axis in AXES}
    for one in every:
        odd = [axis for axis in AXES if axis not in crossed and one[axis] != values[axis][0]]
        assert len(odd) <= 1


def test_one_universe_is_primary_and_it_is_the_first():
    primary = [universe.primary for universe in found(claim_files.DROP)]
    assert primary == [True] + [False] * 23


def test_terms_add_up_and_equal_ones_cancel():
    twice = claim_files.claim(
        "c", [("bp", 1), ("bp", 1), ("fa", 1)], [("bp", 0), ("bp", 0), ("fa", 1)]
    )
    first = found(twice)[0]
    assert weights(first) == {"bp@1": 2.0, "bp@0": -2.0}
    assert first.seeds == claim_files.SEEDS["bp"]  # those of fa take no part


def test_a_share_of_a_score_is_its_weight():
    # half of what is there at first, less what is left: above 0 where half of it was lost
    half = claim_files.claim("half", [("bp", 0)], [("bp", 1)])
    half = replace(half, plus=[half.plus[0]._replace(share=0.5)])
    first, *_ = found(half)
    assert weights(first) == {"bp@0": 0.5, "bp@1": -1.0}
    # shares of one score on both sides leave their difference
    less = replace(half, minus=[half.plus[0]._replace(share=0.2), *half.minus])
    assert weights(found(less)[0]) == {"bp@0": pytest.approx(0.3), "bp@1": -1.0}


def test_the_calibrated_network_stands_for_epoch_0_of_trained_rules():
    other = [u for u in found(claim_files.DROP) if u.choices["baseline"] == "untrained_bn"]
    assert len(other) == 4
    assert weights(other[0]) == {"bp@1": 1.0, "untrained_bn@0": -1.0}
    less = [u for u in found(claim_files.LESS) if u.choices["baseline"] == "untrained_bn"]
    assert weights(less[0]) == {"fa@1": 1.0, "bp@1": -1.0}


def test_a_baseline_that_trains_stands_at_the_epoch_that_the_claim_is_about():
    def of(claim):
        made = found(claim, crossed=[], baseline=["own", "fa"])
        return [one for one in made if one.choices["baseline"] == "fa"]

    (drop,) = of(claim_files.DROP)
    assert (drop.reason, weights(drop)) == ("", {"bp@1": 1.0, "fa@1": -1.0})
    assert drop.seeds == sorted({*claim_files.SEEDS["bp"]} & {*claim_files.SEEDS["fa"]})
    several = claim_files.claim("c", [("bp", 1), ("bp", 2)], [("bp", 0), ("bp", 0)])
    assert [one.reason for one in of(several)] == [
        "fa trains, too, and stands at the same epoch; but the claim has 2 later epochs of bp"
    ]


def test_a_rule_that_has_the_initial_weights_already_may_stand_for_itself():
    named = {"default": {}, "normal": {"bp": "bp_normal", "fa": "fa"}}
    normal = [
        universe
        for universe in found(claim_files.LESS, initialisation=named)
        if universe.choices["initialisation"] == "normal"
    ]
    assert [universe.reason for universe in normal] == [""] * 4
    assert weights(normal[0]) == {"fa@1": 1, "bp_normal@0": 1, "fa@0": -1, "bp_normal@1": -1}
    assert normal[0].seeds == claim_files.SEEDS["bp_normal"]
    # and where nothing is replaced by another rule, the universe is the one that is there
    alone = claim_files.claim("alone", [("fa", 1)], [("fa", 0)])
    names = {u.choices["initialisation"] for u in found(alone, initialisation=named)}
    assert names == {"default"}


@pytest.mark.parametrize(
    "baselines", [("untrained_bn", "normal_bn"), ("normal_bn", "untrained_bn")]
)
def test_a_baseline_that_cannot_stand_hides_none_that_can(baselines):
    # where both sides start from the same network, its score cancels, whichever it is
    facts = {
        key: value for key, value in claim_files.FACTS.plain().items() if isinstance(value, dict)
    }
    for rule, initial in (("fa_normal", "normal"), ("normal_bn", "normal")):
        facts["trains"][rule] = rule == "fa_normal"
        facts["seeds"][rule], facts["initial"][rule] = [1, 2], initial
        facts["networks"][rule] = ["cnn3"]
    falls = [("fa_normal", 1), ("bp_normal", 0)], [("fa_normal", 0), ("bp_normal", 1)]
    values = grid(crossed=[], baseline=["own", *baselines])
    made = universes(claim_files.claim("c", *falls), values, replace(claim_files.FACTS, **facts))
    other = [one for one in made if one.choices["baseline"] != "own"]
    assert [(one.choices["baseline"], one.reason) for one in other] == [("normal_bn", "")]
    assert weights(other[0]) == {"fa_normal@1": 1.0, "bp_normal@1": -1.0}
    assert [one.primary for one in made].index(True) == 0


def test_an_initialisation_replaces_the_network_that_stands_for_epoch_0_too():
    facts = {
        key: value for key, value in claim_files.FACTS.plain().items() if isinstance(value, dict)
    }
    facts["trains"]["normal_bn"] = False
    facts["seeds"]["normal_bn"], facts["initial"]["normal_bn"] = [1, 2], "normal"
    facts["networks"]["normal_bn"] = ["cnn3"]
    both = {"default": {}, "normal": {"bp": "bp_normal", "untrained_bn": "normal_bn"}}
    values = grid(crossed=["baseline", "initialisation"], initialisation=both)
    made = universes(claim_files.DROP, values, replace(claim_files.FACTS, **facts))
    (other,) = [
        one
        for one in made
        if (one.choices["baseline"], one.choices["initialisation"]) == ("untrained_bn", "normal")
        and all(one.choices[axis] == made[0].choices[axis] for axis in AXES[:-2])
    ]
    assert weights(other) == {"bp_normal@1": 1.0, "normal_bn@0": -1.0}
    assert (other.reason, other.seeds) == ("", [1, 2])


def test_a_value_that_changes_nothing_makes_no_universe():
    last = claim_files.claim("last", [("bp", 1)], [("fa", 1)])
    assert {u.choices["baseline"] for u in found(last)} == {"own"}
    calibrated = claim_files.claim("c", [("fa", 1)], [("untrained_bn", 0)])
    assert {u.choices["initialisation"] for u in found(calibrated)} == {"default"}
    assert {u.choices["baseline"] for u in found(calibrated)} == {"own"}


def test_a_layer_without_positions_has_one_descriptor():
    vector = claim_files.claim("v", [("bp", 1, "fc1")], [("bp", 0, "fc1")])
    assert {u.choices["descriptor"] for u in found(vector)} == {"global-average"}


def test_an_initialisation_replaces_rules_and_fewer_seeds_are_in_common():
    other = [u for u in found(claim_files.DROP) if u.choices["initialisation"] == "normal"]
    assert [weights(u) for u in other] == [{"bp_normal@1": 1.0, "bp_normal@0": -1.0}] * 4
    assert other[0].seeds == [1, 2]
    assert not other[0].reason


def reasons(claim, **changes):
    return {u.reason for u in found(claim, **changes)} - {""}


def test_what_cannot_be_computed_says_why():
    same = claim_files.claim("same", [("bp", 0)], [("untrained_bn", 0)])
    alone = {"initialisation": {"default": {}}}
    assert reasons(same, **alone) == {
        "both sides take the same scores, so that there is no difference"
    }
    both = {"default": {}, "normal": {"bp": "bp_normal", "untrained_bn": "bp_normal"}}
    assert reasons(claim_files.LESS, initialisation=both) == {
        "initialisation 'normal' names no rule in place of fa"
    }


@pytest.mark.parametrize("goal", ["subjects", "both"])
def test_the_mean_rdm_has_no_scores_of_subjects_to_generalise_from(goal):
    made = universes(claim_files.DROP, grid(), replace(claim_files.FACTS, generalise_to=goal))
    said = {u.choices["convention"]: u.reason for u in made}
    assert said["per_subject"] == ""
    assert said["mean_rdm"].startswith("the mean RDM has no scores of single subjects")
    assert reasons(claim_files.DROP) == set()


def test_evidence_that_a_baseline_makes_cancel_is_none():
    # both rules' epoch 0 of fc1 become one network's, and conv1 is left
    terms = {"layer": ["conv1", "fc1"], "roi": ["V1"]}
    plus = [("bp", 1, "conv1", "V1"), ("bp", 0, "fc1", "V1")]
    minus = [("bp", 0, "conv1", "V1"), ("fa", 0, "fc1", "V1")]
    both = claim_files.claim("both", plus, minus, **terms)
    said = {u.choices["baseline"]: u.reason for u in found(both)}
    assert said["untrained_bn"] == "all scores of fc1 cancel, so that there is no evidence about it"


def test_an_initialisation_that_cannot_be_had_does_not_vanish_behind_the_default():
    # bp stands for itself, having these weights already; fa has not, and nobody stands for it
    own = {"default": {}, "normal": {"bp": "bp"}}
    less = [u for u in found(claim_files.LESS, initialisation=own)]
    missing = [u for u in less if u.choices["initialisation"] == "normal"]
    assert len(missing) == 4
    assert {u.reason for u in missing} == {"initialisation 'normal' names no rule in place of fa"}
    # where all terms are its own, it is the same as the default, and no further universe
    drop = found(claim_files.DROP, initialisation=own)
    assert {u.choices["initialisation"] for u in drop} == {"default"}


def test_a_baseline_with_other_initial_weights_cannot_stand_for_epoch_0():
    normal = claim_files.claim("normal", [("bp_normal", 1)], [("bp_normal", 0)])
    assert reasons(normal) == {
        "untrained_bn has other initial weights than bp_normal, and cannot stand for its epoch 0"
    }


def test_each_rule_has_the_calibrated_network_of_its_own_initial_weights():
    # fa starts from default weights and bp_normal from others; the stand-in of untrained_bn in some
    # initialisation is the same control of the others, whichever universe it is
    more = {
        name: getattr(claim_files.FACTS, name) | {"untrained_bn_normal": value}
        for name, value in (
            *(("trains", False), ("seeds", [1, 2])),
            *(("initial", "normal"), ("networks", ["cnn3"])),
        )
    }
    facts = replace(claim_files.FACTS, **more)
    normal = {"bp": "bp_normal", "untrained_bn": "untrained_bn_normal"}
    sides = [("bp_normal", 1), ("fa", 0)], [("bp_normal", 0), ("fa", 1)]
    mixed = claim_files.claim("mixed", *sides)
    named = {"default": {}, "normal": normal}
    values = grid(initialisation=named)
    calibrated = [
        u for u in universes(mixed, values, facts) if u.choices["baseline"] == "untrained_bn"
    ]
    default = [u for u in calibrated if u.choices["initialisation"] == "default"]
    assert len(default) == 4
    for universe in default:
        assert not universe.reason
        assert weights(universe) == {
            "bp_normal@1": 1.0,
            "untrained_bn@0": 1.0,
            "untrained_bn_normal@0": -1.0,
            "fa@1": -1.0,
        }
    # the control of the others, named first, is as good a name of both: no further universes
    baselines = ["own", "untrained_bn", "untrained_bn_normal"]
    both = grid(initialisation=named, baseline=baselines)
    assert [u.choices for u in universes(mixed, both, facts)] == [
        u.choices for u in universes(mixed, values, facts)
    ]
    # no initialisation names it: fa has its control, bp_normal has none
    without = universes(mixed, grid(), facts)
    said = {u.reason for u in without if u.choices["baseline"] == "untrained_bn"}
    assert said == {
        "untrained_bn has other initial weights than bp_normal, and cannot stand for its epoch 0"
    }


@pytest.fixture
def values(project):
    return complete(project / "workflow_config.yaml")


def job_settings(values):
    study = load_study(copy.deepcopy(values))
    needs = claim_stages.needs(study)[PLAIN_WAY].items()
    jobs = {key: UniverseSettings.of(study, need).plain() for key, need in needs}
    return json.loads(json.dumps(list(jobs.items()))), jobs


def test_a_job_is_given_what_its_claims_need_and_no_more(values):
    _, jobs = job_settings(values)
    assert set(jobs) == {("cnn3", "bp", "V1"), ("cnn3", "fa", "V1"), ("cnn3", "untrained_bn", "V1")}
    need = claim_stages.needs(load_study(values))[PLAIN_WAY]
    assert need["cnn3", "untrained_bn", "V1"].epochs == [0]
    assert need["cnn3", "bp", "V1"].epochs == [0, 1, 10]
    assert jobs["cnn3", "bp", "V1"]["layers"] == ["conv1"]
    analyses = jobs["cnn3", "bp", "V1"]["analyses"]
    assert len(analyses) == len({json.dumps(one) for one in analyses}) == 4
    assert jobs["cnn3", "untrained_bn", "V1"]["analyses"] == [
        {
            **{"pairs": "all", "convention": "per_subject", "comparison": "spearman"},
            "control": "none",
        }
    ]


def test_a_claim_over_another_rule_leaves_this_rules_job_alone(values):
    before, _ = job_settings(values)
    one = copy.deepcopy(values["claims"]["bp_drop"])
    for side in ("plus", "minus"):
        one[side][0]["rule"] = "pc"
    values["claims"] = {"first": one, **values["claims"]}
    after, jobs = job_settings(values)
    assert ("cnn3", "pc", "V1") in jobs
    assert [job for job in after if job[0] != ["cnn3", "pc", "V1"]] == before


def test_a_claim_over_another_layer_or_roi_changes_its_rules_job(values):
    one = copy.deepcopy(values["claims"]["bp_drop"])
    _, before = job_settings(values)
    values["claims"]["deep"] = one | {"layer": "fc1"}
    _, after = job_settings(values)
    assert after["cnn3", "bp", "V1"]["layers"] == ["conv1", "fc1"]
    assert after["cnn3", "fa", "V1"] == before["cnn3", "fa", "V1"]
    values["claims"]["deep"] = one | {"roi": "IT"}
    _, other = job_settings(values)
    assert other["cnn3", "bp", "V1"] == before["cnn3", "bp", "V1"]
    assert ("cnn3", "bp", "IT") in other


def test_words_of_a_claim_are_none_of_a_jobs_settings(values):
    before, _ = job_settings(values)
    size = {"value": 0.1, "reason": "twice the noise"}
    values["claims"]["bp_drop"] |= {"statement": "other", "smallest_effect": size, "family": "x"}
    assert job_settings(values)[0] == before


def test_the_evaluation_is_told_everything_in_order(values):
    study = load_study(values)
    told = ClaimsSettings.read(json.dumps(ClaimsSettings.of(study).plain(), sort_keys=True))
    assert told == ClaimsSettings.of(study)
    assert [claim.label for claim in told.claims] == list(study.claims)
    assert told.grid.values["initialisation"] == ["default"]
    assert set(told.facts.seeds) == {"bp", "fa", "untrained_bn"}
    first = universes(told.claims[0], told.grid, told.facts)
    assert Score("cnn3", "bp", 1, "conv1", "V1") in first[0].weights


def test_scores_of_a_layer_without_positions_are_found_in_every_view(tmp_path):
    table, draws, *_ = claim_files.write(tmp_path, "bp")
    scores = read_universe_scores(table, draws)
    keys = scores.rows.reset_index().assign(layer="fc1", descriptor="vector")
    scores = replace(scores, rows=keys.drop_duplicates(list(KEYS)).set_index(list(KEYS)))
    choices = found(claim_files.DROP)[0].choices | {"descriptor": "grid-8"}
    places = scores.places(Score("cnn3", "bp", 1, "fc1", "V1"), [3], choices, {"cnn3": ["fc1"]})
    own = scores.rows.iloc[places].reset_index()
    assert own[["layer", "descriptor", "seed", "size"]].to_numpy().tolist() == [
        ["fc1", "vector", 3, 224]
    ]
