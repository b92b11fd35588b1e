"""The registry of datasets: where each file is published, and the bytes that it must have."""

from __future__ import annotations

from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from rulealign.errors import DataError
from rulealign.schema import Closed, whole

Bytes = whole(1, 2**50)

REGISTRY = Path(__file__).with_name("registry.yaml")


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path:
        raise ValueError(f"{path!r} must be a relative path that stays in its folder")
    return path


DatasetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
MirrorPath = Annotated[str, AfterValidator(_inside)]
# A digest of digits alone is a number to YAML, which would lose leading zeros: quote it there.
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Md5 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+/\S+$")]


class RemoteFile(Closed):
    """One published file."""

    urls: list[Url] = Field(description="public addresses, asked in this order")
    sha256: Sha256 | None = Field(None, description="checksum, hexadecimal")
    md5: Md5 | None = Field(None, description="checksum, where the publisher gives only this one")
    bytes: Bytes | None = Field(None, description="size")
    first_use: bool = Field(
        False,
        description="neither checksum nor size is published: what comes first is trusted, recorded,"
        " and compared ever after",
    )
    mirror: MirrorPath = Field(description="path below a mirror folder or mirror URL")
    by_hand: str | None = Field(None, description="how to come by the file where urls do not help")

    @model_validator(mode="after")
    def _can_be_checked(self) -> RemoteFile:
        known = [self.sha256 or self.md5, self.bytes]
        if self.first_use and any(known):
            raise ValueError("first_use is for a file without sha256, md5 and bytes")
        if not self.first_use and (None in known or (self.sha256 and self.md5)):
            raise ValueError("needs bytes and exactly one of sha256 and md5, or first_use: true")
        return self

    @property
    def checksum(self) -> str | None:
        """Give the checksum as pooch writes it (`sha256:<digits>`), or None where it is unknown."""
        if self.sha256 or self.md5:
            return f"sha256:{self.sha256}" if self.sha256 else f"md5:{self.md5}"
        return None

    def seen(self, size: int, sha256: str | None = None) -> RemoteFile:
        """Give the entry of a `first_use` file with what has been learned of it.

        Args:
            size: bytes, as the server says or the record holds.
            sha256: checksum of the first complete download, once there is one.

        Returns:
            A copy; not checked against the schema, where such a file has neither.
        """
        return self.model_copy(update={"bytes": size, "sha256": sha256})


class Folder(Closed):
    """Many published files in one place, listed in short."""

    urls: list[Url] = Field(description="public addresses of the folder")
    mirror: MirrorPath = Field(description="path of the folder below a mirror")
    files: dict[FileName, tuple[Bytes, Sha256]] = Field(description="name -> bytes, sha256")

    def listing(self) -> dict[str, dict[str, Any]]:
        """Write the same files in full, as `Dataset.files` takes them."""
        return {
            name: {
                "urls": [f"{url}/{name}" for url in self.urls],
                "sha256": sha256,
                "bytes": size,
                "mirror": f"{self.mirror}/{name}",
            }
            for name, (size, sha256) in self.files.items()
        }


class Dataset(Closed):
    """Published files that are fetched together."""

    title: str = Field(description="what it holds, in one line")
    licence: str = Field(description="terms of use, as far as they are stated")
    citation: str = Field(description="what to cite")
    pictures: bool = Field(
        False, description="whether its terms allow small pictures of its images in a report"
    )
    files: dict[FileName, RemoteFile] = Field(min_length=1, description="name -> file")


def _in_full(entry: Any) -> Any:
    if not isinstance(entry, dict) or "folder" not in entry:
        return entry
    if "files" in entry:
        raise ValueError("has both `files` and `folder`")
    folder = Folder.model_validate(entry["folder"])
    rest = {key: value for key, value in entry.items() if key != "folder"}
    return {**rest, "files": folder.listing()}


_REGISTRY = TypeAdapter(dict[DatasetName, Annotated[Dataset, BeforeValidator(_in_full)]])


def read_registry(path: Path) -> dict[str, Dataset]:
    """Read and check a registry of datasets.

    Args:
        path: a YAML file such as the project's `registry.yaml`.

    Returns:
        Dataset by name.

    Raises:
        DataError: an entry is incomplete, misspelt or unsafe (a name that leaves its folder).
    """
    try:
        return _REGISTRY.validate_python(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise DataError(f"{path}: the registry of datasets has mistakes:\n{error}") from error


@cache
def load_registry() -> dict[str, Dataset]:
    """Read the project's registry, once.

    Returns:
        Dataset by name.
    """
    return read_registry(REGISTRY)
