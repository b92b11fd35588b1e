"""The first screen, from made-up tables: claims, the best networks, limits."""

import pandas as pd
import pytest

from report_study import page_study
from rulealign.config.universes import AXES
from rulealign.report import answers, limits, network_tables

PRIMARY = {"claim": "drop", "statement": "It falls", "cell_verdict": "holds", "verdict": "holds"}
PRIMARY |= {"effect": -0.0404, "low": -0.064, "high": -0.016, "reason": None, "cell_reason": None}
PRIMARY |= {"cell_p": 0.006, "cell_p_holm": 0.018, "cell_universes": 10}
FIRST = dict.fromkeys(AXES, "one") | {"stimuli": "grey", "size": 32, "baseline": "own"}
FIRST |= {"centring": "centred", "control": "none"}
CLAIM = {"statement": "It falls", "layer": "conv1", "roi": "V1", "direction": "negative"}


def terms(rule):
    return {"plus": [{"rule": rule, "epoch": 1}], "minus": [{"rule": rule, "epoch": 0}]}


def answer(cells, ways=(("holds", {}),), **changes):
    """Answer one claim: of cells (stimuli, size, baseline, verdict), of ways (verdict, values)."""
    columns = ["stimuli", "size", "baseline", "verdict"]
    curves = pd.DataFrame(cells, columns=columns).assign(
        network="one", claim="drop", initialisation="one", features="one"
    )
    own = [FIRST | values | {"verdict": verdict} for verdict, values in ways]
    tables = {
        "claims": pd.DataFrame(own).assign(claim="drop", primary=[True] + [False] * (len(own) - 1)),
        "claims_summary": pd.DataFrame([FIRST | PRIMARY | changes]),
        "specification_curves": curves,
    }
    [found] = answers.answers(page_study(), tables)
    return found


def text(markup):
    return markup.striptags()


def test_a_claim_is_answered_with_effect_interval_and_p():
    found = answer([("grey", 32, "own", "holds")])
    assert (found.verdict, found.sign, found.places) == ("holds", "✓", [])
    assert text(found.found) == "−0.040 [−0.064, −0.016], p = 0.018 over 10 universes"


def test_it_says_under_which_question_a_claim_fails():
    holds = [("grey", size, "own", "holds") for size in (32, 224)]
    fails = [("grey", size, "untrained_bn", "reversed") for size in (32, 224)]
    expected = "holds against its own epoch 0; reversed against untrained_bn"
    assert answer([*holds, *fails]).places == [("By question", expected)]
    everywhere = [("By question", "reversed everywhere")]
    assert answer([*fails, ("grey", 64, "own", "reversed")]).places == everywhere
    none = [("white", 32, "own", "missing")]
    [(_, said)] = answer([*holds, *fails, *none]).places
    assert said == f"{expected}; cannot be computed with stimuli white"


def test_it_says_by_which_way_of_computing_it_the_primary_question_has_which_answer():
    one = [("grey", 32, "own", "holds")]
    ways = [("holds", {}), ("unresolved", {"control": "pixels"})]
    elsewhere = [("reversed", {"size": 224})]  # another question
    expected = "holds without a control; unresolved with pixels partialled out"
    assert answer(one, [*ways, *elsewhere]).places == [("By way of computing it", expected)]
    same = [("holds", {}), ("holds", {"control": "pixels"})]
    two = [*one, ("grey", 224, "own", "holds")]
    assert answer(two, same).places == [("By question and way of computing it", "holds everywhere")]


def test_the_setting_of_the_primary_universe_is_said_as_far_as_others_differ():
    rows = [FIRST | {"primary": True}, FIRST | {"size": 224}, FIRST | {"control": "pixels"}]
    rows += [FIRST | {"centring": "-"}]  # what a measure lacks is no choice
    tables = {"claims": pd.DataFrame(rows).assign(primary=[True, False, False, False])}
    assert answers.setting(tables) == "at 32 px, without a control"
    # axes that do not apply to the primary universe say nothing of it
    rows = tables["claims"].assign(
        measure=["encoding", "rsa", "rsa", "rsa"], centring=["-", "centred", "uncentred", "centred"]
    )
    assert answers.setting({"claims": rows}) == "by encoding, at 32 px, without a control"
    assert answers.setting({}) == ""


