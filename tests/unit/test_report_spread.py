"""Subjects and seeds beside the means over them, from numbers made by hand."""

import re

import pandas as pd

from report_study import page_study
from rulealign.arm import Mapped
from rulealign.report import describe, spread

PAIR = Mapped("cnn3", "conv1", "V1")
AT = {"network": "cnn3", "layer": "conv1", "roi": "V1", "stimuli": "grey", "size": 32}
AT |= {"centring": "centred", "descriptor": "grid-8", "pairs": "all"}


def scores(*rows, **more):
    return pd.DataFrame([AT | more | row for row in rows])


def told(cells):
    return [[float(one) for one in re.findall('value="([^"]+)"', str(cell))] for cell in cells]


def test_the_lowest_and_the_highest_subject_and_seed_of_the_last_checkpoint_are_told():
    seeds = {"score": 0.2, "low": 0.1, "high": 0.3, "n_seeds": 2, "convention": "per_subject"}
    own = scores(
        {"rule": "bp", "epoch": 0, "seed_low": 0.7, "seed_high": 0.9},
        {"rule": "bp", "epoch": 1, "seed_low": 0.15, "seed_high": 0.25},
        {"rule": "fa", "epoch": 1, "seed_low": 0.2, "seed_high": 0.2, "n_seeds": 1},
        **seeds,
    )
    # (rule, epoch, seed, subject, score); another size says nothing of this view
    each = [("bp", 1, 1, "a", 0.1), ("bp", 1, 2, "a", 0.3), ("bp", 1, 1, "b", 0.25)]
    each += [("bp", 1, 2, "b", 0.75), ("bp", 0, 1, "a", -1), ("fa", 1, 1, "a", 0.125)]
    names = ("rule", "epoch", "seed", "subject", "score")
    subjects = scores(*(dict(zip(names, one, strict=True)) for one in each))
    other = subjects.assign(size=96, score=9)
    subjects = pd.concat([subjects, other])
    view = page_study().report.view
    table = spread.tabulate(own, subjects, ["bp", "fa"], [PAIR], view)
    assert [row[:2] for row in table.rows] == [
        [rule, what] for rule in ("bp", "fa") for what in ("subjects", "seeds")
    ]
    of_bp, seeds_of_bp, of_fa, seeds_of_fa = (row[2:] for row in table.rows)
    assert told(of_bp) == [[0.2, 0.5]]
    assert told(seeds_of_bp) == [[0.15, 0.25]]
    assert "1 subject" in of_fa[0]
    assert "1 seed" in seeds_of_fa[0]
    without = spread.tabulate(own, None, ["bp"], [PAIR], view)
    assert [row[1] for row in without.rows] == ["seeds"]


def test_rois_are_said_in_plain_words():
    left = {"union": ["V2"], "intersection": ["IT", "lLOC"], "difference": ["V1", "rLOC"]}
    left |= {"hemisphere": "left", "voxels": {"by": "nc_testset", "top": 100}}
    clear = {"union": ["V1"], "voxels": {"by": "nc_testset", "at_least": 12.5}}
    clear |= {"intersection": [], "difference": [], "hemisphere": "both"}
    rois = {"V1": ["V1"], "LOC": ["lLOC", "rLOC"], "X": left, "Y": clear}
    study = page_study()
    told = study.brain.model_dump(mode="json") | {"rois": rois}
    study = study.model_copy(update={"brain": type(study.brain).model_validate(told)})
    tables = {
        "alignment": pd.DataFrame([{"n_stimuli": 60, "n_pairs": 9, "pairs": "all"}]),
        "ceilings": pd.DataFrame(
            [{"roi": "V1", "acquisition": "a", "distance": "d", "repetitions": 1, "n_subjects": 3}]
        ),
    }
    facts = describe.describe(study, tables)["Brain data"]
    assert dict(facts)["ROIs"].split("; ") == [
        "V1",
        "LOC: voxels in lLOC or rLOC, both hemispheres",
        "X: voxels in V2 and in IT and in lLOC but not in V1 or rLOC, left hemisphere: the 100 with"
        " the highest nc_testset",
        "Y: voxels in V1, both hemispheres: those with nc_testset of at least 12.5%",
    ]
