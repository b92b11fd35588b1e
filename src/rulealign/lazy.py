"""Torch and torchvision, imported at first use.

Planning a workflow reads the settings of every kind (`snakemake -n`), and must not pay the two
seconds that importing torch takes; a page asks kinds for their words where there is no torch. Files
of learning rules and training sets therefore write `from rulealign.lazy import functional, torch`
where they would otherwise write `import torch`.
"""

from __future__ import annotations

import importlib
from typing import Any


class _Lazy:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


torch: Any = _Lazy("torch")
functional: Any = _Lazy("torch.nn.functional")
datasets: Any = _Lazy("torchvision.datasets")
