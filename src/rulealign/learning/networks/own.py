"""A network of the user's own: a class in a file of Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.errors import ConfigurationError
from rulealign.lazy import imported_from, torch
from rulealign.learning.explored_network import ExploredNetwork
from rulealign.schema import whole
from rulealign.wrong_values import nearest

if TYPE_CHECKING:
    from torch import nn

    from rulealign.learning.explored import Reader

LARGEST = 1_000_000_000
Plain = bool | whole(-LARGEST, LARGEST) | float | str
"""What an argument may be, or a list of such."""


class Own(ExploredNetwork):
    """A class of the user's, any `torch.nn.Module` that maps images to logits.

    `network_class(classes, **arguments)` makes it, with random weights from PyTorch's global state;
    it is called with images, float32 (batch, 3, height, width), normalised, and returns logits
    (batch, classes). Nodes are names of its modules (`named_modules`), whose outputs are read. The
    file runs while a study is planned and in every job that loads the network: it is code, and is
    trusted. Training sees no other randomness than PyTorch's. Not for networks in which one module
    runs several times: its last output is what is read.
    """

    kind: Literal["own"] = Field(description="architecture; see docs/your-own-network.md")
    file: str = Field(description="a file of Python, which planning and jobs run")
    network_class: str = Field(description="name of the class in it")
    arguments: dict[str, Plain | list[Plain]] = Field(
        default={}, description="what the class is called with, beside the number of classes"
    )

    @property
    def own_files(self) -> list[str]:
        """Name the file of Python."""
        return [os.path.normpath(Path(self.file).expanduser())]

    def made(self, classes: int) -> nn.Module:
        """Make the network by a call of the class."""
        path = Path(*self.own_files)
        if not path.is_file():
            raise ConfigurationError(f"network.file: there is no file {self.file}")
        try:
            with torch.random.fork_rng(devices=[]):  # a seed that the file sets is none of ours
                module = imported_from(path)
        except Exception as error:  # whatever somebody else's code raises
            raise ConfigurationError(f"network.file: {self.file} does not run ({error})") from error
        if not isinstance(found := vars(module).get(self.network_class), type):
            near = nearest(self.network_class, [n for n, v in vars(module).items() if _is_class(v)])
            hint = f"; did you mean '{near}'?" if near else ""
            raise ConfigurationError(
                f"network.network_class: {self.file} has no class '{self.network_class}'{hint}"
            )
        try:
            return found(classes, **self.arguments)
        except Exception as error:
            call = f"{self.network_class}({classes}, ...)"
            raise ConfigurationError(f"network: {call} of {self.file} failed: {error}") from error

    def reader(self) -> Reader:
        """Give the function that reads the outputs of modules."""
        from rulealign.learning.explored import read_modules

        return read_modules

    def readable(self, network: nn.Module) -> list[str]:
        """List the modules."""
        return [name for name, _ in network.named_modules() if name]


def _is_class(value: object) -> bool:
    return isinstance(value, type)
