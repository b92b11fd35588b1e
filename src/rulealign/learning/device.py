"""Where networks run, with how many threads, and what makes a run repeatable there."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from rulealign.errors import ConfigurationError

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of malloc.h


def use_threads(threads: int) -> None:
    """Set how many threads torch computes with.

    Args:
        threads: at least 1. Another number may change the last digits of a result, because sums
            are added up in another order; training enlarges such differences.
    """
    torch.set_num_threads(threads)
    _keep_memory()


def _keep_memory() -> None:
    # glibc gives large blocks back to the system at once and has every page of the next one zeroed
    # again: a third of the time of training. Elsewhere than on glibc nothing is done.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def require_device(name: str) -> torch.device:
    """Give the configured device, or refuse.

    Args:
        name: "cpu" or "cuda".

    Returns:
        The device.

    Raises:
        ConfigurationError: a GPU is configured and there is none; never falls back to the CPU.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError(
            "device: 'cuda' is configured, but torch finds no GPU here. Run where there is one, or"
            " put device: cpu (checkpoints of one device are not continued on the other)."
        )
    return torch.device(name)


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Compute with deterministic algorithms; put the random and algorithm state back afterwards.

    On the CPU every algorithm used is deterministic, and one that is not raises an error. On a GPU
    torch warns (in the job's log) where it has no deterministic algorithm, such as the gradient of
    adaptive pooling, which only training at sizes other than 32 px uses.

    Args:
        device: where the network lies.
    """
    before = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    on_gpu = device.type == "cuda"
    if on_gpu:
        # cuBLAS reads this when it is first used, and is deterministic only with it
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if on_gpu else []):
        torch.use_deterministic_algorithms(True, warn_only=on_gpu)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before, warn_only=only_warned)


def random_state(device: torch.device) -> dict[str, torch.Tensor]:
    """Take the global random state: of the CPU, and of the GPU if that is the device.

    Args:
        device: where the network lies.

    Returns:
        Generator -> its state.
    """
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def restore_random_state(state: dict[str, torch.Tensor]) -> None:
    """Put a global random state back.

    Args:
        state: as returned by `random_state`.
    """
    torch.set_rng_state(state["cpu"])
    if "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"])
