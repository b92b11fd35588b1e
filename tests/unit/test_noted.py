"""Params that are recorded by name and fingerprint, and notes of what those stand for."""

import json
import os
import pickle

import pytest
from snakemake.persistence.file import FilePersistence

from rulealign.provenance import fingerprint
from rulealign.rerun.noted import Noted, keep_note, read_note

VALUE = {"b": [1, {"x": "a {word}"}], "a": None}


def test_a_job_reads_the_whole_value_as_plain_text():
    param = Noted("alignment", VALUE)
    assert json.loads(param) == VALUE
    there = pickle.loads(pickle.dumps({"settings": param}))["settings"]
    assert type(there) is str
    assert json.loads(there) == VALUE


def test_snakemake_records_name_and_fingerprint():
    persistence = FilePersistence.__new__(FilePersistence)
    recorded = persistence._serialize_param_builtin(Noted("alignment", VALUE))
    assert recorded == f"alignment:{fingerprint(VALUE)}"


def test_equal_values_are_recorded_equally_whatever_the_order_of_their_keys():
    turned = {"a": None, "b": [1, {"x": "a {word}"}]}
    assert repr(Noted("alignment", turned)) == repr(Noted("alignment", VALUE))
    for other in ({**VALUE, "a": 0}, {**VALUE, "a": False}, {**VALUE, "b": VALUE["b"][::-1]}):
        assert repr(Noted("alignment", other)) != repr(Noted("alignment", VALUE))
    assert repr(Noted("ceiling", VALUE)) != repr(Noted("alignment", VALUE))


def test_a_note_is_kept_once_and_read_again(tmp_path):
    folder = tmp_path / "notes"
    assert read_note(folder, "0" * 16) is None
    keep_note(folder, "0" * 16, VALUE)
    keep_note(folder, "0" * 16, "a fingerprint stands for one value")
    assert read_note(folder, "0" * 16) == VALUE
    (folder / f"{'0' * 16}.json").write_text('{"cut')
    assert read_note(folder, "0" * 16) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path):
    tmp_path.chmod(0o500)
    keep_note(tmp_path / "notes", "0" * 16, VALUE)
    assert not (tmp_path / "notes").exists()


def test_a_place_that_is_no_folder_stops_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    keep_note(tmp_path / "file" / "notes", "0" * 16, VALUE)
    assert read_note(tmp_path / "file" / "notes", "0" * 16) is None
