"""Reasons in words, from what is recorded of the last run and what would run now."""

import base64

import pytest

from rulealign.provenance import fingerprint
from rulealign.rerun.explain import LINE, Job, listing, record_path, table, why
from rulealign.rerun.noted import Noted, keep_note


@pytest.fixture
def notes(tmp_path):
    return tmp_path / "notes"


def code(notes, **modules):
    """Give the param `code` as Snakemake records it; what it stands for is noted."""
    keep_note(notes, fingerprint(modules), modules)
    return repr(fingerprint(modules))


def param(notes, name, value):
    """Give a noted param as Snakemake records it."""
    one = Noted(name, value)
    keep_note(notes, one.fingerprint, value)
    return repr(one)


def ran(before, now, **changes):
    """Give a job that ran with other params."""
    names = {f"param_{number}": one for number, one in enumerate(now)}
    return Job("", "rule", "stage", ["out"], params=names, recorded_params=before, **changes)


def changed(notes, name, old, new):
    return why(ran([param(notes, name, old)], [param(notes, name, new)]), notes)


def test_a_setting_is_named_by_its_keys_with_both_values(notes):
    old = {"rule": {"rate": 0.1, "layers": [1, 2]}, "gone": None, "same": "; now: x"}
    new = {"rule": {"rate": 0.2, "layers": [1]}, "added": True, "same": "; now: x"}
    assert sorted(changed(notes, "alignment", old, new)) == [
        "setting added: new, true",
        "setting gone: gone, was null",
        "setting rule.layers: [1, 2] -> [1]",
        "setting rule.rate: 0.1 -> 0.2",
    ]
    assert changed(notes, "alignment", old, dict(reversed(old.items()))) == []


def test_several_params_are_paired_by_their_names(notes):
    alike = {"draws": 1, "size": 2}
    before = [param(notes, name, alike) for name in ("a", "b", "old")]
    now = [param(notes, name, {**alike, "draws": draws}) for name, draws in (("b", 5), ("a", 1))]
    job = ran(before, [*now, param(notes, "new", alike)])
    assert sorted(why(job, notes)) == [
        "setting draws: 1 -> 5",
        "settings of new: new",
        "settings of old: no longer used",
    ]


def test_plain_params_are_given_as_they_are(notes):
    job = Job("", "rule", "stage", ["out"], params={"start": "1"}, recorded_params=["0"])
    assert why(job, notes) == ["setting start: 0 -> 1"]
    assert why(ran(["'x'"], ["'x'"]), notes) == []
    assert why(ran(["1"], []), notes) == ["setting: 1 -> nothing"]


def test_code_is_named_by_module(notes):
    old, new = code(notes, a="1", b="2", gone="3"), code(notes, a="1", b="9", c="4")
    assert why(ran([old], [new]), notes) == ["code of b, c (new), gone (gone)"]
    assert why(ran(["0"], ["0", new]), notes) == [
        "code: none was recorded; the result comes from an older version"
    ]
    assert changed(notes, "modules", {"a": "1"}, {"a": "2"}) == ["code of a"]


def test_what_is_noted_nowhere_is_said_to_have_changed(notes):
    job = ran(["alignment:" + "0" * 16], [param(notes, "alignment", {})])
    assert why(job, notes) == ["settings of alignment: changed; what it was is no longer known"]
    job = ran([repr("0" * 16)], [code(notes, a="1")])
    assert why(job, notes) == ["code: changed; what it was is no longer known"]


def test_settings_that_are_named_by_their_fingerprint_are_looked_up(notes):
    checkpoints = [{"rule": {"rate": rate}} for rate in (0.1, 0.2)]
    for one in checkpoints:
        param(notes, "checkpoint", one)
    old, new = ({"checkpoint_settings_hash": fingerprint(one), "x": 1} for one in checkpoints)
    assert changed(notes, "activations", old, new) == ["setting checkpoint.rule.rate: 0.1 -> 0.2"]


