"""What the Slurm profile must know of a cluster: said by its users, checked before any job."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import NamedTuple

from rulealign.errors import ConfigurationError


class Site(NamedTuple):
    """What differs between clusters; `network_partition` is for jobs that may need a GPU."""

    partition: str
    network_partition: str
    account: str | None
    status_command: str


def site(environment: Mapping[str, str] = os.environ) -> Site:
    """Read what `profiles/slurm` needs to know of a cluster, or stop with an explanation.

    Args:
        environment: `RULEALIGN_PARTITION`; where the cluster has them, `RULEALIGN_GPU_PARTITION`,
            `RULEALIGN_ACCOUNT` and `RULEALIGN_SLURM_STATUS` (sacct or squeue).

    Returns:
        The partitions and account to ask for, and the command that tells a job's state.

    Raises:
        SystemExit: something is missing; says what and how to get it. Nothing has been touched.
    """
    for missing, remedy in _missing(environment):
        if missing:
            sys.exit(f"profiles/slurm: {remedy} (docs/cluster.md). Nothing was started.")
    partition = environment["RULEALIGN_PARTITION"]
    return Site(
        partition=partition,
        network_partition=environment.get("RULEALIGN_GPU_PARTITION") or partition,
        account=environment.get("RULEALIGN_ACCOUNT") or None,
        status_command=environment.get("RULEALIGN_SLURM_STATUS") or "sacct",
    )


def largest_node(partition: str) -> dict[str, int]:
    """Ask Slurm what the largest node of a partition offers.

    Args:
        partition: its name.

    Returns:
        `mem_mb` and `gpu`, the largest of any node.

    Raises:
        ConfigurationError: Slurm does not know the partition; names it and the remedy.
    """
    command = ["sinfo", "--noheader", "--partition", partition, "--format", "%m %G"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    nodes = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line.strip()]
    if done.returncode or not nodes:
        raise ConfigurationError(
            f"partition {partition}: Slurm does not know it, or does not answer"
            f" ({done.stderr.strip() or 'no node listed'}). `sinfo -s` lists partitions;"
            " RULEALIGN_PARTITION and RULEALIGN_GPU_PARTITION name those of the jobs"
        )
    return {
        "mem_mb": max(int(memory.rstrip("+")) for memory, _ in nodes),
        "gpu": max(_cards(resources) for _, resources in nodes),
    }


def _cards(resources: str) -> int:
    # such as "gpu:a100:4(S:0-1),shard:8" or "(null)"
    return sum(int(count) for count in re.findall(r"\bgpu(?::[^:,(]+)??:(\d+)", resources))


def refuse_cores(cores: int | None) -> None:
    """Refuse a cluster run in which a group of jobs would ask for more CPUs than it uses.

    Snakemake adds up what the members of a group ask for, as far as `cores` allows, and then runs
    them one after another.

    Args:
        cores: the limit that the run was started with.

    Raises:
        ConfigurationError: says how `cores` came to be another number, and the remedy.
    """
    if cores != 1:
        raise ConfigurationError(
            f"cores: {cores} on a cluster, where groups of jobs would ask for {cores} CPUs and"
            " use one. Leave --cores out (--jobs limits how many jobs run at a time), and name the"
            " profile with --workflow-profile profiles/slurm: with --profile, profiles/default"
            " overrides it"
        )


def _missing(environment: Mapping[str, str]) -> list[tuple[bool, str]]:
    status = environment.get("RULEALIGN_SLURM_STATUS") or "sacct"
    return [
        (
            find_spec("snakemake_executor_plugin_slurm") is None,
            "Snakemake's Slurm plugin is not installed: pip install -c constraints.txt '.[slurm]'",
        ),
        (
            shutil.which("sbatch", path=environment.get("PATH")) is None,
            "there is no sbatch here: type this on a login node of the cluster",
        ),
        (
            not environment.get("RULEALIGN_PARTITION"),
            "no partition: export RULEALIGN_PARTITION=<name> (sinfo -s lists them)",
        ),
        (
            status not in ("sacct", "squeue"),
            f"RULEALIGN_SLURM_STATUS={status}: must be sacct, or squeue (no accounting)",
        ),
    ]
