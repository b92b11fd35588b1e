"""The lines of a run, and its last word."""

import re
import traceback

from rulealign.errors import StoreError
from rulealign.progress import LONGEST, Progress, ending, last_error


def without_time(line):
    assert re.match(r"\d\d:\d\d:\d\d  ", line)
    return line[10:]


def test_a_job_is_counted_when_it_ends():
    progress = Progress(12)
    assert without_time(progress.started(7, "Train bp", 100.0)) == "start     Train bp"
    progress.started(8, "Train fa", 101.0)
    assert without_time(progress.finished(8, 103.6)) == "1 of 12   Train fa (3 s)"
    assert without_time(progress.finished(7, 165.0)) == "2 of 12   Train bp (1 min 05 s)"
    progress.started(9, "Train stdp", 0.0)
    assert "(2 h 03 min)" in progress.finished(9, 2 * 3600 + 3 * 60 + 4)
    assert progress.finished(10, 1.0) == ""  # the target, which never starts


def test_a_job_that_failed_is_not_counted_and_names_its_log():
    progress = Progress(3)
    progress.started(1, "Train bp", 0.0)
    assert without_time(progress.failed(1, "a.log", 9.0)) == "failed  Train bp; log: a.log"
    progress.started(2, "Train stdp", 0.0)
    said = progress.failed(2, "b.log", 9.0, "Slurm: TIMEOUT")
    assert without_time(said) == "failed  Train stdp; Slurm: TIMEOUT; log: b.log"
    progress.started(2, "Train fa", 0.0)
    assert "1 of 3" in progress.finished(2, 1.0)


def failed_with(log, error):
    """Write the log of a job that printed something and failed."""
    old = "Traceback (most recent call last):\n  an older one\n\nValueError: of no interest\n"
    try:
        raise error
    except type(error):
        log.write_text(f"{old}epoch 1\n{traceback.format_exc()}")


def test_the_error_is_read_from_the_log_of_a_job(tmp_path):
    log = tmp_path / "a.log"
    failed_with(log, StoreError("x.h5: cannot be read.\nDelete it, and rerun the command."))
    assert last_error(log) == "x.h5: cannot be read. Delete it, and rerun the command."
    failed_with(log, ValueError("no such layer"))
    assert last_error(log) == "ValueError: no such layer"
    failed_with(log, StoreError("y" * 10_000))
    assert last_error(log) == "y" * LONGEST + "..."


def test_of_a_chain_of_errors_the_last_one_is_read(tmp_path):
    try:
        try:
            raise KeyError("hidden")
        except KeyError as error:
            raise StoreError("x.csv: has no column roi.") from error
    except StoreError:
        (tmp_path / "a.log").write_text(traceback.format_exc())
    assert last_error(tmp_path / "a.log") == "x.csv: has no column roi."


def test_a_log_without_a_traceback_holds_no_error(tmp_path):
    (tmp_path / "a.log").write_text("epoch 1\nepoch 2\n")
    assert last_error(tmp_path / "a.log") == ""
    assert last_error(tmp_path / "none.log") == ""
    assert "out of memory" in ending([("Train bp", str(tmp_path / "a.log"))])


def test_the_last_word_names_job_error_log_and_remedy(tmp_path):
    log = tmp_path / "a.log"
    failed_with(log, StoreError("x.h5: cannot be read."))
    assert ending([("Train bp", str(log))]).splitlines() == [
        "Failed: Train bp",
        "  x.h5: cannot be read.",
        f"  Log: {log}",
        "Whatever finished is kept. Remove the cause, then rerun the command: it continues from"
        " here.",
    ]


def test_many_failed_jobs_fit_the_screen(tmp_path):
    text = ending([(f"Train {n}", f"{n}.log") for n in range(5)])
    assert "Train 2" in text
    assert "2 other jobs failed: 3.log, 4.log" in text


def test_a_run_that_was_stopped_blames_no_job():
    assert ending([]).startswith("The run was stopped before its end.")
    assert "rerun the command" in ending([]).lower()
