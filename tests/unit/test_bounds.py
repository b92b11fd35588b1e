"""Every whole number of a study has bounds, so that a slip of the pen is told before a plan."""

import pytest

from complete_studies import complete
from rulealign.config.load import load_study
from rulealign.config.study import Study
from rulealign.data.training_sets import REGISTRY as TRAINING_SETS
from rulealign.data.training_sets import training_set_class
from rulealign.errors import ConfigurationError
from rulealign.learning.networks import REGISTRY as NETWORKS
from rulealign.learning.networks import network_class
from rulealign.learning.rules import REGISTRY as RULES
from rulealign.learning.rules import rule_class


def unbounded(schema, path=""):
    """List the places of a JSON schema that take any whole number, however large."""
    if isinstance(schema, list):
        return [place for one in schema for place in unbounded(one, path)]
    if not isinstance(schema, dict):
        return []
    here = [path] if schema.get("type") == "integer" and "maximum" not in schema else []
    return here + [
        place for key, one in schema.items() for place in unbounded(one, f"{path}/{key}")
    ]


def test_every_whole_number_of_the_configuration_has_an_upper_bound():
    assert unbounded(Study.model_json_schema()) == []


SECTIONS = {
    **{kind: network_class(kind) for kind in NETWORKS},
    **{kind: training_set_class(kind) for kind in TRAINING_SETS},
    **{kind: rule_class(kind).Settings for kind in RULES},
}


@pytest.mark.parametrize("kind", sorted(SECTIONS))
def test_every_whole_number_of_a_kind_has_an_upper_bound(kind):
    assert unbounded(SECTIONS[kind].model_json_schema()) == []


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("networks.cnn3", "channels", [32, 64, 10**7]),
        ("networks.cnn3", "hidden_units", 10**9),
        ("training", "crop_padding", 10**6),
        ("statistics", "bootstrap_draws", 10**9),
        ("brain", "voxels_per_roi", 10**9),
    ],
)
def test_a_size_that_no_machine_holds_is_refused_by_its_key(project, section, key, value):
    study = complete(project / "workflow_config.yaml")
    place = study
    for part in section.split("."):
        place = place[part]
    place[key] = value
    with pytest.raises(ConfigurationError, match=rf"{section}\.{key}"):
        load_study(study)
