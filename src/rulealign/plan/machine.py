"""What this machine may give to jobs: memory and GPUs, known before any job starts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from rulealign.errors import ConfigurationError

SHARE_OF_JOBS = 0.9
"""Of the machine's memory; the rest is for the system and for Snakemake itself."""


def memory_mb(root: Path = Path("/")) -> int:
    """Give the memory that jobs may use together: nine tenths of what the machine has.

    Args:
        root: where `/proc` and `/sys` lie.

    Returns:
        Megabytes (10^6 bytes); swap is not counted.

    Raises:
        ConfigurationError: the system does not say; names the remedy.
    """
    return int(whole_memory_mb(root) * SHARE_OF_JOBS)


def whole_memory_mb(root: Path = Path("/")) -> int:
    """Give all memory of the machine, or of the container or cluster job that this runs in.

    Args:
        root: where `/proc` and `/sys` lie.

    Returns:
        Megabytes (10^6 bytes); swap is not counted.

    Raises:
        ConfigurationError: the system does not say; names the remedy.
    """
    known = [_limit(root / "sys/fs/cgroup" / file) for file in CGROUP_FILES]
    known += [_total(root / "proc/meminfo")]
    if not any(known) and root == Path("/"):
        known = [_pages()]
    if not any(known):
        raise ConfigurationError(
            f"{root}: the system does not say how much memory it has;"
            " give it in MB: --resources mem_mb=8000 gpu=0 --workflow-profile none"
        )
    return int(min(filter(None, known)) / 1e6)


CGROUP_FILES = ("memory.max", "memory/memory.limit_in_bytes")
"""A container's limit, in versions 2 and 1 of Linux control groups."""


def gpus(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> int:
    """Count the NVIDIA GPUs that jobs may use, without loading a library for them.

    Args:
        root: where `/proc` lies.
        environment: `CUDA_VISIBLE_DEVICES` hides GPUs, also from jobs.

    Returns:
        Their number; 0 where there is no driver.
    """
    present = len(list((root / "proc/driver/nvidia/gpus").glob("*")))
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return present
    named = [name for name in visible.split(",") if name.strip() not in ("", "-1")]
    return min(present, len(named))


class Request(NamedTuple):
    """What a job of one rule asks for."""

    rule: str
    mem_mb: int
    gpu: int


def refuse_requests(
    requests: Iterable[Request], limits: Mapping[str, int], where: str = "here"
) -> None:
    """Refuse a run whose jobs ask for more than this machine may give.

    Snakemake would cut the request to the limit without a word, and the job would run out of
    memory, or of GPUs.

    Args:
        requests: of all jobs that would run.
        limits: `mem_mb` and `gpu` of the run; what is not limited is missing.
        where: the place of the limits, for messages.

    Raises:
        ConfigurationError: names the rule, what it asks for, what there is, and the remedy.
    """
    for request in sorted(set(requests)):
        memory, cards = limits.get("mem_mb"), limits.get("gpu")
        if memory is not None and request.mem_mb > memory:
            raise ConfigurationError(
                f"rule {request.rule} asks for {request.mem_mb} MB of memory, and jobs may use"
                f" {memory} MB {where}. Run it where there is more (docs/cluster.md), or, if you"
                f" know that it needs less: --set-resources {request.rule}:mem_mb={memory}"
                " (which replaces what a profile sets for all rules)"
            )
        if cards is not None and request.gpu > cards:
            raise ConfigurationError(
                f"device: cuda: rule {request.rule} asks for {request.gpu} GPU, and jobs may use"
                f" {cards} {where}. Set device: cpu, or run it where there is one (docs/cluster.md)"
            )


def refuse_limit(limit: int | None, own: int) -> None:
    """Refuse a limit of memory that lies beyond what the machine has.

    Args:
        limit: MB that jobs may use together, as asked with `--resources mem_mb=`; None if not.
        own: MB that the machine has.

    Raises:
        ConfigurationError: names both and the remedy.
    """
    if limit is not None and limit > own:
        raise ConfigurationError(
            f"--resources mem_mb={limit}: jobs would share more memory than this machine has"
            f" ({own} MB). Give at most that, or leave it out: then jobs share nine tenths of it"
        )


def _limit(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    # version 1 writes a number beyond all memories where there is no limit; `min` ignores it
    return int(text) if text.isdigit() else None


def _total(file: Path) -> int | None:
    if not file.exists():
        return None
    fields = dict(line.split(":", 1) for line in file.read_text().splitlines() if ":" in line)
    return int(fields["MemTotal"].split()[0]) * 1024


def _pages() -> int | None:
    # other systems than Linux
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None
