"""Each of many broken studies is refused with the key as it stands in the file, and a remedy."""

import re

import pytest
import yaml

from complete_studies import complete
from conftest import PROJECT
from helpers.broken_studies import broken_studies, study_of_many_mistakes, with_value, written
from rulealign.config.load import load_study
from rulealign.errors import ConfigurationError
from rulealign.plan.files import ARM, FILES, NETWORK
from rulealign.rerun.study_folder import refuse_same_name
from rulealign.schema import LONGEST_LABEL

DEFAULT = complete(PROJECT / "workflow_config.yaml")
DEFAULT["brain"]["rois"] = {roi: full["union"] for roi, full in DEFAULT["brain"]["rois"].items()}
BROKEN = {name: rest for name, *rest in broken_studies(DEFAULT)}
FOREIGN = re.compile(
    r"Input should|Value error|validation error|type=|\[key\]|dict_type|union|discriminator"
    r"|Traceback|valid dictionary|<\w+>|None|True|False|\(study\)"
)
"""Words of pydantic and of Python."""


def mistakes_of(text):
    """Give key -> message of every mistake that a study is refused for."""
    with pytest.raises(ConfigurationError) as caught:
        load_study(yaml.safe_load(text), "mine.yaml")
    first, *lines = str(caught.value).split("\n")
    assert first == "mine.yaml has mistakes:"
    return dict(line.removeprefix("  ").split(": ", 1) for line in lines), lines


def test_the_unbroken_study_is_accepted_as_it_is_written():
    load_study(yaml.safe_load(written(DEFAULT)))
    assert len(BROKEN) > 250


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_told_with_its_key_and_a_remedy(name):
    text, key, remedy = BROKEN[name]
    _, lines = mistakes_of(text)
    key = re.sub(r"\.\d+$", "", key)[:80]  # a place of a list may be told by its value
    told = [line for line in lines if re.match(rf"  {re.escape(key)}[\w.]*: ", line)]
    assert any(remedy in line for line in told), lines
    for line in lines:
        assert not FOREIGN.search(line), line
        assert len(line) < 400, line


def test_a_misspelt_key_is_one_mistake():
    """It is not missing besides; what else is told comes of its value, which is not known."""
    for name, (text, key, _) in BROKEN.items():
        if name.endswith("misspelt"):
            found, _ = mistakes_of(text)
            assert list(found) == [key], (name, found)


def test_a_mistake_is_told_where_it_is_written_and_not_where_it_is_taken_over():
    short = {key: DEFAULT[key] for key in DEFAULT if key not in ("universes", "claims", "report")}
    found, _ = mistakes_of(written(with_value(short, "evaluation.sizes", [32, "big"])))
    assert list(found) == ["evaluation.sizes.1"]


def test_all_mistakes_of_a_study_are_told_at_once():
    text, keys = study_of_many_mistakes(DEFAULT)
    found, lines = mistakes_of(text)
    assert set(found) >= keys
    assert len(lines) <= len(keys) + 4, lines


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("brain.rois.V1_layers", ["V1"], "results of 'V1'"),
        ("brain.rois.v1_universes", ["V1"], "results of 'V1'"),
        ("brain.rois.it", ["IT"], "only in capitals"),
    ],
)
def test_labels_whose_files_would_be_the_same_are_refused(key, value, message):
    found, _ = mistakes_of(written(with_value(DEFAULT, key, value)))
    assert message in found[key]


def test_what_is_refused_is_what_would_collide():
    """The names of files are those that the workflow gives."""
    patterns = [one for one in FILES.values() if "_roi-{roi}" in one.rpartition("/")[2]]
    assert len(patterns) > 9
    endings = {
        part for name in patterns for part in re.findall(r"_([a-z]+)", name.split("roi", 2)[1])
    }
    for ending in sorted(endings | {"top", "universes_draws"}):
        names = [name.replace("{roi}", roi) for name in patterns for roi in ("V1", f"V1_{ending}")]
        study = yaml.safe_load(written(with_value(DEFAULT, f"brain.rois.V1_{ending}", ["V1"])))
        try:
            load_study(study)
        except ConfigurationError:
            refused = True
        else:
            refused = False
        assert refused == (len(set(names)) < len(names)), ending


def test_two_studies_whose_names_differ_in_capitals_only_are_refused(project):
    with pytest.raises(ConfigurationError, match="'CICHY92' is the name of two studies"):
        refuse_same_name(project, "CICHY92", "mine.yaml", str)
    refuse_same_name(project, "cichy", "mine.yaml", str)


def test_the_longest_labels_make_names_that_file_systems_allow(project):
    rules = "".join(path.read_text() for path in (project / "rules").glob("*.smk"))
    logs = re.findall(r"[\"/]([^\"/\s]*\{\{\w+\}\}[^\"/\s]*)\"", rules)
    logs = [
        name.replace("{NETWORK}", NETWORK)
        .replace("{ARM}", ARM)
        .replace("{{", "{")
        .replace("}}", "}")
        for name in logs
    ]
    names = [*logs, *(one.rpartition("/")[2] for one in FILES.values())]
    assert len(names) > 50
    values = dict.fromkeys(("network", "rule", "roi", "stimuli"), "x" * LONGEST_LABEL)
    values |= {"dataset": "a-dataset", "claim": "x" * LONGEST_LABEL}
    values |= {"seed": "9" * 19, "epoch": "1000000", "size": "1024", "subject": "99", "table": "t"}
    values |= {"measure": "encoding", "features": "activations"}
    values |= {"figure": "f", "descriptor": "global-average", "centring": "uncentred"}
    for name in names:
        # a temporary file is named .<name>.<8 characters><ending>
        assert len(name.format_map(values)) <= 255 - 20, name
