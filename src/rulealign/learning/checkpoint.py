"""Checkpoints: a network in training, whole, with everything that says whose it is."""

from __future__ import annotations

import io
import sys
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from rulealign import store
from rulealign.errors import GuardError, StoreError
from rulealign.provenance import state_hash
from rulealign.unreadable import unreadable


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        network: the network's `state_dict`.
        rule_state: the learning rule's `state_dict`, its optimiser included.
        random: generator -> state of the global random state.
        rule: the rule's label in the study.
        kind: the rule's name in the registry.
        seed: the network's seed.
        epoch: epochs trained.
        classes: that the network tells apart.
        settings: everything the training depends on, as canonical JSON.
        settings_hash: fingerprint of the settings.
        initial_hash: hash of the initial weights of the convolutions and linear layers.
        state_hash: hash of `network`.
    """

    network: dict[str, torch.Tensor]
    rule_state: dict[str, Any]
    random: dict[str, torch.Tensor]
    rule: str
    kind: str
    seed: int
    epoch: int
    classes: int
    settings: str
    settings_hash: str
    initial_hash: str
    state_hash: str


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all; the same content gives the same bytes.

    Args:
        path: the file to make.
        checkpoint: what to write.

    Raises:
        StoreError: the disk is full.
    """
    # torch.save names the archive inside the file after the path it is given; a buffer has none
    buffer = io.BytesIO()
    content = {field.name: getattr(checkpoint, field.name) for field in fields(checkpoint)}
    torch.save(_settled(content), buffer)
    with store.whole(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def load(
    path: Path,
    *,
    rule: str,
    seed: int,
    epoch: int,
    settings_hash: str | None,
    classes: int | None = None,
) -> Checkpoint:
    """Read a checkpoint, and refuse one that is not what it should be (guard 17).

    Args:
        path: a file written by `save`.
        rule: the rule's label that it must have.
        seed: the seed that it must have.
        epoch: the epoch that it must have.
        settings_hash: the fingerprint of settings that it must have; None accepts any.
        classes: how many it must tell apart; None accepts any number.

    Returns:
        The checkpoint, on the CPU.

    Raises:
        StoreError: the file is missing, damaged (in any of its parts) or no checkpoint.
        GuardError: it is another network's: names the file, what is expected and what is found.
    """
    checkpoint = _read(path)
    expected = {"rule": rule, "seed": seed, "epoch": epoch, "settings_hash": settings_hash}
    for name, value in (expected | {"classes": classes}).items():
        found = getattr(checkpoint, name)
        if found != value and not (name in ("settings_hash", "classes") and value is None):
            raise GuardError(
                f"{path}: expected {name} {value!r}, found {found!r}; it is another network's."
                " Delete it and rerun the command."
            )
    actual = state_hash(checkpoint.network)
    if actual != checkpoint.state_hash:
        raise GuardError(
            f"{path}: the weights have the hash {actual}, but {checkpoint.state_hash} was written"
            " with them; the file was changed. Delete it and rerun the command."
        )
    return checkpoint


def _read(path: Path) -> Checkpoint:
    try:
        with zipfile.ZipFile(path) as parts:  # torch writes checksums, and does not look at them
            if damaged := parts.testzip():
                raise StoreError(f"{damaged}: other content than its checksum says")
        return Checkpoint(**torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # what damaged bytes make of zip and pickle may raise anything
        raise unreadable(path, "a checkpoint", error) from error


def _settled(value: Any) -> Any:
    # Pickle writes an object that appears twice only once. Whether equal strings are one object, or
    # tensors share memory, depends on what happened before: a loaded state differs from one that
    # grew. So strings are made one object, everything else its own.
    if isinstance(value, dict):
        return {_settled(key): _settled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_settled(item) for item in value)
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().clone()
    return sys.intern(value) if isinstance(value, str) else value
