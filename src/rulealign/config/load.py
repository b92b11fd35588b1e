"""Reading a study and checking it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rulealign.config.derived import completed
from rulealign.config.file import read_study_file
from rulealign.config.study import Study
from rulealign.errors import ConfigurationError
from rulealign.mistakes import Mistakes


def load_study(values: Mapping[str, Any], file: str = "the configuration") -> Study:
    """Check a study's configuration.

    Args:
        values: the configuration as read from YAML, with the overrides of the command line.
        file: which file it was read from, for errors.

    Returns:
        The typed study.

    Raises:
        ConfigurationError: names every key that is wrong, its value and what is allowed.
    """
    full, derived = completed(values)
    mistakes = Mistakes(values)
    study = Study.model_validate(full, context=mistakes)
    if mistakes.found:
        # what follows from a mistaken value is mistaken, too, and is not in the file
        places = tuple(f"{key}." for key in derived)
        stated = [one for one in mistakes.found if not f"{one.key}.".startswith(places)]
        told = "\n".join(f"  {one.key}: {one.text}" for one in stated or mistakes.found)
        raise ConfigurationError(f"{file} has mistakes:\n{told}")
    return study


def read_study(file: Path) -> Study:
    """Read and check a study file.

    Args:
        file: the study file.

    Returns:
        The typed study.

    Raises:
        ConfigurationError: as in `read_study_file` and `load_study`.
    """
    return load_study(read_study_file(file), str(file))
