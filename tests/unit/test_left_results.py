"""Results without notes are held against their manifests; those of no job are named."""

from pathlib import Path

import pytest

from rulealign.errors import ConfigurationError, StoreError
from rulealign.manifest import made_by, manifest_path, write_manifests
from rulealign.rerun.explain import record_path
from rulealign.rerun.left_results import left_over, mention, refuse_unnoted_files

RESULTS, METADATA = Path("results/s"), Path(".snakemake/metadata")
PARAMS = {"code": "0" * 16, "settings": '{"draws": 5}'}
NAMES = ("statistics/a.csv", "statistics/b.csv", f"rdms/{'long' * 50}.h5", "simulated/images")


@pytest.fixture(autouse=True)
def _results(tmp_path, monkeypatch):
    """Write four results, one of them a folder, with their manifests and Snakemake's notes."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        path = RESULTS / name
        file = path if path.suffix else path / "image.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("text\n")
        note = record_path(METADATA, path.as_posix())
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text("{}")
    write_manifests([str(RESULTS / name) for name in NAMES], PARAMS)


def lose(name, folder=METADATA):
    record_path(folder, f"{RESULTS}/{name}").unlink()


def check(**changes):
    refuse_unnoted_files(RESULTS, METADATA, lambda _: made_by(PARAMS | changes))


def test_what_has_its_note_is_snakemakes_affair():
    check(code="1" * 16)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"code": "1" * 16}, "other code"),
        ({"settings": '{"draws": 6}'}, "other settings"),
        ({"code": "1" * 16, "settings": ""}, "other code and settings"),
    ],
)
def test_a_result_of_other_code_or_settings_without_its_note_is_refused(name, changes, reason):
    lose(name)
    check()  # as it would be made now
    with pytest.raises(ConfigurationError) as caught:
        check(**changes)
    said = str(caught.value)
    assert said.startswith(f"{RESULTS}/{name} ({reason}): made by other code")
    assert "Delete these files and rerun the command" in said
    assert [other for other in NAMES if other != name and f"{RESULTS}/{other} (" in said] == []


def test_results_that_are_made_anyway_or_by_no_rule_are_not_asked_for():
    lose(NAMES[0])
    refuse_unnoted_files(RESULTS, METADATA, lambda _: None)
    unfinished = record_path(METADATA.with_name("incomplete"), f"{RESULTS}/{NAMES[0]}")
    unfinished.parent.mkdir(parents=True)
    unfinished.touch()
    check(code="1" * 16)  # Snakemake makes it again
    unfinished.unlink()
    (RESULTS / NAMES[0]).unlink()
    check(code="1" * 16)


def test_a_folder_that_came_alone_is_refused_in_few_words():
    for name in NAMES:
        lose(name)
    with pytest.raises(ConfigurationError, match=r"and 1 more: made by other code") as caught:
        check(code="1" * 16)
    assert len(str(caught.value)) < 1200


def test_a_damaged_manifest_of_a_result_without_note_is_named():
    lose(NAMES[0])
    manifest_path(RESULTS / NAMES[0]).write_text("{")
    with pytest.raises(StoreError, match=r"a\.csv: cannot be checked.*Delete both"):
        check()


def test_no_results_are_no_trouble():
    refuse_unnoted_files(Path("results/none"), METADATA, lambda _: made_by({}))
    assert left_over(Path("results/none"), []) == []


def test_files_of_no_job_are_left_over():
    expected = [f"{RESULTS}/{name}" for name in NAMES]
    for name in ("logs/x.log", ".report.html.12345678.html", "manifests/x.json"):
        path = RESULTS / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert left_over(RESULTS, expected) == []
    assert left_over(RESULTS, expected[1:]) == expected[:1]
    assert left_over(RESULTS, expected[:3]) == [f"{RESULTS}/simulated/images/image.png"]


def test_what_is_left_over_is_mentioned_shortly_with_the_remedy():
    said = mention(RESULTS, [f"results/s/{number}.csv" for number in range(40)])
    assert "results/s/0.csv, results/s/1.csv, results/s/2.csv and 37 more" in said
    assert "delete them" in said
    assert len(said) < 500
