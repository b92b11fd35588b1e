"""Where a claim holds, in words; and the claims of several studies side by side."""

import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import claim_files
from rulealign.claims.__main__ import main
from rulealign.claims.summary import COLUMNS, summary_table
from rulealign.claims.words import summary_line, value_words, where
from rulealign.config.universes import AXES
from rulealign.errors import DataError

FIRST = {
    "network": "cnn3",
    "features": "activations",
    "measure": "rsa",
    "stimuli": "grey",
    "size": 224,
    "descriptor": "global-average",
    "centring": "uncentred",
    "pairs": "all",
    "convention": "per_subject",
    "comparison": "spearman",
    "control": "none",
    "baseline": "own",
    "initialisation": "default",
}


def rows(verdict, axes):
    """Give every combination of some axes' values, with the verdict that a function gives."""
    found = []
    for values in itertools.product(*axes.values()):
        choices = FIRST | dict(zip(axes, values, strict=True))
        found.append({**choices, "verdict": verdict(choices), "reason": None})
    return pd.DataFrame(found)


VIEWS = {
    "size": [224, 32],
    "centring": ["uncentred", "centred"],
    "control": ["none", "pixels", "contrast"],
}


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (lambda _: "holds", "holds everywhere (holds in all 12 universes)"),
        (lambda _: "unresolved", "unresolved everywhere (holds in none of 12 universes)"),
        (
            lambda one: "reversed" if one["size"] == 32 else "holds",
            "holds at 224 px; reversed at 32 px (holds in 6 of 12 universes)",
        ),
        (
            lambda one: "holds" if one["control"] == "none" else "unresolved",
            "holds without a control; unresolved with pixels partialled out and with contrast"
            " partialled out (holds in 4 of 12 universes)",
        ),
        (
            lambda one: (
                "reversed" if (one["size"], one["centring"]) == (32, "centred") else "holds"
            ),
            "holds at 224 px and uncentred; reversed at 32 px centred (holds in 9 of 12 universes)",
        ),
        (
            lambda one: {"pixels": "reversed", "contrast": "missing"}.get(
                one["control"], "unresolved"
            ),
            "reversed with pixels partialled out; unresolved without a control; cannot be computed"
            " with contrast partialled out (holds in none of 8 universes; 4 more do not exist)",
        ),
        (  # at 224 px: 6; at 32 px uncentred with either control: 2; what holds takes most words
            lambda one: (
                "reversed"
                if one["size"] == 32 and (one["centring"] == "centred" or one["control"] == "none")
                else "holds"
            ),
            "reversed at 32 px centred and at 32 px without a control; holds everywhere else (holds"
            " in 8 of 12 universes)",
        ),
        (
            lambda one: "missing" if one["size"] == 32 else "reversed",
            "reversed wherever it can be computed; cannot be computed at 32 px (holds in none of 6"
            " universes; 6 more do not exist)",
        ),
        (lambda one: "missing", "cannot be computed"),
    ],
)
def test_a_line_names_where_a_claim_has_each_verdict(verdict, line):
    assert summary_line(rows(verdict, VIEWS)) == line


def test_a_single_universe_is_said_to_be_the_only_one():
    one = {"size": [224]}
    assert summary_line(rows(lambda _: "holds", one)) == "holds everywhere (one universe)"


AXIS = {"size": [224, 32, 96, 64], "centring": ["uncentred", "centred"]}
AXIS |= {"control": ["none", "pixels", "contrast", "silhouette"]}


def test_a_place_is_named_only_where_every_universe_in_it_has_the_verdict():
    # 32 universes; at 32 px all 8 are reversed but one
    found = rows(lambda one: "reversed" if one["size"] == 32 else "holds", AXIS)
    odd = found.index[(found["size"] == 32) & (found["centring"] == "centred")][0]
    found.loc[odd, "verdict"] = "holds"
    assert where(found) == (
        "holds at 224 px, at 96 px, at 64 px and in part elsewhere; reversed in the rest"
    )


@pytest.mark.parametrize("seed", range(20))
def test_what_is_named_is_true_of_verdicts_at_random(seed):
    rng = np.random.default_rng(seed)
    weights = {value: rng.normal() for values in AXIS.values() for value in values}
    found = rows(lambda one: sum(weights[one[axis]] for axis in AXIS), AXIS)
    found["verdict"] = np.select(
        [found["verdict"] > 1, found["verdict"] < -1], ["holds", "reversed"], "unresolved"
    )
    masks = {}  # words of every place of one axis or two -> its rows
    for axes in [*itertools.combinations(AXIS, 1), *itertools.combinations(AXIS, 2)]:
        for values in itertools.product(*(AXIS[axis] for axis in axes)):
            words = " ".join(map(value_words, axes, values))
            masks[words] = (found[list(axes)] == list(values)).all(axis=1)
    told = where(found).split("; ")
    assert {one.split()[0] for one in told} == set(found["verdict"])
    seen = pd.Series(False, index=found.index)
    for one in told:
        verdict, _, words = one.partition(" ")
        named = [part for part in re.split(", | and ", words) if part in masks]
        inside = np.any([masks[part] for part in named], axis=0) if named else ~seen & False
        assert (found.loc[inside, "verdict"] == verdict).all()
        seen |= inside
        if words == "everywhere else":  # then the others are named in full
            assert (found.loc[~seen, "verdict"] == verdict).all()
            assert (found["verdict"] == verdict).sum() == (~seen).sum()


