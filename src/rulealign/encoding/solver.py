"""Where himalaya solves the ridge regressions of voxels: on the device of the study."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from rulealign.errors import ConfigurationError
from rulealign.lazy import torch

BACKENDS = {"cpu": "numpy", "cuda": "torch_cuda"}
"""Device of a study -> himalaya's backend; what is on the CPU needs no torch."""


@contextmanager
def solver_backend(device: str) -> Iterator[ModuleType]:
    """Have himalaya compute on a device, and put its backend back afterwards.

    Numbers stay float64 on a GPU, too: scores must not depend on the device beyond rounding.

    Args:
        device: "cpu" or "cuda".

    Yields:
        The backend: its `asarray` brings arrays to the device, `to_numpy` back.

    Raises:
        ConfigurationError: a GPU is configured and there is none; never falls back to the CPU.
    """
    from himalaya.backend import get_backend, set_backend  # slow to import

    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError(
            "device: 'cuda' is configured, but torch finds no GPU here, where voxels are to be"
            " fitted. Run where there is one, or put device: cpu."
        )
    before = get_backend().name
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="GPU backend .* single precision")
        try:
            yield set_backend(BACKENDS[device])
        finally:
            set_backend(before)