def test_files_of_other_sizes_and_folders_are_named(notes):
    old = [["x/a.png", 10], ["x/b.png", 20], ["x/c.png", 30]]
    new = [["x/a.png", 10], ["x/b.png", 25], ["x/d.png", 30]]
    assert changed(notes, "files", old, new) == [
        "new input: x/d.png",
        "input no longer used: x/c.png",
        "input changed: x/b.png",
    ]
    (line,) = changed(notes, "folder", "0" * 16, "1" * 16)
    assert line.startswith("files of a folder: added, removed or written anew")


def test_files_are_named_and_what_changes_a_file_twice_says_it_once(notes):
    job = Job(
        *("", "rule", "stage", ["x", "y", "z"]),
        inputs=["b", "c"],
        missing=["z", "y"],
        unfinished=["x"],
        updated=["b"],
        recorded_inputs=["a", "b"],
        recorded_params=[param(notes, "files", [["b", 1]])],
        params={"sizes": param(notes, "files", [["b", 2]])},
    )
    assert why(job, notes) == [
        "its output is missing: y, z",
        "was left unfinished: x",
        "input changed: b",
        "new input: c",
        "input no longer used: a",
    ]


def test_a_job_whose_outputs_are_all_missing_is_new_whatever_was_recorded(notes):
    job = Job("", "rule", "stage", ["x"], missing=["x"], recorded_params=["1"], forced=True)
    assert why(job, notes) == ["not made yet"]
    forced = Job("", "rule", "stage", ["x"], forced=True)
    assert why(forced, notes) == ["asked for with --force"]


def follower(stage, made_before, **changes):
    return Job("Do it", "rule", stage, ["out"], made_before=made_before, **changes)


def test_the_list_has_every_job_and_what_it_follows_from(notes):
    files = {name: "train" for name in "dcba"}
    jobs = [follower("s", files), follower("s", {}, updated=["x"]), follower("s", files)]
    assert listing(jobs[:2], notes).splitlines() == [
        "- rule: Do it",
        "    follows from: a, b, c and 1 more",
        "- rule: Do it",
        "    input changed: x",
    ]
    assert listing([follower("s", files, missing=["out"])], notes).splitlines()[1:] == [
        "    not made yet"
    ]


def test_the_table_sums_jobs_by_stage_and_reason(notes):
    jobs = [
        *[follower("train", {}, updated=["x.png"])] * 2,
        follower("train", {"a": "train"}),
        follower("train", {"b": "initial_state"}),
        follower("report", {}, missing=["out"]),
    ]
    assert [line.split(maxsplit=2) for line in table(jobs, notes).splitlines()] == [
        ["stage", "jobs", "why"],
        ["train", "2", "input changed: x.png"],
        ["train", "2", "follows from initial_state, train"],
        ["report", "1", "not made yet"],
        ["total", "5"],
    ]


def test_a_table_of_many_and_long_reasons_fits_the_screen(notes):
    jobs = [follower("train", {}, updated=[f"{'x' * 200}_{n}.png"]) for n in range(50)]
    lines = table([*jobs, jobs[0]], notes).splitlines()
    assert len(lines) == 6
    assert max(map(len, lines)) == LINE
    assert lines[-2].split(maxsplit=2)[1:] == ["47", "47 other reasons, see `make explain`"]
    assert sum(int(line.split()[1]) for line in lines[1:-1]) == 51


@pytest.mark.parametrize("output", ["results/a/b.csv", "results/" + "long/" * 100 + "x.h5"])
def test_the_notes_of_an_output_lie_where_snakemake_puts_them(tmp_path, output):
    from snakemake.persistence.file import FilePersistence

    persistence = FilePersistence.__new__(FilePersistence)
    persistence._max_len = None
    expected = persistence._record_path(str(tmp_path), output)
    assert str(record_path(tmp_path, output)) == expected
    name = "".join(record_path(tmp_path, output).relative_to(tmp_path).parts).replace("@", "")
    assert base64.urlsafe_b64decode(name).decode() == output
