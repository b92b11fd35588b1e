"""The computer that a job ran on, in one line: what explains a cost, and never a number."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path


def describe(root: Path = Path("/")) -> str:
    """Describe the computer: processor, cores, memory, system, and the GPU that torch has used.

    Args:
        root: where `/proc` lies.

    Returns:
        One line, such as "AMD EPYC 7B13, 8 cores, 32 GB, Linux 6.1.0 x86_64". It is the same in
        every process of a computer but for the GPU, and depends on no limit of a job.
    """
    cores = f"{os.cpu_count()} cores"
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    parts = [_processor(root / "proc/cpuinfo"), cores, _memory(root / "proc/meminfo"), system]
    return ", ".join(part for part in [*parts, _gpu()] if part)


def _processor(file: Path) -> str:
    for line in file.read_text().splitlines() if file.exists() else ():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return " ".join(value.split())
    return platform.processor() or platform.machine()


def _memory(file: Path) -> str:
    for line in file.read_text().splitlines() if file.exists() else ():
        if line.startswith("MemTotal:"):
            return f"{int(line.split()[1]) * 1024 / 1e9:.0f} GB"
    return ""


def _gpu() -> str:
    # a job without torch must not load it, and one on the CPU must not wake a GPU
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    return cuda.get_device_name() if cuda and cuda.is_available() and cuda.is_initialized() else ""
