"""Reads the study files of a `snakemake` command line before Snakemake does.

A profile is the only place that Snakemake reads before `--configfile`; both profiles call this.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rulealign.config.file import read_study_file
from rulealign.errors import ConfigurationError

DEFAULT_STUDY = "workflow_config.yaml"


def refuse_unreadable_studies(arguments: Sequence[str] | None = None) -> None:
    """End the process with one line where a study file cannot be read.

    Args:
        arguments: of the command line, without the program's name; None: this process's own.
    """
    for file in study_files(sys.argv[1:] if arguments is None else arguments):
        try:
            read_study_file(file)
        except ConfigurationError as error:
            sys.exit(str(error))


def study_files(arguments: Sequence[str]) -> list[Path]:
    """Find the study files that a command line names.

    Args:
        arguments: of `snakemake`, without the program's name.

    Returns:
        Those behind `--configfile`; else the default study, where it is in the working folder.
    """
    parser = argparse.ArgumentParser("snakemake", add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", type=Path, default=[])
    parser.add_argument("--directory", "-d", type=Path, default=Path())
    given, _ = parser.parse_known_args(list(arguments))
    default = given.directory / DEFAULT_STUDY
    return given.configfile or [default] * default.exists()
