"""How many stimuli a study has, as far as files tell while it is planned: enough for folds."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rulealign.data.download.fetch import resolve
from rulealign.data.file_names import is_hidden, is_image
from rulealign.errors import ConfigurationError, RulealignError
from rulealign.schema import source_of

if TYPE_CHECKING:
    from rulealign.config.study import Study

_READER = [sys.executable, "-m", __spec__.name]
_TABLES = (".csv", ".tsv")


def require_folds(study: Study, resources: Path) -> None:
    """Refuse more folds, or inner folds, of encoding than there are stimuli.

    What no file tells yet is refused by the job that makes the folds, before networks are trained.

    Args:
        study: the study.
        resources: the folder of downloads.

    Raises:
        ConfigurationError: names the key, the file that has the stimuli, and the remedy.
    """
    found = stimulus_count(study, resources) if study.encoding else None
    if found and (unfilled := study.encoding.unfilled(found[1], f"stimuli of {found[0]}")):
        key, why = unfilled
        raise ConfigurationError(f"encoding.{key}: {why}, or bring more stimuli.")


def stimulus_count(study: Study, resources: Path) -> tuple[Path, int] | None:
    """Count the stimuli of a study by the first file that tells it; all have the same.

    Args:
        study: the study.
        resources: the folder of downloads.

    Returns:
        The file (a list of ids, RDMs or images) and the number; None where none tells it: files
        that are not there yet, or cannot be read, which is refused when they are.
    """
    return next((told for told in _counts(study, resources) if told[1]), None)


def _counts(study: Study, resources: Path) -> Iterator[tuple[Path, int]]:
    # what takes longest comes last, and is not looked at where something else tells
    yield from ((path, _lines(path)) for path in map(Path, study.brain.stimulus_list))
    rdms = list(_rdms(study, resources))
    yield from ((path, _of_shape(_shape(path, key), axes)) for path, key, axes in rdms)
    found = [(_there(source_of(one), resources), one) for one in study.stimuli.values()]
    images = [(path, getattr(one, "key", None)) for path, one in found if path]
    yield from ((path, _images(path)) for path, _ in images if path.is_dir())
    for path, key, axes in rdms:
        shape, kind = _variable(path, key)
        yield path, 0 if kind == "struct" else _of_shape(shape, axes)
    for path, key in images:
        shape, kind = _variable(path, key)
        yield path, math.prod(shape) if kind == "struct" else 0


def _there(source: str | None, resources: Path) -> Path | None:
    try:
        return resolve(source, resources) if source else None
    except RulealignError:
        return None


def _rdms(study: Study, resources: Path) -> Iterator[tuple[Path, str | None, tuple[str, ...]]]:
    for roi, section in study.brain.rois.items():
        for source in study.brain.sources(roi):
            if path := _there(source, resources):
                yield path, section.key, tuple(section.axes or ())


def _lines(path: Path) -> int:
    try:
        return len([line for line in path.read_text("utf-8-sig").splitlines() if line.strip()])
    except (OSError, UnicodeDecodeError):
        return 0


def _images(folder: Path) -> int:
    return sum(is_image(path.name) and not is_hidden(path.name) for path in folder.iterdir())


def _shape(path: Path, key: str | None) -> tuple[int, ...]:
    from rulealign.data.rdm_formats import stored_rdms
    from rulealign.data.rdm_formats.shapes import stored_shape

    if path.suffix.lower() not in _TABLES:
        return stored_shape(path, key) or ()
    try:
        return stored_rdms(path, key).numbers.shape
    except RulealignError:
        return ()


def _of_shape(shape: tuple[int, ...], axes: tuple[str, ...]) -> int:
    # the most that RDMs of this shape may be of; 0 where they are none
    from rulealign.data.rdm_axes import possible_counts

    some = {*shape, *((1 + math.isqrt(1 + 8 * size)) // 2 for size in shape)}
    return max((one for one in some if possible_counts(shape, axes, one)), default=0)


def _variable(path: Path, key: str | None) -> tuple[tuple[int, ...], str]:
    # scipy may end the process at a damaged file, so another one reads it
    if key is None or path.suffix.lower() != ".mat":
        return (), ""
    command = [*_READER, str(path), key]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    shape, kind = json.loads(done.stdout) if done.returncode == 0 else ((), "")
    return tuple(shape), kind


def _print_variable(path: str, key: str) -> None:
    from scipy.io import whosmat

    held = {name: (shape, kind) for name, shape, kind in whosmat(path)}
    print(json.dumps(held.get(key, ((), ""))))


if __name__ == "__main__":
    _print_variable(*sys.argv[1:])
