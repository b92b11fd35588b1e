"""Torch, imported at first use.

Planning a workflow reads every learning rule's settings (`snakemake -n`), and must not pay the two
seconds that importing torch takes. Files of learning rules therefore write
`from rulealign.lazy import functional, torch` where they would otherwise write `import torch`.
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
