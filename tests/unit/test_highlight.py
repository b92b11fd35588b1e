"""Which rules figures draw as lines: those that the study highlights, beside their baselines."""

import pytest
import yaml

from rulealign.config.load import load_study
from rulealign.errors import ConfigurationError
from rulealign.plan.lines import lines


def study_with(project, name, highlight):
    text = (project / name).read_text()
    return load_study(yaml.safe_load(text) | {"report": {"highlight": highlight}})


def test_few_rules_are_all_lines_and_many_are_those_of_the_claims_first(project):
    default = study_with(project, "workflow_config.yaml", [])
    assert lines(default) == list(default.rules)
    many = study_with(project, "studies/cichy92.yaml", [])
    assert len(many.rules) > 8
    assert len(lines(many)) == 8
    assert {"bp", "fa", "untrained_bn"} <= set(lines(many))


def test_highlighted_rules_are_lines_beside_their_own_baselines_in_the_studys_order(project):
    study = study_with(project, "studies/cichy92.yaml", ["stdp", "fa_2026", "bp"])
    # stdp is held against readout, fa_2026 against the larger untrained weights
    expected = ["untrained_bn", "untrained_bn_normal", "bp", "fa_2026", "readout", "stdp"]
    assert lines(study) == expected


@pytest.mark.parametrize(
    ("highlight", "message"),
    [
        (["bp", "fa"], r"report\.highlight: names \['bp', 'fa'\]; name three to five rules"),
        (["bp", "fa", "pca"], r"report\.highlight: .*'pca'.*rules lists"),
        (["bp", "bp", "fa"], r"report\.highlight.*bp"),
    ],
)
def test_what_cannot_be_highlighted_is_told(project, highlight, message):
    with pytest.raises(ConfigurationError, match=message):
        study_with(project, "workflow_config.yaml", highlight)
