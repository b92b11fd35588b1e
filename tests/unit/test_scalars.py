"""Values that YAML reads otherwise than they look are named, with line, key and remedy."""

import pytest
import yaml

from rulealign.config.file import read_study_file
from rulealign.errors import ConfigurationError

MISREAD = {
    "seed: 010": ("line 2: `seed: 010` would be read as 8, in base 8; remove the zero", 8),
    "seed: -017": ("`seed: -017` would be read as -15, in base 8", -15),
    "seed: 1:30": ("`seed: 1:30` would be read as a number in base 60", 90),
    "seed: 12:30:45": ("`seed: 12:30:45` would be read as a number in base 60", 45045),
    "noise: 1:30.5": ("`noise: 1:30.5` would be read as a number in base 60", 90.5),
    "title: no": ("`title: no` would be read as false; write that, or put text in quotes", False),
    "title: On": ("`title: On` would be read as true", True),
    "title: 2026-11-28": ("would be read as a date; put it in quotes", None),
    "training: {seeds: [1, 2, 010]}": ("`training.seeds: 010` would be read as 8", None),
    "rules: {off: {kind: bp}}": ("`rules: off` would be read as false", None),
    "012: a": ("`012` would be read as 10", None),
}


@pytest.fixture
def read(tmp_path):
    def read(line):
        file = tmp_path / "study.yaml"
        file.write_text(f"study: a\n{line}\n")
        return read_study_file(file)

    return read


@pytest.mark.parametrize("line", MISREAD)
def test_a_value_that_yaml_reads_otherwise_is_refused_with_its_place(read, line):
    message, value = MISREAD[line]
    if value is not None:  # this is what Snakemake would hand over
        assert next(iter(yaml.safe_load(line).values())) == value
    with pytest.raises(ConfigurationError) as caught:
        read(line)
    assert "study.yaml, line 2: `" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('seed: "010"', "010"),
        ("title: 'no'", "no"),
        ("title: |\n  no", "no\n"),
        ('title: "2026-11-28"', "2026-11-28"),
        ("title: at 12:30", "at 12:30"),
        ("seed: 0", 0),
        ("seed: -10", -10),
        ("seed: 1_000", 1000),
        ("seed: 0x10", 16),
        ("seed: 0b11", 3),
        ("noise: 0.10", 0.1),
        ("noise: 00.5", 0.5),
        ("as_shown: true", True),
        ("as_shown: False", False),
        ("root: null", None),
        ("root:", None),
    ],
)
def test_a_value_that_is_read_as_it_looks_is_kept(read, line, value):
    _, found = read(line).values()
    assert found == value
    assert type(found) is type(value)
