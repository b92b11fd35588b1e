"""The first screen, from made-up tables: claims, the best networks, limits."""

import pandas as pd
import pytest

from report_study import page_study
from rulealign.report import answers

PRIMARY = {"claim": "drop", "statement": "It falls", "cell_verdict": "holds", "verdict": "holds"}
PRIMARY |= {"effect": -0.0404, "low": -0.064, "high": -0.016, "reason": None, "cell_reason": None}
PRIMARY |= {"cell_p": 0.006, "cell_p_holm": 0.018, "cell_universes": 10}


def answer(cells, **changes):
    """Answer one claim with these cells: (stimuli, size, baseline, verdict) of each."""
    columns = ["stimuli", "size", "baseline", "verdict"]
    curves = pd.DataFrame(cells, columns=columns).assign(
        network="cnn3", claim="drop", initialisation="default"
    )
    summary = pd.DataFrame([PRIMARY | changes])
    [found] = answers.answers({"claims_summary": summary, "specification_curves": curves})
    return found


def text(markup):
    return markup.striptags()


def test_a_claim_is_answered_with_effect_interval_and_p():
    found = answer([("grey", 32, "own", "holds")])
    assert (found.verdict, found.sign, found.elsewhere) == ("holds", "✓", "")
    assert text(found.found) == (
        "−0.040 [−0.064, −0.016] in the primary universe; over the 10 universes of its question,"
        " p = 0.018 (Holm over the family)"
    )


def test_it_says_under_which_question_a_claim_fails():
    holds = [("grey", size, "own", "holds") for size in (32, 224)]
    fails = [("grey", size, "untrained_bn", "reversed") for size in (32, 224)]
    expected = (
        "holds measured from its own epoch 0;"
        " reversed measured from untrained_bn in place of epoch 0"
    )
    assert answer([*holds, *fails]).elsewhere == expected
    assert answer([*fails, ("grey", 64, "own", "reversed")]).elsewhere == "reversed everywhere"
    none = [("grey", 32, "own", "missing")]
    assert answer([*fails, *none]).elsewhere == "reversed everywhere; 1 more does not exist"
    assert answer([*holds, *fails, *none]).elsewhere == f"{expected}; 1 more does not exist"


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
    assert text(found.found) == "−0.040 [−0.064, −0.016] in the primary universe: V1 is noise"


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
    assert told in " ".join(answers.limits(study, tables, []))


def test_limits_of_a_study_that_trains_nothing_say_so():
    study = page_study()
    training = study.training.model_copy(update={"checkpoints": [0]})
    study = study.model_copy(update={"training": training})
    tables = {"alignment": alignments([("bp", 0, 0, 0)]), "ceilings": ceilings()}
    found = " ".join(answers.limits(study, tables, []))
    assert "No network was trained" in found
    assert "learned from" not in found


@pytest.mark.parametrize("seeds", [[1, 2], [1, 2, 3]])
def test_limits_name_what_the_study_lacks(seeds):
    study = page_study()
    training = study.training.model_copy(update={"seeds": seeds})
    study = study.model_copy(update={"training": training})
    tables = {"alignment": alignments([("bp", 1, 0, 0)]), "ceilings": ceilings(IT=False)}
    found = " ".join(answers.limits(study, tables, [("fa", "guesses")]))
    assert "The brain data are simulated" in found
    assert "of 60 images; intervals generalise to stimuli, not to other subjects" in found
    assert "IT, all pairs: the brain data are not clear of chance" in found
    assert "V1, all pairs" not in found
    assert "Nothing follows about learning from fa (guesses)." in found
    assert ("All rules have 2 seeds" in found) == (len(seeds) == 2)
