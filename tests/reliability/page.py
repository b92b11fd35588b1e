"""The page: what was tried, what came of it, and what is not covered."""

from __future__ import annotations

from collections.abc import Mapping

from reliability.before import BEFORE, BEFORE_COMMIT
from reliability.outcomes import ACCEPTED, ANSWERED, HARMLESS, OUTCOMES, TRACEBACK, VAGUE

HEAD = """\
# Reliability

What comes of a run that is stopped, of results that are damaged, of studies and data that are
wrong. Every number below was counted by one command, with one seed; it gives the same table again:

    make reliability

Each fault is planted in a sound study of seconds, and the real Snakemake, or the real script of the
job that reads the file, has to answer. A small share of it runs with the tests
(`tests/workflow/test_reliability.py`).

## How faults are answered

"Answered" is a refusal that names the file, the place or key, and a remedy. "Same output" means
that a fault was taken and every file that the job makes has the bytes that it should have.
"Vague" is a refusal that lacks one of the three. "Traceback" is an exception of Python in place of
a sentence, a process that died, or one that never ended. "Accepted" is the worst: the fault was
taken without a word, and what was made of it is not what it should be.
"""

HOLDS = """
## What holds whatever is done
"""

TAIL = """
## What the rows are

- *An interruption*: one run is stopped in each of its stages in turn, at a random moment, by
  Ctrl-C, SIGTERM, SIGKILL to all its processes, or SIGKILL to Snakemake alone, whose jobs go on.
  The same command follows each time; `--unlock` before it where a lock was left. At the end all
  results are compared with those of a run that nobody stopped. A job that is killed alone and a
  full disk are in `tests/workflow/test_crash_safety.py`.
- *A bit flipped*, *a result cut short*: one random bit of a result, or its end, cut anywhere or (in
  text, every other time) at the end of a line. All kinds of results that a job reads take turns. A
  job that reads the file is then run, chosen at random among them.
- *A broken study file*: files that are no study (no YAML, no text, recursive, huge, with tags), and
  single mistakes in a sound one: a key misspelt, a section or text in place of a value, NaN.
- *Bad RDMs, images, tables, volumes*: each fault is planted in inputs that are sound otherwise; the
  study is planned, then stimuli and brain data are checked. These jobs come first; only a core
  that they leave idle starts to train. What can be read without a doubt, as `;` in place of commas,
  must give the same output.
- *An unsafe file*: pickles, archives with links or names that leave the folder, HDF5 that points to
  other files, arrays that claim 600 GB. The pipeline's own functions read them; nothing may be
  made, followed or run.

A remedy is told by its words: an imperative, or what is allowed. Whether it is the right one, this
command cannot tell; what must be said is in the tests of each message (`tests/faults`).

## What is not covered

- Files that no job reads: activations, the tables and pages of what a study cost.
- Two bits that are flipped in a result and in its manifest so that they fit again: the manifests
  find damage, not somebody who forges results.
- Damage in memory, and in the time between a file's check and its reading.
- Inputs of yours that are damaged and still well formed: a `.npy`, an uncompressed `.mat` and a
  table have no checksum. Record theirs; a changed input runs again what was made of it.
- Downloads that break off or are other bytes (`tests/faults/test_bad_downloads.py`), servers that
  are slow or full (`tests/unit/test_busy_servers.py`), clusters (`tests/cluster`), GPUs.
- Images, tables and RDMs that are well formed and not those that were measured: another photograph
  under the right name, a table of another release with the same ids, a table that was sorted and
  then numbered anew.
- Studies with several mistakes at once, and two runs that are started at the same moment.
- Faults that nobody has thought of.
"""


def written(measured: Mapping[str, Mapping]) -> str:
    """Write the page.

    Args:
        measured: row -> `section`, `commit` and `counts`, as `measured.json` holds them.
    """
    tried = {name: row for name, row in measured.items() if row["section"] != "holds"}
    holds = {name: row for name, row in measured.items() if row["section"] == "holds"}
    commits = sorted({row["commit"] for row in measured.values()})
    parts = [HEAD, _answers(tried), f"\nMeasured at commit {', '.join(commits)}.\n"]
    if BEFORE:
        parts += [f"\nBefore (commit {BEFORE_COMMIT}):\n\n", _table(BEFORE)]
    return "".join([*parts, HOLDS, _held(holds), TAIL])


def _answers(tried: Mapping[str, Mapping]) -> str:
    return "\n" + _table({name: row["counts"] for name, row in tried.items()})


def _table(rows: Mapping[str, Mapping[str, int]]) -> str:
    titles = {
        ANSWERED: "answered",
        HARMLESS: "same output",
        VAGUE: "vague",
        TRACEBACK: "traceback",
        ACCEPTED: "accepted",
    }
    lines = [["what", "tried", *(titles[outcome] for outcome in OUTCOMES)]]
    lines += [[name, *_cells(counts)] for name, counts in rows.items()]
    total = {outcome: sum(row.get(outcome, 0) for row in rows.values()) for outcome in OUTCOMES}
    lines.append(["**all**", *_cells(total)])
    lines.insert(1, ["---", *["---:"] * (len(lines[0]) - 1)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cells(counts: Mapping[str, int]) -> list[str]:
    return [str(sum(counts.values())), *(str(counts.get(outcome, 0)) for outcome in OUTCOMES)]


def _held(holds: Mapping[str, Mapping]) -> str:
    lines = [["what", "held"], ["---", "---:"]]
    for name, row in holds.items():
        counts = row["counts"]
        lines.append([name, f"{counts.get(HARMLESS, 0)} of {sum(counts.values())}"])
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)
