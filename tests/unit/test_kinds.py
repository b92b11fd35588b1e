"""A kind is a room: its registry finds its class, and nobody else asks which kind it is."""

import re
from typing import get_args

import pytest

from rulealign.data.brains import REGISTRY as BRAINS
from rulealign.data.brains import brain_class
from rulealign.data.stimulus_sets import REGISTRY as STIMULUS_SETS
from rulealign.data.stimulus_sets import kinds_used_as, stimulus_set_class
from rulealign.errors import ConfigurationError

# of an array's type, and of an RDM that does not fit, `kind` is something else
ASKED = re.compile(r"(?<!dtype)(?<!error)\.kind\s*(==|!=|in\b|not in\b)")


def test_nobody_asks_which_kind_a_section_is(project):
    files = [*(project / "src").rglob("*.py"), *(project / "scripts").glob("*.py")]
    files += [project / "Snakefile", *(project / "rules").glob("*.smk")]
    assert len(files) > 250
    found = [
        f"{path.relative_to(project)}: {line.strip()}"
        for path in files
        for line in path.read_text().splitlines()
        if ASKED.search(line)
    ]
    assert found == []


def test_rules_ask_no_name_of_one_kind_of_brain_data(project):
    """What a kind needs, its files say: `unpacks`, `remote`, `check_images`."""
    text = "\n".join(path.read_text() for path in sorted((project / "rules").glob("*.smk")))
    assert not re.search(r"\bTHINGS\b", text)
    # where responses are, and how many requests fetch them; no more
    assert set(re.findall(r".*STUDY\.things.*", text)) == {
        '        STUDY.brain.files(STUDY.things, Path("resources"), Path(RESULTS))',
        'config["parallel"] = STUDY.things.parallel if STUDY.things else 1',
    }


@pytest.mark.parametrize(
    "line", ['if study.brain.kind == "things":', "if one.kind not in known:", "x.kind!='a'"]
)
def test_a_question_for_the_kind_would_be_found(line):
    assert ASKED.search(line)


@pytest.mark.parametrize(
    ("find", "kind"),
    [
        *((brain_class, kind) for kind in BRAINS),
        *((stimulus_set_class, kind) for kind in STIMULUS_SETS),
    ],
)
def test_every_kind_is_found_by_the_name_that_its_section_has(find, kind):
    found = find(kind)
    assert get_args(found.model_fields["kind"].annotation) == (kind,)
    assert all(field.description for field in found.model_fields.values())


def test_sections_of_a_study_take_the_kinds_that_are_meant_for_them():
    assert kinds_used_as("stimuli") == ["folder", "mat", "brain", "cutout"]
    assert kinds_used_as("calibration") == ["folder", "mat", "brain-others", "synthetic-objects"]


def test_an_unknown_kind_is_refused_with_those_there_are():
    with pytest.raises(ConfigurationError, match=r"no kind of brain data 'eeg'.*'rdm-archive'"):
        brain_class("eeg")
    with pytest.raises(ConfigurationError, match=r"no stimulus set 'movie'.*'folder', 'mat'"):
        stimulus_set_class("movie")
