"""A file that is no study is refused in one line, before Snakemake reads it."""

import subprocess
import sys

import pytest
import yaml

from helpers.unreadable_studies import unreadable_studies
from rulealign.config.command_line import study_files
from rulealign.config.file import read_study_file
from rulealign.errors import ConfigurationError

UNREADABLE = {name: (content, place) for name, content, place in unreadable_studies()}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_is_no_study_is_refused_in_one_line_with_its_place(tmp_path, name):
    content, place = UNREADABLE[name]
    file = tmp_path / "study.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_study_file(file)
    message = str(caught.value)
    assert message.startswith(f"{file}, {place}: " if place.startswith("line") else f"{file}: ")
    assert place in message
    assert "\n" not in message
    assert len(message) - len(str(file)) < 300


def test_what_is_not_there_or_no_file_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"mine\.yaml: there is no such file"):
        read_study_file(tmp_path / "mine.yaml")
    with pytest.raises(ConfigurationError, match="this is a folder"):
        read_study_file(tmp_path)


@pytest.mark.parametrize(
    ("content", "values"),
    [
        (b"\xef\xbb\xbfstudy: a\r\ntitle: b\r\n", {"study": "a", "title": "b"}),
        (b'{"study": "a", "seeds": [1, 2]}', {"study": "a", "seeds": [1, 2]}),
        (b"a: &a {b: 1}\nc: {<<: *a, d: 2}\n", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        (b"a: &a [1, 2]\nb: *a\n", {"a": [1, 2], "b": [1, 2]}),
    ],
)
def test_other_ways_to_write_a_study_are_read(tmp_path, content, values):
    (tmp_path / "study.yaml").write_bytes(content)
    assert read_study_file(tmp_path / "study.yaml") == values


def test_every_study_of_the_project_is_read_as_yaml_reads_it(project):
    for file in [project / "workflow_config.yaml", *(project / "studies").glob("*.yaml")]:
        assert read_study_file(file) == yaml.safe_load(file.read_text())


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        ("-n --configfile a.yaml b.yaml --cores 2", ["a.yaml", "b.yaml"]),
        ("--configfiles=a.yaml report", ["a.yaml"]),
        ("--cores 2 --config seed=7", ["workflow_config.yaml"]),
        ("--directory nowhere", []),
    ],
)
def test_the_study_files_of_a_command_line_are_found(project, monkeypatch, arguments, files):
    monkeypatch.chdir(project)
    assert [str(file) for file in study_files(arguments.split())] == files


@pytest.mark.parametrize("name", ["a bomb of sections", "Latin-1", "Python in a template"])
def test_snakemake_ends_with_our_line_before_it_reads_the_file(project, tmp_path, name):
    content, place = UNREADABLE[name]
    (tmp_path / "study.yaml").write_bytes(content)
    command = [sys.executable, "-m", "snakemake", "-n", "--configfile", tmp_path / "study.yaml"]
    done = subprocess.run(
        command, cwd=project, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"{tmp_path}/study.yaml, {place}: ")
    assert "Traceback" not in done.stderr