def test_of_many_claims_those_of_highlighted_rules_come_first():
    rules = ["fa", "bp", "fa", *["bp"] * 6]
    claims = {f"c{at}": CLAIM | terms(rule) for at, rule in enumerate(rules)}
    rows = [FIRST | PRIMARY | {"claim": claim} for claim in claims]
    table = pd.DataFrame(rows).assign(primary=True)
    names = ("claims", "claims_summary", "specification_curves")
    study = page_study(claims=claims)
    plain = [*claims]

    def order(highlight, most=None):
        report = study.report.model_copy(update={"highlight": highlight})
        tables = dict.fromkeys(names, table[:most])
        found = answers.answers(study.model_copy(update={"report": report}), tables)
        return [text(one.link) for one in found]

    assert order([]) == plain
    assert order(["bp"]) == [*(one for one in plain if one not in ("c0", "c2")), "c0", "c2"]
    assert order(["bp"], answers.MANY) == plain[: answers.MANY]  # few enough to be read


def test_many_claims_are_counted_first():
    verdicts = ["holds", "unresolved", *["reversed"] * 2, *["unresolved"] * 5]
    claims = [f"c{at}" for at in range(len(verdicts))]
    summary = pd.DataFrame({"claim": claims, "cell_verdict": verdicts})
    cells = [(claim, True, verdict) for claim, verdict in zip(claims, verdicts, strict=True)]
    cells += [("c1", False, "holds"), ("c1", False, "holds"), ("c2", False, "holds")]
    cells += [("c0", False, "reversed"), ("c5", False, "missing")]
    curves = pd.DataFrame(cells, columns=["claim", "primary", "verdict"])
    tables = {"claims_summary": summary, "specification_curves": curves}
    assert answers.tally(tables) == (
        "9 claims over all universes of their primary question: 1 holds, 2 reversed, 6 unresolved."
        " In one or more other questions (stimuli, sizes, baselines) 2 hold and 1 is reversed."
    )
    assert answers.tally(tables | {"claims_summary": summary[:8]}) == ""
    assert answers.tally({}) == ""


def test_a_claim_that_could_not_be_computed_says_why():
    found = answer([("grey", 32, "own", "missing")], verdict="missing", reason="no such network")
    assert text(found.found) == "no such network"


def test_a_claim_that_brain_data_cannot_tell_says_why():
    noisy = {"cell_verdict": "uninformative", "verdict": "uninformative", "cell_p": float("nan")}
    found = answer([("grey", 32, "own", "uninformative")], **noisy, reason="V1 is noise")
    assert text(found.found) == "−0.040 [−0.064, −0.016]: V1 is noise"


def alignments(scores):
    """Give alignments of conv1 with V1 and fc1 with IT: (rule, epoch, V1's score, IT's)."""
    shown = {"stimuli": "grey", "size": 32, "centring": "centred", "descriptor": "grid-8"}
    shown |= {"convention": "per_subject", "pairs": "all", "n_stimuli": 60}
    rows = [
        {
            "network": "cnn3",
            "rule": rule,
            "epoch": epoch,
            "layer": layer,
            "roi": roi,
            "score": score,
            **shown,
        }
        for rule, epoch, *both in scores
        for layer, roi, score in zip(("conv1", "fc1"), ("V1", "IT"), both, strict=True)
    ]
    return pd.DataFrame(rows).assign(low=0.0, high=1.0)


def ceilings(**informative):
    rows = [{"roi": roi, "lower": 0.3, "upper": 0.5} for roi in ("V1", "IT")]
    told = pd.DataFrame(rows).assign(convention="per_subject", pairs="all")
    return told.assign(informative=[informative.get(roi, True) for roi in told["roi"]])


def controls_of(v1):
    rows = [("pixels", "V1", v1), ("contrast", "V1", 0.01), ("pixels", "IT", 0.1)]
    rows += [("contrast", "IT", float("nan"))]
    told = pd.DataFrame(rows, columns=["control", "roi", "score"])
    shown = {"stimuli": "grey", "size": 32, "centring": "centred", "convention": "per_subject"}
    return told.assign(pairs="all", low=0.0, high=1.0, reason="", **shown)