def test_scattered_verdicts_are_said_to_be_in_part_where_they_have_something_in_common():
    # three of 32 px, no two of which fill a place; and one in each size
    three = {("uncentred", "none"), ("centred", "pixels"), ("uncentred", "contrast")}
    found = rows(
        lambda one: (
            "reversed"
            if one["size"] == 32 and (one["centring"], one["control"]) in three
            else "unresolved"
        ),
        AXIS,
    )
    words = "reversed at 32 px without a control"  # of one or two axes, no place has but these
    assert words not in where(found)
    assert where(found) == "reversed in part, only at 32 px; unresolved in the rest"
    again = found.assign(verdict="unresolved")
    for at, size in enumerate(AXIS["size"]):
        own = again.index[(again["size"] == size) & (again["centring"] == "centred")]
        again.loc[own[at], "verdict"] = "holds"
        other = again.index[(again["size"] == size) & (again["centring"] == "uncentred")]
        again.loc[other[0], "verdict"] = "holds"
    again.loc[again.index[-1], "verdict"] = "holds"
    assert where(again).startswith("holds ")
    assert where(again).endswith("unresolved in the rest")


def test_questions_are_named_by_their_own_axes_alone():
    found = rows(lambda one: "holds" if one["size"] == 96 else "unresolved", {"size": [32, 96]})
    assert where(found, ["size", "baseline"]) == "holds at 96 px; unresolved at 32 px"
    found["baseline"] = ["own", "untrained_bn"]
    assert where(found, ["baseline"]) == (
        "holds against untrained_bn; unresolved against its own epoch 0"
    )


@pytest.mark.parametrize("axis", AXES)
def test_every_axis_has_words(axis):
    assert value_words(axis, "x").replace("x", "") != "{}"
    assert "_" not in value_words(axis, FIRST[axis])
    assert "None" not in value_words(axis, FIRST[axis])


def summary(label, verdict, effect, statement="It falls", **changes):
    empty = dict.fromkeys(COLUMNS, np.nan)
    counts = {
        "holds": 3,
        "reversed": 1,
        "unresolved": 0,
        "uninformative": 0,
        "missing": 2,
        "universes": 6,
    }
    about = {"claim": label, "statement": statement, "verdict": verdict, **FIRST}
    about |= {"direction": "negative", "smallest_effect": np.nan}
    about |= {"cell_verdict": "unresolved", "cell_p_holm": 0.2504, "cell_universes": 5}
    numbers = {"effect": effect, "low": effect - 0.01, "high": effect + 0.02}
    return empty | about | numbers | counts | changes


def study(folder, *claims):
    (folder / "statistics").mkdir(parents=True)
    path = folder / "statistics" / "claims_summary.csv"
    pd.DataFrame(claims, columns=list(COLUMNS)).to_csv(path, index=False)
    return str(folder)


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def test_studies_are_laid_side_by_side(tmp_path, capsys):
    reason = "too few subjects"
    one = study(tmp_path / "a", summary("drop", "holds", -0.05), summary("gain", "reversed", -0.2))
    two = study(
        tmp_path / "b",
        summary(
            "last", "missing", np.nan, reason=reason, cell_verdict="missing", cell_p_holm=np.nan
        ),
        summary("drop", "unresolved", 0.0004, "It falls in V1", missing=0),
    )
    assert main([one, two, "--csv", str(tmp_path / "both.csv")]) == 0
    head, rule, *body = capsys.readouterr().out.splitlines()
    assert cells(head) == ["claim", "statement", "a", "b"]
    assert set(cells(rule)) == {"---"}
    first, *body = body
    universe = ", ".join(f"{axis} {value}" for axis, value in FIRST.items())
    assert cells(first) == ["(primary universe)", "", universe, universe]
    assert [cells(line)[0] for line in body] == ["drop", "gain", "last"]
    assert cells(body[0]) == [
        *("drop", "It falls / It falls in V1"),
        "unresolved over 5 universes (p = 0.250, Holm); primary universe holds: -0.050 [-0.060,"
        " -0.030]; 3 holds, 1 reversed, 2 missing",
        "unresolved over 5 universes (p = 0.250, Holm); primary universe unresolved: +0.000"
        " [-0.010, +0.020]; 3 holds, 1 reversed",
    ]
    assert cells(body[1])[3] == "not declared"
    assert cells(body[2])[2:] == [
        "not declared",
        "missing; primary universe missing (too few subjects); 3 holds, 1 reversed, 2 missing",
    ]
    written = pd.read_csv(tmp_path / "both.csv", keep_default_na=False)
    assert written.to_numpy().tolist() == [cells(line) for line in (first, *body)]


