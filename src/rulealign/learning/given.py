"""Models that were made elsewhere: the table that says which file is which of them."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from pydantic import Field

from rulealign.errors import ConfigurationError
from rulealign.learning.rule_settings import RuleSettings
from rulealign.schema import FilePlace

if TYPE_CHECKING:
    from rulealign.learning.network import Network

STORED = (".h5", ".hdf5", ".npz", ".npy", ".mat")
"""How names of files of arrays end."""

ONE_ARRAY = (".npy", ".csv", ".tsv")
"""How names of files end that hold one array, which has no name."""

COLUMNS = ("network", "rule", "seed", "epoch", "file")


class Model(NamedTuple):
    """A line of the table.

    Attributes:
        line: its number in the table.
        network: a label of `networks`.
        seed: one of `training.seeds`.
        epoch: one of `training.checkpoints`.
        file: where the model is, relative to the working folder; with places such as {size}.
    """

    line: int
    network: str
    seed: int
    epoch: int
    file: str

    @property
    def key(self) -> tuple[str, int, int]:
        """What tells it from other models of its rule: network, seed, epoch."""
        return self.network, self.seed, self.epoch


class GivenSettings(RuleSettings):
    """The settings of models that were made elsewhere."""

    endings: ClassVar[tuple[str, ...]]
    """How names of files that can be read end."""

    places: ClassVar[tuple[str, ...]] = ()
    """What a model may have several files for; names of files have it in braces."""

    init: Literal["default"] = Field(
        default="default", description="of no effect: weights are those of the files"
    )
    table: FilePlace = Field(
        description="a .csv with the columns network, rule, seed, epoch and file: a line for each"
        " model, labels as in this study, files as paths from the folder of the table"
    )

    fixed: bool = Field(
        default=False,
        description="whether there is one state of each model, such as a pretrained network: its"
        " line has the epoch 0, and it stands for every epoch, as that of an untrained rule",
    )

    @property
    def has_one_state(self) -> bool:
        """Whether there is one state of each model."""
        return self.fixed

    def models(self, rule: str) -> tuple[Model, ...]:
        """Read the lines of one rule.

        Args:
            rule: its label.

        Raises:
            ConfigurationError: there is no such table, it lacks a column, a field is missing or no
                number, or it has no line of the rule.
        """
        path = Path(self.table).expanduser()
        if not path.is_file():
            raise ConfigurationError(f"there is no file {self.table}")
        lines = _lines(self.table, path.stat().st_mtime_ns)
        if not (own := tuple(model for of, model in lines if of == rule)):
            others = sorted({of for of, _ in lines})
            raise ConfigurationError(f"{self.table} has no line of '{rule}'; it has {others}")
        return own

    def one_array(self, file: str) -> bool:
        """Say whether a file, by its name, holds one array, which has no name."""
        return file.endswith(ONE_ARRAY)

    @property
    def own_files(self) -> list[str]:
        """Name the user's own files beside those of models: the table, and a list of ids."""
        named = [self.table, getattr(self, "ids", None)]
        return [os.path.normpath(Path(file).expanduser()) for file in named if file]

    def file(self, rule: str, network: str, seed: int, epoch: int) -> str:
        """Give the file of one model, which the table must have, as it is written."""
        key = (network, seed, epoch)
        return next(model.file for model in self.models(rule) if model.key == key)

    def files(self, file: str, values: Mapping[str, Sequence[object]]) -> list[str]:
        """Give the files of one model, each once.

        Args:
            file: as in the table.
            values: place -> what stands there.
        """
        named = [values[place] for place in self.places]
        each = (dict(zip(self.places, one, strict=True)) for one in product(*named))
        return list(dict.fromkeys(filled(file, one) for one in each))


@lru_cache(maxsize=16)
def _lines(table: str, _changed: int) -> list[tuple[str, Model]]:
    try:
        with Path(table).expanduser().open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns, rows = reader.fieldnames or (), list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{table} is no table of text ({error})") from error
    if missing := [name for name in COLUMNS if name not in columns]:
        raise ConfigurationError(
            f"{table} lacks the column '{missing[0]}'; it has {list(columns)} and needs"
            f" {', '.join(COLUMNS)}"
        )
    return [_model(row, line, table) for line, row in enumerate(rows, start=2)]


def _model(row: dict[str, str | None], line: int, table: str) -> tuple[str, Model]:
    for name in COLUMNS:
        text = row[name] or ""
        if not (re.fullmatch(r"\d{1,18}", text) if name in ("seed", "epoch") else text.strip()):
            wanted = "a whole number" if name in ("seed", "epoch") else "text"
            raise ConfigurationError(f"{table}, line {line}: {name} must be {wanted}, not '{text}'")
    file = Path(table).expanduser().parent / Path(row["file"]).expanduser()
    numbers = int(row["seed"]), int(row["epoch"])
    return row["rule"], Model(line, row["network"], *numbers, os.path.normpath(file))


def filled(file: str, values: Mapping[str, object]) -> str:
    """Write values into the places of a file's name."""
    for place, value in values.items():
        file = file.replace(f"{{{place}}}", str(value))
    return file


def only_given(network: Network) -> str:
    """Say why only weights are given of a network; "" where only its layers are known."""
    if not network.has_weights:
        return ""
    return "gives layers of networks of the kind 'given', and this one is built here"


def common_folder(files: Iterable[str]) -> str:
    """Give the lowest folder that holds all files, "." where these are in the working folder."""
    folders = [Path(file).parent for file in files]
    if any(folder.is_absolute() for folder in folders):
        folders = [folder.absolute() for folder in folders]
    return os.path.commonpath(folders) or "."
