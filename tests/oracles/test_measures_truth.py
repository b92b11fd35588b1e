"""Responses that follow the gradients of trained networks: claims hold by gradients alone."""

from dataclasses import replace

import numpy as np
import pytest

import claim_files
import measured_files as made
from rulealign.claims.evaluate import evaluate
from rulealign.claims.universes.scores import score_universes
from rulealign.plan.settings.claims import UniverseSettings
from rulealign.plan.settings.scores import ModelRdmSettings
from rulealign.rsa.rdm import write_model_rdms
from rulealign.store import read_csv, write_csv

SEEDS, MEASURES = claim_files.SEEDS["bp"], ("rsa", "encoding", "cka")
GRID = claim_files.GRID | {
    "crossed": ["features", "measure"],
    "features": ["activations", "gradient"],
    "measure": list(MEASURES),
    "size": [32],
    "descriptor": ["grid-8"],
    "centring": ["centred"],
    "convention": ["per_subject"],
    "comparison": ["spearman"],
    "control": ["none"],
    "baseline": ["own"],
    "initialisation": {"default": {}},
}
RISE = claim_files.claim("rise", [("bp", 1)], [("bp", 0)], direction="positive")
LEVEL = claim_files.claim("level", [("bp", 1)], [], direction="positive")


def plain(folder, files, brain, shuffles):
    """Score activations by RSA, as the jobs of every study do."""
    rdms = [path.with_name(f"{path.stem}_rdms.h5") for path in files["activations"]]
    for path, rdm in zip(files["activations"], rdms, strict=True):
        write_model_rdms(path, rdm, ModelRdmSettings(centring=["centred"]))
    told = made.settings("rsa", "activations", ["per_subject"], shuffles)
    paths = folder / "plain.csv", folder / "plain_draws.h5"
    told = told.narrowed(UniverseSettings)
    score_universes(rdms, brain[0], [], made.ARM, "V1", told, *paths)
    write_csv(folder / "alignment.csv", read_csv(paths[0]).drop(columns="reason"))
    return *paths, folder / "alignment.csv"


def evaluated(folder, follow, claims, shuffles=0, world=8):
    rng = np.random.default_rng(world)
    signal = rng.normal(size=(made.N, 4))

    def features(seed, epoch):
        own = np.random.default_rng([world, seed, epoch])
        noise = {name: own.normal(size=(made.N, 12)) for name in ("activations", "gradient")}
        if epoch and follow:
            noise[follow] = noise[follow] * 0.5 + signal @ own.normal(size=(4, 12))
        return noise

    responses = [
        signal @ rng.normal(size=(4, 30)) + rng.normal(0, 1.5, (made.N, 30)) for _ in range(5)
    ]
    files = made.write_networks(folder, features, SEEDS, (0, 1))
    brain = made.write_brain(folder, responses)
    tables, draws, alignments = ([one] for one in plain(folder, files, brain, shuffles))
    for measure in MEASURES:
        for name in ("activations", "gradient"):
            if (measure, name) != ("rsa", "activations"):
                told = made.settings(measure, name, ["per_subject"], shuffles)
                table, drawn = made.write_measured(folder, files, brain, told)
                tables.append(table)
                draws.append(drawn)
    told = claim_files.settings(*claims, universes=GRID)
    facts = replace(told.facts, features={"gradient": {"bp": [32]}})
    outputs = [folder / f"{name}.csv" for name in ("claims", "summary", "curves")]
    ceilings = [claim_files.write_ceilings(folder)]
    encodings = [made.write_encoded(folder, files, brain)]
    checked = alignments, encodings, ceilings
    evaluate(tables, draws, *checked, replace(told, facts=facts), *outputs)
    return [read_csv(path) for path in outputs]


@pytest.mark.parametrize("follow", ["gradient", "activations"])
def test_a_claim_holds_by_the_features_that_responses_follow(tmp_path, follow):
    rows, summary, curves = evaluated(tmp_path, follow, [RISE])
    assert len(rows) == 6  # 2 features x 3 measures
    other = {"gradient": "activations", "activations": "gradient"}[follow]
    by = rows.set_index(["features", "measure"])["verdict"]
    assert [by[follow, one] for one in MEASURES] == ["holds"] * 3
    assert "holds" not in [by[other, one] for one in MEASURES]
    # features are other questions, measures ways to the answer
    cells = curves.set_index("features")
    assert cells["universes"].to_dict() == {"activations": 3, "gradient": 3}
    assert cells.loc[follow, "verdict"] == "holds"
    assert cells.loc[other, "verdict"] != "holds"
    assert summary["cell_verdict"].tolist() == [cells.loc["activations", "verdict"]]


def test_a_level_is_held_against_shuffled_stimuli_by_every_measure(tmp_path):
    rows, _, curves = evaluated(tmp_path, "gradient", [LEVEL], shuffles=60)
    cells = curves.set_index("features")
    assert cells["null"].eq("no alignment").all()
    assert cells.loc["gradient", "verdict"] == "holds"
    assert cells.loc["activations", "verdict"] == "unresolved"
    assert rows.set_index(["features", "measure"]).loc[("gradient", "cka"), "effect"] > 0.3
