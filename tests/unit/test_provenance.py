"""Fingerprints depend on content alone; seeds on everything they are derived from."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from rulealign.errors import ConfigurationError, StoreError
from rulealign.provenance import canonical, derive_seed, file_sha256, fingerprint, state_hash
from rulealign.rerun.study_folder import (
    origin,
    refuse_other_study,
    refuse_same_name,
    refuse_second_file,
    versions,
    write_record,
)


def test_the_order_of_keys_does_not_matter_and_that_of_lists_does():
    assert canonical({"b": [2, 1], "a": 1.5}) == '{"a":1.5,"b":[2,1]}'
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint([1, 2]) != fingerprint([2, 1])


def test_a_setting_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"learning_rate": float("nan")})


def test_a_file_hash_is_that_of_its_bytes(tmp_path):
    (tmp_path / "f").write_bytes(b"rulealign" * 100_000)
    assert file_sha256(tmp_path / "f") == hashlib.sha256(b"rulealign" * 100_000).hexdigest()


def test_a_state_hash_sees_one_changed_bit_and_not_the_memory_layout():
    state = {"w": torch.arange(24.0).reshape(1, 2, 3, 4), "n": torch.tensor(3)}
    relaid = {"w": state["w"].to(memory_format=torch.channels_last), "n": state["n"]}
    assert state_hash(state) == state_hash(relaid)
    changed = {"w": state["w"].clone(), "n": state["n"]}
    changed["w"][0, 0, 0, 0] = 1e-45  # the smallest positive float32
    assert state_hash(changed) != state_hash(state)
    assert state_hash({"v": state["w"], "n": state["n"]}) != state_hash(state)


def test_seeds_differ_by_every_part_and_are_stable():
    seeds = {
        derive_seed(*parts)
        for parts in [(1, 42, "order"), (2, 42, "order"), (1, 43, "order"), (1, 42, "dropout")]
    }
    assert len(seeds) == 4
    assert all(0 <= seed < 2**63 for seed in seeds)
    digest = hashlib.sha256(b'[1,"42","order"]').digest()
    assert derive_seed(1, 42, "order") == int.from_bytes(digest[:8], "big") // 2


def test_two_study_files_are_not_merged():
    with pytest.raises(ConfigurationError, match="a.yaml and b.yaml"):
        refuse_second_file(["a.yaml", "b.yaml"])


def test_results_of_another_study_file_with_the_same_name_are_not_touched(tmp_path):
    settings = {"study": "s", "seed": 1}
    record = tmp_path / "s" / "provenance.json"
    record.parent.mkdir()
    record.write_text(json.dumps({"study_file": "a.yaml", "study": settings}))
    refuse_other_study(tmp_path, "s", "a.yaml", {"study": "s", "seed": 2})  # edited: goes on
    refuse_other_study(tmp_path, "s", "b.yaml", settings)  # moved: the same study
    with pytest.raises(ConfigurationError, match=r"'s' .* b\.yaml and a\.yaml"):
        refuse_other_study(tmp_path, "s", "b.yaml", {"study": "s", "seed": 2})


def test_a_record_that_was_cut_short_is_named_with_its_remedy(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "provenance.json").write_text('{"study": ')
    with pytest.raises(StoreError, match=r"provenance\.json: cannot be read .* delete it"):
        refuse_other_study(tmp_path, "s", "a.yaml", {})


def test_the_record_holds_settings_file_and_versions(tmp_path):
    settings = {"study": "s", "seed": 1}
    versions_of = {"python": "3.11.9", "numpy": "2.4"}
    write_record(tmp_path / "p.json", settings, "a.yaml", versions_of, {"code": {"m": "0f"}})
    record = json.loads((tmp_path / "p.json").read_text())
    assert record == {
        "study_file": "a.yaml",
        "study": settings,
        "study_fingerprint": fingerprint(settings),
        "python": "3.11.9",
        "packages": {"numpy": "2.4"},
        "code": {"m": "0f"},
    }
    assert versions()["torch"] == torch.__version__.split("+")[0]


def test_the_study_that_a_run_wrote_comes_from_the_file_of_the_record(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written = "results/s/study.yaml"
    assert origin(Path("results"), "s", written) == written  # nothing is recorded yet
    Path("results/s").mkdir(parents=True)
    write_record(Path("results/s/provenance.json"), {"study": "s"}, "a.yaml", {"python": "3"}, {})
    assert origin(Path("results"), "s", written) == "a.yaml"
    assert origin(Path("results"), "s", f"{tmp_path}/{written}") == "a.yaml"
    assert origin(Path("results"), "s", "results/t/study.yaml") == "results/t/study.yaml"
    assert origin(Path("results"), "s", "b.yaml") == "b.yaml"


def test_two_files_of_the_project_with_one_name_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").mkdir()
    (tmp_path / "workflow_config.yaml").write_text("study: default # x\n")
    (tmp_path / "studies" / "mine.yaml").write_text("study: 'mine'\n")
    refuse_same_name(tmp_path, "mine", str(tmp_path / "studies" / "mine.yaml"), str)
    with pytest.raises(ConfigurationError, match=r"mine\.yaml"):
        refuse_same_name(tmp_path, "mine", "elsewhere.yaml", str)
    refuse_same_name(tmp_path, "mine", "a_copy.yaml", lambda file: "the same settings")
    refuse_same_name(tmp_path, "mine", "results/mine/study.yaml", str)
    with pytest.raises(ConfigurationError, match=r"mine\.yaml"):
        refuse_same_name(tmp_path, "mine", "results/other/study.yaml", str)
