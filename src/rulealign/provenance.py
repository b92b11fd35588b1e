"""Fingerprints of settings, states and files, and the seeds derived from them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def canonical(settings: Any) -> str:
    """Write plain values as JSON with sorted keys, so that equal settings are equal strings.

    Args:
        settings: nested mappings, lists, strings, numbers, booleans and None.

    Returns:
        One line of JSON.

    Raises:
        TypeError: a value is not plain (for example an array); turn it into a list first.
        ValueError: a number is NaN or infinite, which has no place in a setting.
    """
    return json.dumps(
        settings, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def fingerprint(settings: Any) -> str:
    """Hash plain settings: 16 hexadecimal digits of the SHA-256 of their canonical form.

    Args:
        settings: as in `canonical`.

    Returns:
        16 hexadecimal digits. Not for secrets, and not for files: see `file_sha256`.
    """
    return hashlib.sha256(canonical(settings).encode()).hexdigest()[:16]


def file_sha256(path: Path) -> str:
    """Hash a file's bytes with SHA-256, without holding the file in memory.

    Args:
        path: an existing file.

    Returns:
        64 hexadecimal digits.
    """
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def folder_listing(source: str | None) -> str:
    """Fingerprint the names, sizes and times of all files of a folder, without reading them.

    Args:
        source: a path, or None or the name of a dataset, which have no listing.

    Returns:
        16 hexadecimal digits; empty where the source is no folder.
    """
    if source is None or "/" not in source or not Path(source).expanduser().is_dir():
        return ""
    folder = Path(source).expanduser()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return fingerprint(
        [[str(p.relative_to(folder)), p.stat().st_size, p.stat().st_mtime_ns] for p in files]
    )


def state_hash(state: Mapping[str, Any]) -> str:
    """Hash named tensors or arrays: 16 hexadecimal digits over names, types, shapes and bytes.

    Args:
        state: name -> torch tensor or numpy array, such as a module's `state_dict()`.

    Returns:
        16 hexadecimal digits, the same for the same values wherever they lie (device, layout).
    """
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name]
        array = value.detach().cpu().contiguous().numpy() if hasattr(value, "detach") else value
        digest.update(f"{name}|{array.dtype}|{array.shape}|".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def derive_seed(study_seed: int, *parts: object) -> int:
    """Derive an independent seed for one purpose from the study's seed.

    Args:
        study_seed: the `seed` of the study.
        parts: what the seed is for, in a fixed order: (rule,) seed, (epoch,) purpose. Leave the
            rule out where rules must share the randomness (initial weights, order of images).

    Returns:
        An integer in [0, 2**63), the first 63 bits of the SHA-256 of the parts.
    """
    text = canonical([study_seed, *[str(part) for part in parts]])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
