"""Gradients of the cross-entropy to given labels: closed form, finite differences, refusals."""

import re

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch.nn import functional

from complete_studies import complete
from rulealign.config.labels import read_labels
from rulealign.config.load import load_study
from rulealign.data.labels import label_numbers
from rulealign.errors import ConfigurationError, DataError
from rulealign.learning.given_labels import label_gradients, random_labels
from rulealign.learning.networks import network_class
from rulealign.learning.signals import layer_gradients, passed
from rulealign.plan.settings.encoding import SignalSettings

LABELS = torch.tensor([3, 0, 7])


@pytest.fixture
def network():
    torch.manual_seed(0)
    settings = {"kind": "cnn3", "channels": [3, 4, 5], "hidden_units": 6}
    made = network_class("cnn3")(**settings).build(10).double()
    for _ in range(3):  # statistics that are not the identity
        made(torch.randn(8, 3, 32, 32, dtype=torch.float64) * 2 + 1)
    return made.eval()


@pytest.fixture
def images():
    return torch.randn(
        3, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )


def test_above_the_hidden_layer_the_gradient_has_a_closed_form(network, images):
    found = label_gradients(network, images, LABELS)
    with torch.no_grad():
        p = torch.softmax(passed(network, images).logits, 1)
        expected = (p - torch.eye(10, dtype=torch.float64)[LABELS]) @ network.fc2.weight
    torch.testing.assert_close(found["fc1"], expected)


def test_at_a_map_it_is_that_of_finite_differences(network, images):
    found = label_gradients(network, images, LABELS)["conv3"]
    with torch.no_grad():
        values = passed(network, images).layers["conv3"]

        def loss(change):
            hidden = functional.relu(network.fc1((values + change).flatten(1)))
            p = torch.softmax(network.fc2(hidden), 1)
            return -torch.log(p[torch.arange(3), LABELS])

        for channel, row, column in [(0, 0, 0), (4, 3, 2)]:
            change = torch.zeros_like(values)
            change[:, channel, row, column] = 1e-6
            slope = (loss(change) - loss(-change)) / 2e-6
            own = found[:, channel, row, column]
            torch.testing.assert_close(own, slope, rtol=1e-4, atol=1e-8)
    assert found.abs().max() > 0


def test_of_the_networks_own_decision_it_is_that_loss(network, images):
    decided = passed(network, images).logits.argmax(1)
    one = label_gradients(network, images, decided)
    other = layer_gradients(network, images, "own-decision")
    for layer, values in one.items():
        torch.testing.assert_close(values, other[layer])
    wrong = label_gradients(network, images, (decided + 1) % 10)
    assert (wrong["conv1"] - one["conv1"]).abs().max() > 1e-4


def test_labels_become_numbers_of_classes_in_the_order_of_the_stimuli():
    labels = {"b": "dog", "a": "cat", "c": "dog"}
    found = label_numbers(labels, ["a", "b", "c"], ["bird", "cat", "dog"], "x.h5")
    np.testing.assert_array_equal(found, [1, 2, 2])


def test_random_labels_are_drawn_evenly_and_are_each_stimulus_own():
    ids = [f"image_{place:04d}" for place in range(2000)]
    drawn = random_labels(3, ids, 10)
    assert chisquare(np.bincount(drawn, minlength=10)).pvalue > 0.01
    np.testing.assert_array_equal(random_labels(3, ids[::-1], 10), drawn[::-1])
    assert (random_labels(4, ids, 10) == drawn).mean() < 0.15


def test_a_loss_of_random_labels_needs_no_table(project):
    values = complete(project / "studies/gradients.yaml")
    values["encoding"] = values["encoding"] | {"losses": ["own-decision", "random-label"]}
    found = load_study(values)
    assert SignalSettings.of(found, found.arms[1]).losses == ["own-decision", "random-label"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"a": "cat"}, r"x\.h5: stimulus 'b' has no label; add it"),
        ({"a": "cat", "b": "cat", "c": "cat"}, r"x\.h5: there is no stimulus 'c'"),
        ({"a": "cat", "b": "cow"}, r"x\.h5: the label 'cow' of 'b' is no class .*cat, dog"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        label_numbers(labels, ["a", "b"], ["cat", "dog"], "x.h5")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stimulus,name\na,cat\n", "has no column 'label' in its first line"),
        ("stimulus,label\na,cat\na,dog\n", "line 3: 'a' appears twice"),
        ("stimulus,label\na,\n", "line 2: stimulus or label is empty"),
        ("stimulus,label\n", "has no rows"),
        (None, "cannot be read"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, text, message):
    path = tmp_path / "labels.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        read_labels(str(path))


@pytest.fixture
def study(project, tmp_path):
    values = complete(project / "studies/gradients.yaml")
    table = tmp_path / "labels.tsv"
    rows = [f"image_{place:02d}\t{'cat' if place % 2 else 'ship'}" for place in range(1, 93)]
    table.write_text("\n".join(["stimulus\tlabel", *rows]) + "\n")
    asked = {"losses": ["given-label", "entropy"], "labels": str(table)}
    values["encoding"] = values["encoding"] | asked
    return values


def test_the_job_is_told_the_labels(study):
    found = load_study(study)
    told = SignalSettings.of(found, found.arms[1])
    assert told.losses == ["entropy"]
    assert told.labels["image_02"] == "ship"
    assert len(told.labels) == 92
    assert found.encoding.dataset("gradient") == "gradient-given-label"
    assert not found.teaches_gradient("bp")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": None}, r"encoding\.labels: missing; the loss 'given-label' needs a table"),
        ({"losses": ["entropy"]}, r"encoding\.labels: is for the loss 'given-label' alone"),
        ({"labels": "no/such.csv"}, r"encoding\.labels: no/such\.csv: cannot be read"),
        ({"labels": "labels.txt"}, r"encoding\.labels: labels\.txt: is no \.csv or \.tsv"),
    ],
)
def test_a_study_without_the_labels_that_it_needs_is_refused(study, changes, message):
    study["encoding"] = study["encoding"] | changes
    with pytest.raises(ConfigurationError, match=re.compile(message, re.DOTALL)):
        load_study(study)


def test_a_label_that_is_no_class_of_the_network_is_refused_while_planning(study, tmp_path):
    table = tmp_path / "labels.tsv"
    table.write_text(table.read_text().replace("image_02\tship", "image_02\tcart"))
    with pytest.raises(ConfigurationError, match=r"labels: stimulus 'image_02': .*'cart'.*cat"):
        load_study(study)


def test_a_study_without_labels_is_told_and_keeps_nothing_of_them(project):
    found = load_study(complete(project / "studies/gradients.yaml"))
    assert "labels" not in SignalSettings.of(found, found.arms[1]).plain()
    assert "labels" not in found.complete()["encoding"]
