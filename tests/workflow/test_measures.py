"""Claims over measures and features in a real run: their jobs, their tables, and nothing else."""

import html

import numpy as np
import pandas as pd
import pytest
import torch

from changed_study import counts
from interrupted import copy_of
from rulealign.data.simulated.objects import CLASSES
from rulealign.learning.given_labels import random_labels
from rulealign.store import open_h5

MEASURES, FEATURES = ["rsa", "encoding", "cka"], ["activations", "gradient", "teaching"]
ENCODING = {"folds": 3, "inner_folds": 2, "penalties": [1.0, 100.0], "features": FEATURES}
ENCODING |= {"losses": ["given-label", "entropy", "random-label"], "labels": "./labels.csv"}


def write_labels(run, first="cube"):
    names = [first, *CLASSES, *CLASSES][:12]
    rows = [f"image_{place:02d},{name}" for place, name in enumerate(names, start=1)]
    (run.folder / "labels.csv").write_text("\n".join(["stimulus,label", *rows]) + "\n")


@pytest.fixture
def run(finished, tmp_path):
    """Give a copy of the finished study that names measures and features."""
    own = copy_of(finished, tmp_path)
    write_labels(own, CLASSES[0])
    own.study["encoding"] = ENCODING
    axes = {"measure": MEASURES, "features": FEATURES, "crossed": ["features", "measure"]}
    own.study["universes"] = own.study["universes"] | axes
    # of bp and of its baseline, which has no teaching signals
    own.study["universes"] |= {"comparison": ["spearman", "pearson"], "control": ["none"]}
    return own


def test_measures_and_features_add_their_jobs_and_leave_all_others(run):
    before = run.results()
    plan = counts(run.snakemake("--dry-run", check=True).output)
    assert not {"train", "activations", "alignment", "brain_rdms"} & set(plan)
    # bp by 3 measures of 3 features but RSA of activations, and its baseline without teaching
    assert plan["measured"] == 2 * 3 + 2 * 2
    assert plan["signal_universes"] == 2 + 1
    assert plan["signal_rdms"] == 2 * 2 + 1  # features and epochs of bp, and the gradient of one
    run.snakemake(check=True)
    after = run.results()
    kept = [name for name in before if name.startswith(("alignment/", "rdms/", "checkpoints/"))]
    assert {name for name in kept if before[name] != after[name]} <= {
        name for name in kept if "universes" in name
    }
    claims = pd.read_csv(run.folder / "results/small/statistics/claims.csv", keep_default_na=False)
    by = claims.groupby(["features", "measure"]).size()
    # descriptors, convention and baseline vary alone, and by RSA the comparison, too
    assert by.to_dict() == {
        (kind, measure): 4 + (measure == "rsa") for kind in FEATURES for measure in MEASURES
    }
    lost = claims[claims["verdict"] == "missing"]
    assert set(lost["reason"]) == {"untrained_bn has no teaching signals"}
    assert len(lost) == 3
    curves = pd.read_csv(run.folder / "results/small/statistics/specification_curves.csv")
    assert set(curves["features"]) == set(FEATURES)
    page = html.unescape((run.folder / "results/small/report.html").read_text())
    for words in ("with gradients", "CKA", "encoding"):
        assert words in page
    with open_h5(next((run.folder / "results/small/signals").glob("*rule-bp*epoch-1*.h5"))) as file:
        signals = {name: values[()] for name, values in file["fc1/vector"].items()}
    gradients = {f"gradient-{loss}" for loss in ENCODING["losses"]}
    assert gradients | {"teaching"} == set(signals)
    # dL/da = W' (p - label): where both labels differ, gradients do by two rows of W
    checkpoint = next((run.folder / "results/small/checkpoints").glob("*rule-bp*epoch-1.pt"))
    weights = torch.load(checkpoint, weights_only=True)["network"]["fc2.weight"].numpy()
    ids = [f"image_{place:02d}" for place in range(1, 13)]
    given, drawn = np.r_[0, np.arange(11) % 10], random_labels(run.study["seed"], ids, 10)
    found = signals["gradient-given-label"] - signals["gradient-random-label"]
    np.testing.assert_allclose(found, weights[drawn] - weights[given], atol=1e-5)
    assert counts(run.snakemake("--dry-run", check=True).output) == {}


def test_a_label_that_is_no_class_stops_the_run_with_its_name(run):
    write_labels(run, "giraffe")
    # the check of inputs sees it, before anything is trained or read anew
    stopped = run.snakemake("results/small/statistics/inputs.csv")
    assert stopped.returncode != 0
    assert not (run.folder / "results/small/signals").exists()
    assert "the label 'giraffe' of 'image_01' is no class of the training set" in stopped.output
