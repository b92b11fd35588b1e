"""How an answer to something wrong is judged: one of five outcomes, by rules stated here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from reliability.in_place import Answer

ANSWERED = "answered"  # refused, with the file, the place or key, and a remedy
HARMLESS = "harmless"  # accepted, and every output has the bytes that it should have
VAGUE = "vague"  # refused, but the file, the place or a remedy is missing
TRACEBACK = "traceback"  # an exception of Python, a process that died, or one that never ended
ACCEPTED = "accepted"  # taken without a word: other output than it should be
OUTCOMES = (ANSWERED, HARMLESS, VAGUE, TRACEBACK, ACCEPTED)

_IMPERATIVE = (
    "accept add ask bring check choose close compare convert copy correct delete download "
    "export free get give indent keep leave list lower make mend move name order put quote "
    "raise read remove rename replace rerun run save say see set show start state stop take "
    "train turn type unpack use wait write"
)
REMEDY = re.compile(
    rf"(?:^|[.;:,?(] |\b(?:and|or|then|either|to|instead) )(?:{'|'.join(_IMPERATIVE.split())})\b|"
    r"\b(?:must|needs?|may be|at least|at most|allowed|expected|one of|should|did you mean|"
    r"such as|holds one|closed|known|nearest|between)\b|\b(?:it|they|file|study) ha(?:s|ve) \[",
    re.IGNORECASE | re.MULTILINE,
)
"""An imperative that begins a clause, or what is allowed."""

FOREIGN = re.compile(
    r"Traceback \(most recent call last\)|"
    r"^(?!Workflow|Rulealign|Configuration|Data|Store|Guard|Rule|MissingInput)"
    r"[A-Za-z_.]*(?:Error|Exception|Warning): ",
    re.MULTILINE,
)
"""What Python prints of an exception that is none of the project's or of Snakemake's."""


@dataclass
class Tally:
    """What came of all tries of one kind: outcome -> how many; and what was not answered well."""

    counts: Counter = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, outcome: str, what: str, said: str = "") -> None:
        """Count one try; keep a note of it if it was not answered well."""
        self.counts[outcome] += 1
        if outcome not in (ANSWERED, HARMLESS):
            self.notes.append(f"{outcome}: {what}: {message_of(said)[:600]}")

    @property
    def tried(self) -> int:
        """How many tries there were."""
        return self.counts.total()


def judged(answer: Answer, patterns: Iterable[str], same_output: bool = False) -> str:
    """Judge an answer.

    Args:
        answer: how the call ended.
        patterns: regular expressions that the message must match: the file, the place or key.
        same_output: of a call that accepted: every output has the bytes that it should have.
    """
    if answer.status == 0:
        return HARMLESS if same_output else ACCEPTED
    message = message_of(answer.said)
    if answer.status is None or FOREIGN.search(message):
        return TRACEBACK
    named = all(re.search(pattern, message, re.DOTALL) for pattern in patterns)
    return ANSWERED if named and REMEDY.search(message) else VAGUE


def message_of(said: str) -> str:
    """Give what Snakemake and its jobs said of an error, without what they say of every run."""
    lines = said.splitlines()
    first = next((n for n, line in enumerate(lines) if "Building DAG" in line), -1)
    kept = [line for line in lines[first + 1 :] if not _OF_EVERY_RUN.search(line)]
    return "\n".join(kept).strip()


_OF_EVERY_RUN = re.compile(
    r"^(Using workflow specific profile|Assuming unrestricted|SNAKEMAKE|={4,}|  [A-Z][\w ()]+: )|"
    r"^(Using shell|Provided |Rules claiming|Job stats|Select jobs|Execute |rule |localrule |\[)|"
    r"^ {4}(input|output|log|jobid|reason|resources|wildcards|threads|priority|conda-env): |"
    r"RuleException:|the job failed|^Shutting down|^Complete log|^Exiting|^Trying to restart|"
    r"^Removing output|^Will exit|^Exiting because|^Command |^Error in rule|^WorkflowError:$|"
    r"^Whatever finished is kept|^  Log: |^Conda environments|^Elapsed time|^At least one job|"
    r"^  File |^CalledProcessError|"
    r"^\d\d:\d\d:\d\d  |^stage  |^[a-z]+ +\d+(  |$)"  # a line of a job, a row of the plan
)