def test_the_two_quick_studies_lie_side_by_side_claim_by_claim(project, tmp_path, capsys):
    page = (project / "docs" / "results" / "human_it.md").read_text()
    (command,) = re.findall(r"^python -m rulealign\.claims (.*quick)$", page, re.MULTILINE)
    names = [Path(folder).name for folder in command.split()]
    assert names == ["cichy92_quick", "human_it_quick"]
    told = [yaml.safe_load((project / "studies" / f"{name}.yaml").read_text()) for name in names]
    for number, (name, own) in enumerate(zip(names, told, strict=True), start=1):
        rows = [
            summary(
                *(label, "holds", number + place / 10, claim["statement"]),
                direction=claim["direction"],
                smallest_effect=claim.get("smallest_effect", {}).get("value", np.nan),
                size=own["universes"]["size"][0],
            )
            for place, (label, claim) in enumerate(own["claims"].items())
        ]
        study(tmp_path / name, *rows)
    assert main([str(tmp_path / name) for name in names]) == 0
    head, _, first, *body = map(cells, capsys.readouterr().out.splitlines())
    assert head[2:] == names
    assert first[2] == first[3]  # so that verdicts are of one kind of universe
    cichy, human = (list(own["claims"]) for own in told)
    assert [line[0] for line in body] == cichy  # all of human_it_quick are among these
    for label, statement, *own in body:
        assert statement == told[0]["claims"][label]["statement"]  # word for word, so once
        assert f"primary universe holds: {1 + cichy.index(label) / 10:+.3f} [" in own[0]
        if label not in human:
            assert own[1] == "not declared"
            continue
        assert f"primary universe holds: {2 + human.index(label) / 10:+.3f} [" in own[1]
        assert told[1]["claims"][label] == told[0]["claims"][label]


def test_an_effect_too_small_to_matter_is_said_to_be_that(tmp_path, capsys):
    small = {
        "reason": "too small to matter: the interval lies within ±0.05",
        "smallest_effect": 0.05,
    }
    one = study(tmp_path / "a", summary("drop", "unresolved", -0.03, **small))
    assert main([one]) == 0
    assert "unresolved (too small to matter: the interval lies" in capsys.readouterr().out
    found = rows(lambda _: "unresolved", VIEWS)
    found.loc[found["size"] == 32, "reason"] = small["reason"]
    assert where(found) == "unresolved everywhere; too small to matter at 32 px"
    found.loc[found.index[-1], "reason"] = None
    assert where(found) == (
        "unresolved everywhere; too small to matter at 32 px uncentred, at 32 px without a control"
        " and at 32 px with pixels partialled out"
    )
    found["verdict"] = "holds"
    found["reason"] = small["reason"]
    assert where(found) == "holds everywhere; too small to matter everywhere"


@pytest.mark.parametrize(("key", "value"), [("direction", "positive"), ("smallest_effect", 0.05)])
def test_two_claims_of_one_label_are_not_laid_side_by_side(tmp_path, capsys, key, value):
    one = study(tmp_path / "a", summary("drop", "holds", -0.05))
    two = study(tmp_path / "b", summary("drop", "holds", 0.05, **{key: value}))
    assert main([one, two]) == 1
    assert f"'drop' has the {key} " in capsys.readouterr().err


def test_scattered_verdicts_are_most_often_where_a_balanced_axis_says():
    # size: 5 and 2 of 8; control: 3, 2, 1 and 1 of 4, more by having more values
    axes = {"size": [32, 224], "control": ["none", "a", "b", "c"], "centring": ["x", "y"]}
    at = {(32, "none", "x"), (32, "a", "y"), (32, "b", "x"), (32, "c", "y")}
    at |= {(224, "none", "y"), (224, "b", "y")}
    found = rows(
        lambda one: "reversed" if (one["size"], one["control"], one["centring"]) in at else "holds",
        axes,
    )
    # a pair of values holds no two alike, so no place is pure
    assert where(found) == "reversed most often at 32 px; holds in the rest"


def test_a_folder_without_claims_is_named(tmp_path, capsys):
    one = study(tmp_path / "a", summary("drop", "holds", -0.05))
    assert main([one, str(tmp_path / "none")]) == 1
    assert "none: has no statistics/claims_summary.csv" in capsys.readouterr().err
    (tmp_path / "more").mkdir()
    again = study(tmp_path / "more" / "a", summary("drop", "holds", -0.05))
    assert main([one, again]) == 0  # another folder of the same name
    assert cells(capsys.readouterr().out.splitlines()[0])[2:] == [one, again]
    assert main([one, f"{tmp_path}/more/../a"]) == 1
    assert "appears twice; name it once" in capsys.readouterr().err
    assert main([one, "--csv", str(tmp_path / "more")]) == 1
    assert "more: cannot be written (" in capsys.readouterr().err
    (tmp_path / "a" / "statistics" / "claims_summary.csv").write_text("claim\ndrop\n")
    assert main([one]) == 1
    assert "has no column 'statement'" in capsys.readouterr().err


def test_a_claim_without_a_primary_universe_is_refused():
    found = rows(lambda _: "holds", VIEWS).assign(claim="drop", primary=False)
    with pytest.raises(DataError, match="'drop' has 0 primary universes"):
        summary_table(found, pd.DataFrame(), [claim_files.DROP])
