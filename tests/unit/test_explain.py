"""Reasons in words, from what Snakemake prints and has noted."""

import base64
import json
import os
from pathlib import Path

import pytest

from rulealign.differences import WIDTH, differences
from rulealign.errors import ConfigurationError, StoreError
from rulealign.explain import record_path, why
from rulealign.provenance import canonical, folder_listing
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
    assert reasons(PARAMS.format("1", "'1'"), notes) == ["setting: 1 -> '1'"]
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


ITEM = {"roi": "V1", "about": "x" * 100, "plus": [{"rule": "fa", "epoch": 2}], "smallest": 1}


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (
            [ITEM | {"label": "a", "smallest": 2}, ITEM | {"label": "b"}],
            ["claims.a.smallest: 1 -> 2"],
        ),
        (
            [ITEM | {"label": "a"}, ITEM | {"label": "b", "plus": [{"rule": "fa", "epoch": 0}]}],
            ["claims.b.plus.item 1.epoch: 2 -> 0"],
        ),
        ([ITEM | {"label": "a"}], ["claims.b: gone, was "]),
        ([{"label": "c"}, ITEM | {"label": "a"}, ITEM | {"label": "b"}], ["claims.c: new, "]),
        (
            [ITEM | {"label": "b"}, ITEM | {"label": "a"}],
            ['claims: order ["a", "b"] -> ["b", "a"]'],
        ),
    ],
)
def test_items_with_labels_are_compared_by_them(new, expected):
    old = [ITEM | {"label": "a"}, ITEM | {"label": "b"}]
    found = list(differences({"claims": old}, {"claims": new}))
    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True)), found


def test_items_without_labels_are_compared_by_their_place():
    old = [{"x": 1}, {"x": 2}]
    assert list(differences(old, [{"x": 1}, {"x": 3}])) == ["item 2.x: 2 -> 3"]
    assert list(differences(old, [{"x": 1}, {"y": 5}, {"x": 2}])) == ['item 2: new, {"y": 5}']
    assert list(differences(old, [{"x": 2}])) == ['item 1: gone, was {"x": 1}']
    twice = [{"label": "a"}, {"label": "a", "x": 1}]
    assert list(differences(twice, twice[:1])) == ['item 2: gone, was {"label": "a", "x": 1}']
    many = list(range(100))
    assert list(differences(many, [*many[:50], "50", *many[51:]])) == ["item 51: 50 -> '50'"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a" * 500 + "b", "a" * 500 + "c"),
        ("a" * 500, "a" * 501),
        ("a" * 59, "a" * 70),
        ("a" * 57 + "...", "a" * 80),
        (1, "1"),
        (True, "true"),
        ("", '""'),
        (["x" * 80, "y"], ["x" * 80, "z"]),
    ],
)
def test_what_differs_differs_in_print_and_stays_short(old, new):
    (line,) = differences(old, new, "key")
    before, after = line.split(": ", 1)[1].split(" -> ")
    assert before != after
    assert len(line) < 2 * WIDTH + 30


def test_params_that_are_lists_are_compared_item_by_item(notes):
    old, new = ([{"size": 32, "stimuli": "x" * 80}, {"size": size}] for size in (1, 2))
    text = PARAMS.format(repr(json.dumps(old)), repr(json.dumps(new)))
    assert reasons(text, notes) == ["setting item 2.size: 1 -> 2"]
    names = [f"rule_{number:02d}" for number in range(20)]
    text = PARAMS.format(repr(names), repr([*names[:-1], "other"]))
    before, after = reasons(text, notes)[0].removeprefix("setting: ").split(" -> ")
    assert before != after


def test_another_file_in_a_folder_is_no_other_code(notes, monkeypatch):
    monkeypatch.chdir(notes)
    images = Path("images")
    images.mkdir()
    listings = []
    for name in ("a", "b"):
        (images / name).write_text("x")
        listings.append(repr(folder_listing("./images")))
    changed = (
        "files of the folder images changed: added, removed or written anew; which is not recorded"
    )
    assert reasons(PARAMS.format(*listings), notes, new=["images"]) == [changed]
    # beside other code, in either order, and where the note of the code before is gone
    for old, new in (([0, 1], [0, 1]), ([1, 0], [1, 0])):
        sides = [(repr(OLD), listings[0]), (repr(NEW), listings[1])]
        texts = [",".join(sides[i][k] for k in order) for i, order in enumerate((old, new))]
        found = reasons(PARAMS.format(*texts), notes, new=["images"])
        assert found == ["code of b, c (new), gone (gone)", changed]
    (notes / f"{OLD}.json").unlink()
    assert reasons(PARAMS.format(*texts), notes, new=["images"]) == [
        "code: changed; which modules these were is not known any more",
        changed,
    ]
    text = PARAMS.format(f"'','{OLD}','cifar10'", f"{listings[1]},'{NEW}','./images'")
    assert reasons(text, notes, new=["images"]) == [
        "code: changed; which modules these were is not known any more",
        changed,
        "setting: cifar10 -> ./images",
    ]


def test_files_of_other_sizes_and_folders_are_named(notes):
    old = [["x/a.png", 10], ["x/b.png", 20], ["x/c.png", 30]]
    new = [["x/a.png", 10], ["x/b.png", 25], ["x/d.png", 30]]
    text = PARAMS.format(repr(canonical(old)), repr(canonical(new)))
    expected = ["new input: x/d.png", "input no longer used: x/c.png"]
    expected += ["input changed: x/b.png (20 -> 25 bytes)"]
    assert reasons(text, notes) == expected
    text = PARAMS.format(*(repr(canonical([["images", one]])) for one in (OLD, NEW)))
    assert reasons(text, notes)[0].startswith("files of the folder images changed: ")
    text = PARAMS.format(*(repr(canonical([one, ""])) for one in (OLD, NEW)))
    assert reasons(text, notes)[0].startswith("files of a folder changed: ")
    text = PARAMS.format(*(repr(canonical({"rulealign.a": one})) for one in (OLD, NEW)))
    assert reasons(text, notes) == ["code of rulealign.a"]


def test_the_settings_of_a_checkpoint_are_named_as_such(notes):
    sides = [{"checkpoint_settings_hash": one, "mean": mean} for one, mean in ((OLD, 1), (NEW, 2))]
    text = PARAMS.format(*(repr(canonical(one)) for one in sides))
    assert sorted(reasons(text, notes, new=["images.h5", "results/x/fa.pt"])) == [
        "setting mean: 1 -> 2",
        "settings of its checkpoint results/x/fa.pt",
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


@pytest.fixture
def noted(tmp_path):
    """Give a function that notes, as Snakemake does, what the record was made with."""
    note = record_path(tmp_path / ".snakemake/metadata", "results/x/provenance.json")
    note.parent.mkdir(parents=True)

    def write(study, code, endtime=0.0):
        params = sorted(repr(canonical(one)) for one in (study, code))
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


def test_a_record_that_cannot_be_read_is_named(results, tmp_path):
    results()
    (tmp_path / "results/x/provenance.json").write_text('{"study": ')
    with pytest.raises(StoreError, match=r"provenance\.json: cannot be read.*Delete it"):
        refuse_unnoted_results(Path("results/x"), {}, {}, tmp_path / "none")
