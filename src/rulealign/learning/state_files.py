"""State dicts of the user's: read without running code, and fitted to a network strictly."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor, nn

from rulealign.errors import DataError
from rulealign.learning.explored import Explored

NONE: Mapping[str, str] = MappingProxyType({})


def load_state(
    network: nn.Module,
    path: Path,
    *,
    entry: str | None = None,
    keys: Mapping[str, str] = NONE,
    or_drawn: Collection[str] = (),
) -> None:
    """Give a network the weights and statistics of a file.

    Args:
        network: as built by its settings; changed in place. Of a network that somebody else wrote,
            names are those of its own modules.
        path: a `.safetensors`, or a state dict that `torch.save` wrote.
        entry: name of the state dict in a file that holds more beside it; None: it holds no more.
        keys: how names in the file begin -> how in the network; the first that fits counts.
        or_drawn: names of what stays as it is where the file has it in another shape.

    Raises:
        DataError: the file cannot be read, holds anything but tensors, or does not fit: names the
            first key that is missing, and the first that is not expected; or the first whose shape
            differs, or that is not finite.
    """
    inner = network.network if isinstance(network, Explored) else network
    found = {_renamed(name, keys): value for name, value in _state(path, entry)}
    own = inner.state_dict()
    found |= {name: own[name] for name in or_drawn if name in own and _differs(name, found, own)}
    _require_fit(found, own, path)
    inner.load_state_dict(found)


def _differs(name: str, found: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> bool:
    return name in found and found[name].shape != own[name].shape


def _state(path: Path, entry: str | None) -> list[tuple[str, Tensor]]:
    held = _read(path)
    if entry is not None:
        if not isinstance(held, Mapping) or entry not in held:
            keys = list(held)[:5] if isinstance(held, Mapping) else type(held).__name__
            raise DataError(f"{path}: has no entry '{entry}'; it has {keys}. Correct `entry`.")
        held = held[entry]
    if not isinstance(held, Mapping):
        raise DataError(f"{path}: holds a {type(held).__name__}, and no state dict.")
    for name, value in held.items():
        if not isinstance(value, Tensor):
            kind = type(value).__name__
            raise DataError(
                f"{path}: '{name}' is a {kind}, and no tensor; if the state dict is one of"
                f" {list(held)[:5]}, name it with `entry`."
            )
    return list(held.items())


def _read(path: Path) -> object:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        if zipfile.is_zipfile(path):  # torch writes checksums, and does not look at them
            with zipfile.ZipFile(path) as parts:
                if damaged := parts.testzip():
                    raise ValueError(f"{damaged}: other content than its checksum says")
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what damaged bytes make of zip and pickle may raise anything
        raise DataError(
            f"{path}: cannot be read as tensors alone ({type(error).__name__}). It is damaged, or"
            " holds objects, which are never loaded, because they may run code: save"
            " `network.state_dict()` with torch.save, or as .safetensors."
        ) from error


def _renamed(name: str, keys: Mapping[str, str]) -> str:
    start = next((start for start in keys if name.startswith(start)), "")
    return keys.get(start, "") + name.removeprefix(start)


def _require_fit(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: Path) -> None:
    missing = [name for name in expected if name not in found]
    others = [name for name in found if name not in expected]
    unfit = [f"lacks {_first(missing)}"] if missing else []
    unfit += [f"has {_first(others)}, which the network lacks"] if others else []
    if unfit:
        raise DataError(
            f"{path}: does not fit the network: it {' and '.join(unfit)}. Choose the settings that"
            " the network had, or rename with `keys`."
        )
    for name, value in found.items():
        if value.shape != expected[name].shape:
            shapes = [tuple(one.shape) for one in (value, expected[name])]
            raise DataError(
                f"{path}: '{name}' has the shape {shapes[0]}, and {shapes[1]} in the network; its"
                " settings, or the number of classes of the training set, are others."
            )
        if not value.isfinite().all():
            raise DataError(f"{path}: '{name}' holds NaN or infinity.")


def _first(names: list[str]) -> str:
    more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
    return f"'{names[0]}'{more}"
