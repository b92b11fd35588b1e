"""Torch and torchvision, imported at first use.

Planning a workflow reads the settings of every kind (`snakemake -n`), and must not pay the two
seconds that importing torch takes; a page asks kinds for their words where there is no torch. Files
of learning rules and training sets therefore write `from rulealign.lazy import functional, torch`
where they would otherwise write `import torch`.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from rulealign.errors import ConfigurationError


class _Lazy:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


torch: Any = _Lazy("torch")
functional: Any = _Lazy("torch.nn.functional")
datasets: Any = _Lazy("torchvision.datasets")


def registered(registry: Mapping[str, str], kind: str, what: str) -> Any:
    """Find what a registry lists; its module is imported now.

    Args:
        registry: kind -> "module:name".
        kind: a key of it.
        what: what it lists, for the message: "learning rule".

    Returns:
        What has that name in that module.

    Raises:
        ConfigurationError: there is no such kind; lists those there are.
    """
    if kind not in registry:
        raise ConfigurationError(f"there is no {what} '{kind}'; there are: {list(registry)}")
    module, name = registry[kind].split(":")
    return getattr(importlib.import_module(module), name)


def imported_from(path: Path) -> ModuleType:
    """Run a file of Python, and give its module; other modules do not find it.

    Args:
        path: the file; it is run as it is, with all that this means.

    Returns:
        The module.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
