"""Results without Snakemake's records, or with those of others, are not taken for current."""

import json
import os
from pathlib import Path

import pytest

from rulealign.errors import ConfigurationError, StoreError
from rulealign.rerun.explain import record_path
from rulealign.rerun.noted import Noted
from rulealign.rerun.results_folder import refuse_unnoted_results

SETTINGS, MODULES = {"seed": 1, "rules": {"bp": 2}}, {"rulealign.a": "1", "scripts/b.py": "2"}


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Give a function: what differs in the record -> asks whether the results are refused."""
    monkeypatch.chdir(tmp_path)
    record = tmp_path / "results" / "x" / "provenance.json"
    record.parent.mkdir(parents=True)

    def ask(**changes):
        record.write_text(json.dumps({"study": SETTINGS, "code": MODULES} | changes))
        metadata = Path(".snakemake") / "metadata"
        refuse_unnoted_results(Path("results/x"), SETTINGS, MODULES, metadata)

    return ask


@pytest.fixture
def noted(tmp_path):
    """Give a function that notes, as Snakemake does, what the record was made with."""
    note = record_path(tmp_path / ".snakemake/metadata", "results/x/provenance.json")
    note.parent.mkdir(parents=True)

    def write(study, code, endtime=0.0):
        params = sorted(map(repr, (Noted("study", study), Noted("modules", code))))
        note.write_text(json.dumps({"params": ["'study.yaml'", *params], "endtime": endtime}))

    return write


OTHERS = {"seed": 2, "of": "Zoë", "rate": 1e-05}


def test_results_that_are_as_their_notes_say_are_snakemakes_affair(results, noted):
    noted(OTHERS, MODULES)
    results(study=OTHERS)  # an edited study file
    noted(SETTINGS, {"rulealign.a": "0"})
    results(code={"rulealign.a": "0"})  # edited code
    noted(SETTINGS, MODULES)
    results()
    noted(OTHERS, MODULES)
    results()  # what is there was made with the settings of now


def test_results_that_replaced_those_of_the_notes_are_refused(results, noted, tmp_path):
    noted(SETTINGS, MODULES)
    with pytest.raises(
        ConfigurationError,
        match=r"with other settings \(seed: 2 -> 1; .*of other results, which these have replaced",
    ):
        results(study=OTHERS)
    with pytest.raises(ConfigurationError, match=r"by other code \(rulealign\.a\).*move results/x"):
        results(code=MODULES | {"rulealign.a": "0"})
    assert json.loads((tmp_path / "results/x/provenance.json").read_text())["study"] == SETTINGS


def test_a_run_killed_before_its_note_was_written_goes_on(results, noted, tmp_path):
    noted(SETTINGS, MODULES)
    mark = record_path(tmp_path / ".snakemake/incomplete", "results/x/provenance.json")
    mark.parent.mkdir(parents=True)
    mark.write_text("{}")
    results(study=OTHERS)
    mark.unlink()
    with pytest.raises(ConfigurationError):
        results(study=OTHERS)


def test_a_touched_record_and_notes_that_say_nothing_are_no_reason(results, noted, tmp_path):
    noted(SETTINGS, MODULES, endtime=1000.0)
    record = tmp_path / "results/x/provenance.json"
    with pytest.raises(ConfigurationError):
        results(study=OTHERS)
    os.utime(record, (1000, 1000))  # `snakemake --touch` notes the time of what it touched
    refuse_unnoted_results(Path("results/x"), SETTINGS, MODULES, Path(".snakemake/metadata"))
    note = record_path(tmp_path / ".snakemake/metadata", "results/x/provenance.json")
    for text in ("{}", "", '{"params": ', '{"endtime": 0}'):
        note.write_text(text)
        results(study={}, code={})


def test_a_record_that_cannot_be_read_is_named(results, noted, tmp_path):
    noted(SETTINGS, MODULES)
    results()
    (tmp_path / "results/x/provenance.json").write_text('{"study": ')
    with pytest.raises(StoreError, match=r"provenance\.json: cannot be read.*elete it"):
        refuse_unnoted_results(Path("results/x"), {}, {}, Path(".snakemake/metadata"))
