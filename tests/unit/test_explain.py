"""Reasons in words, from what Snakemake prints and has noted."""

import base64
import json
from pathlib import Path

import pytest

from rulealign.errors import ConfigurationError, StoreError
from rulealign.explain import differences, record_path, why
from rulealign.results_folder import refuse_unnoted_results

PARAMS = (
    "Params have changed since last execution: Union of exclusive params before and now across all"
    " output: before: {} now: {} "
)
NOTHING = "<nothing exclusive>"
OLD, NEW = "0" * 16, "1" * 16


@pytest.fixture
def notes(tmp_path):
    (tmp_path / f"{OLD}.json").write_text(json.dumps({"a": "1", "b": "2", "gone": "3"}))
    (tmp_path / f"{NEW}.json").write_text(json.dumps({"a": "1", "b": "9", "c": "4"}))
    return tmp_path


def reasons(text, notes, old=(), new=()):
    return why({"reason": text, "input": list(new)}, {"input": list(old)}, notes)


def test_a_setting_is_named_by_its_keys_with_both_values(notes):
    old = {"rule": {"rate": 0.1, "layers": [1, 2]}, "gone": None, "same": "; now: x"}
    new = {"rule": {"rate": 0.2, "layers": [1]}, "added": True, "same": "; now: x"}
    text = PARAMS.format(repr(json.dumps(old)), repr(json.dumps(new)))
    assert reasons(text, notes) == [
        "setting rule.rate: 0.1 -> 0.2",
        "setting rule.layers: [1, 2] -> [1]",
        "setting gone: gone, was null",
        "setting added: new, true",
    ]


def test_several_params_are_paired_by_their_keys(notes):
    old = [{"draws": 1, "seed": 2}, {"views": 1, "size": 2}]
    new = [{"views": 1, "size": 3}, {"draws": 5, "seed": 2}]
    text = PARAMS.format(*(",".join(repr(json.dumps(one)) for one in both) for both in (old, new)))
    assert sorted(reasons(text, notes)) == ["setting draws: 1 -> 5", "setting size: 2 -> 3"]


def test_other_values_are_given_as_they_are(notes):
    assert reasons(PARAMS.format("0", "1,'x'"), notes) == ["setting: 0 -> 1, x"]
    assert reasons(PARAMS.format(NOTHING, "['V1', 'V2']"), notes) == [
        'setting: nothing -> ["V1", "V2"]'
    ]


def test_code_is_named_by_module(notes):
    assert reasons(PARAMS.format(f"'{OLD}'", f"'{NEW}'"), notes) == [
        "code of b, c (new), gone (gone)"
    ]
    (notes / f"{OLD}.json").unlink()
    assert "not known any more" in reasons(PARAMS.format(f"'{OLD}'", f"'{NEW}'"), notes)[0]
    assert reasons(PARAMS.format(NOTHING, f"'{NEW}'"), notes) == [
        "code: none was recorded; the result comes from an older version"
    ]


def test_files_are_named_and_what_it_follows_from_comes_last(notes):
    text = (
        "Missing output files: z, y; Input files updated by another job: d, c, b, a;"
        " Set of input files has changed since last execution"
    )
    assert reasons(text, notes, old=["a", "b"], new=["b", "c"]) == [
        "not there yet: y, z",
        "new input: c",
        "input no longer used: a",
        "follows from: a, b, c and 1 more",
    ]
    assert reasons("Updated input files: x.png", notes) == ["input changed: x.png"]
    assert reasons("Something that no one knows", notes) == ["Something that no one knows"]


def test_types_differ_though_values_are_equal():
    assert list(differences({"x": 1}, {"x": True})) == ["x: 1 -> true"]
    assert list(differences({"x": [1, {"y": 2}]}, {"x": [1, {"y": 2}]})) == []
    assert len(next(differences({"x": "a" * 500}, {"x": ""}))) < 80


@pytest.mark.parametrize("output", ["results/a/b.csv", "results/" + "long/" * 100 + "x.h5"])
def test_the_notes_of_an_output_lie_where_snakemake_puts_them(tmp_path, output):
    from snakemake.persistence.file import FilePersistence

    persistence = FilePersistence.__new__(FilePersistence)
    persistence._max_len = None
    expected = persistence._record_path(str(tmp_path), output)
    assert str(record_path(tmp_path, output)) == expected
    name = "".join(record_path(tmp_path, output).relative_to(tmp_path).parts).replace("@", "")
    assert base64.urlsafe_b64decode(name).decode() == output


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


def test_results_without_notes_are_refused_where_code_or_settings_differ(results, tmp_path):
    results()  # the same
    with pytest.raises(ConfigurationError, match=r"made with other settings \(seed: 2 -> 1\), and"):
        results(study=SETTINGS | {"seed": 2})
    with pytest.raises(
        ConfigurationError, match=r"made by other code \(rulealign\.a\).*move results/x"
    ):
        results(code=MODULES | {"rulealign.a": "0"})
    with pytest.raises(ConfigurationError, match="by an older version of rulealign"):
        results(code={})
    assert (tmp_path / "results/x/provenance.json").exists()


def test_results_with_notes_are_snakemakes_affair(results, tmp_path):
    note = record_path(tmp_path / ".snakemake/metadata", "results/x/provenance.json")
    note.parent.mkdir(parents=True)
    note.write_text("{}")
    results(study={}, code={})


def test_a_record_that_cannot_be_read_is_named(results, tmp_path):
    results()
    (tmp_path / "results/x/provenance.json").write_text('{"study": ')
    with pytest.raises(StoreError, match=r"provenance\.json: cannot be read.*Delete it"):
        refuse_unnoted_results(Path("results/x"), {}, {}, tmp_path / "none")
