"""A run that is stopped in every stage, in every way; the same command again ends it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from interrupted import STAGES
from reliability import folders, in_place
from reliability.outcomes import ACCEPTED, HARMLESS, VAGUE, Tally

LONGEST_S = 300
"""A run that has not announced a job, or ended, after this long never will."""


def measure(project: Path, folder: Path, undisturbed: Path, rng: random.Random) -> Tally:
    """Stop one run in every stage in turn, then let it end; compare with an undisturbed one.

    Args:
        project: the checkout whose Snakefile is used.
        folder: the working folder to make.
        undisturbed: a working folder in which the same study has run to its end.
        rng: draws the moments.

    Returns:
        One try for each interruption; well answered if every file of the study is the same.
    """
    folders.write_study(folder, folders.given_rdms(project, folder))
    stopped, outlived = [], []
    for number, rule in enumerate(STAGES):
        how, stop = WAYS[number % len(WAYS)]
        # most jobs last one to three seconds from here
        reached, process = _stopped(project, folder, rule, stop, rng.uniform(0, 2.5))
        stopped.append((f"{how} in {rule}", reached))
        outlived.append(process)
        if any((folder / ".snakemake/locks").glob("*")):
            in_place.snakemake(project, folder, "--unlock")
    answer = in_place.snakemake(project, folder)
    for process in outlived:
        _signal(os.killpg, process, signal.SIGKILL)
    different = differences(folder, undisturbed) if answer.status == 0 else [answer.said[-2000:]]
    tally = Tally()
    for what, reached in stopped:
        outcome = HARMLESS if reached and not different else (ACCEPTED if reached else VAGUE)
        tally.add(outcome, f"{what}: {different or 'never got there, or never ended'}")
    return tally


def differences(one: Path, other: Path) -> list[str]:
    """Name the results, but logs, that are not the same bytes in two working folders."""
    results = [_results(folder) for folder in (one, other)]
    names = sorted(results[0].keys() | results[1].keys())
    return [name for name in names if results[0].get(name) != results[1].get(name)]


def _results(folder: Path) -> dict[str, bytes]:
    found = [path for path in (folder / "results").rglob("*") if path.is_file()]
    named = {str(path.relative_to(folder)): path for path in found if "logs" not in path.parts}
    return {name: path.read_bytes() for name, path in named.items()}


def _stopped(
    project: Path, folder: Path, rule: str, stop: Callable[[int], None], delay: float
) -> tuple[bool, int]:
    # the rule is forced, because its jobs may have ended before an earlier run was stopped
    said = folder / "said"
    with said.open("wb") as output:
        call = in_place.planned(project, folder, "--forcerun", rule)
        process = in_place.start(call, folder, output.fileno())
    reached = _announced(said, STAGES[rule], process)
    if reached:
        time.sleep(delay)
        stop(process)
        begins = time.monotonic()
        in_place.wait(process, LONGEST_S)
        reached = time.monotonic() - begins < LONGEST_S
    return reached, process


def _announced(said: Path, words: str, process: int) -> bool:
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        if words in said.read_text(errors="replace"):
            return True
        if os.waitpid(process, os.WNOHANG)[0]:
            return False
        time.sleep(0.02)
    _signal(os.killpg, process, signal.SIGKILL)
    return False


def _signal(send: Callable[[int, int], None], process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended
        send(process, number)


WAYS = (
    ("Ctrl-C", lambda process: _signal(os.killpg, process, signal.SIGINT)),
    ("SIGTERM to Snakemake", lambda process: _signal(os.kill, process, signal.SIGTERM)),
    ("SIGKILL to all", lambda process: _signal(os.killpg, process, signal.SIGKILL)),
    ("SIGKILL to Snakemake alone", lambda process: _signal(os.kill, process, signal.SIGKILL)),
)