def test_the_best_network_stands_beside_the_best_control():
    study = page_study()
    # bp of epoch 0 and the untrained network are one: the study's first name stands for both
    scores = [("bp", 0, 0.13, 0.2), ("bp", 1, 0.05, 0.35), ("untrained", 0, 0.13, 0.2)]
    tables = {"alignment": alignments(scores), "ceilings": ceilings(), "controls": controls_of(0.2)}
    table = answers.best_of_each_roi(study, tables, study.report)
    cells = [[text(cell) if hasattr(cell, "striptags") else cell for cell in r] for r in table.rows]
    assert cells[0][1].startswith("untrained conv1, epoch 0: 0.130")
    assert cells[0][2].startswith("pixels: 0.200")
    assert cells[0][3:] == ["−0.070", "0.300 to 0.500"]
    assert cells[1][1].startswith("bp fc1, epoch 1: 0.350")
    assert cells[1][2].startswith("pixels: 0.100")
    assert cells[1][3] == "0.250"


@pytest.mark.parametrize(
    ("fewer", "told"), [({}, "All rules have 2 seeds"), ({"fa": 1}, "Some rules have 1 seed:")]
)
def test_limits_count_the_seeds_that_rules_have(fewer, told):
    study = page_study()
    kept = {"seeds": [1, 2], "fewer_seeds": fewer}
    study = study.model_copy(update={"training": study.training.model_copy(update=kept)})
    tables = {"alignment": alignments([("bp", 1, 0, 0)]), "ceilings": ceilings()}
    assert told in " ".join(limits.limits(study, tables, []))


def test_limits_of_a_study_that_trains_nothing_say_so():
    study = page_study()
    training = study.training.model_copy(update={"checkpoints": [0]})
    study = study.model_copy(update={"training": training})
    tables = {"alignment": alignments([("bp", 0, 0, 0)]), "ceilings": ceilings()}
    found = " ".join(limits.limits(study, tables, []))
    assert "No network was trained" in found
    assert "learned from" not in found


@pytest.mark.parametrize("seeds", [[1, 2], [1, 2, 3]])
def test_limits_name_what_the_study_lacks(seeds):
    study = page_study()
    training = study.training.model_copy(update={"seeds": seeds})
    study = study.model_copy(update={"training": training})
    tables = {"alignment": alignments([("bp", 1, 0, 0)]), "ceilings": ceilings(IT=False)}
    found = " ".join(limits.limits(study, tables, [("fa", "guesses")]))
    assert "The brain data are simulated" in found
    assert "of 60 images; intervals generalise to stimuli, not to other subjects" in found
    assert "IT, all pairs: the brain data are not clear of chance" in found
    assert "V1, all pairs" not in found
    assert "Nothing follows about learning from fa (guesses)." in found
    assert ("All rules have 2 seeds" in found) == (len(seeds) == 2)


@pytest.mark.parametrize("layer", ["fc1", "conv1"])
def test_layers_that_results_rest_on_and_that_are_mostly_dead_are_a_limit(layer):
    study = page_study(layer_map=[{"layer": layer, "roi": "V1"}])
    rows = [
        {"rule": rule, "seed": seed, "epoch": epoch, "layer": one, "dead_units": share}
        for one in ("fc1", "conv1")
        for rule, shares in {"bp": (0.9, 0.8), "fa": (0.5, 0.5), "untrained": (1, 1)}.items()
        for seed, last in enumerate(shares)
        for epoch, share in ((0, 1), (10, last if one == "fc1" else 0))
    ]
    table = pd.DataFrame(rows).assign(trains=lambda all_: all_["rule"] != "untrained")
    said = network_tables.remnants(study, {"cnn3": {"diagnostics": table}})
    # bp: mean of .9 and .8; half of fa's units are not most of them
    words = "Most units of fc1 are dead at the end of bp (85%): its scores rest on a remnant of the"
    assert said == ([f"{words} layer."] if layer == "fc1" else [])
    tables = {"alignment": alignments([("bp", 1, 0, 0)]), "ceilings": ceilings()}
    assert set(said) <= set(limits.limits(study, tables, [], said))
