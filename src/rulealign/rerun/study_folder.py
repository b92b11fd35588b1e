"""One results folder belongs to one study file: two studies of one name would mix results."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

import yaml

from rulealign.atomic import whole
from rulealign.errors import ConfigurationError
from rulealign.json_files import read_json
from rulealign.provenance import fingerprint

PACKAGES = (
    *("rulealign", "snakemake", "torch", "torchvision", "numpy", "scipy", "h5py", "pandas"),
    *("numba", "nibabel", "nilearn", "Pillow", "altair", "vl-convert-python"),
    "Jinja2",
)
"""What a study's numbers and figures may depend on."""

RECORD = "provenance.json"
COMPLETE = "study.yaml"
"""The file in a study's results that states every setting."""

_HEADER = """\
# Every setting that this study ran with, defaults included. To make the same results again:
#   snakemake --cores all --configfile {file}
"""


def refuse_second_file(study_files: Iterable[str]) -> None:
    """Refuse more than one study file: Snakemake would merge them into a study nobody wrote.

    Args:
        study_files: the files given with `--configfile`.

    Raises:
        ConfigurationError: names the files and the remedy.
    """
    files = list(study_files)
    if len(files) > 1:
        raise ConfigurationError(
            f"{' and '.join(files)}: a study file stands alone and is never merged with another;"
            " give one with --configfile, and override single values with --config key=value"
        )


def refuse_other_study(results: Path, name: str, study_file: str, settings: Mapping) -> None:
    """Refuse to put a study into a results folder that another study file has filled.

    Editing a study file, or overriding its values, goes on in the same folder.

    Args:
        results: the folder that holds a folder per study.
        name: the study's name.
        study_file: the file it comes from.
        settings: its plain settings, as `provenance.json` keeps them.

    Raises:
        ConfigurationError: names both files, the folder and the remedy.
        StoreError: the record cannot be read.
    """
    record = results / name / RECORD
    if not record.exists():
        return
    before = read_json(record, "study_file", "study")
    other = before["study_file"]
    if other != study_file and fingerprint(before["study"]) != fingerprint(settings):
        raise _same_name(name, study_file, other, f"{record.parent} holds the results of the other")


def origin(results: Path, name: str, study_file: str) -> str:
    """Name the file that a study comes from: that of the record, for the study that a run wrote.

    Running `study.yaml` of a results folder is no other study, and leaves the record as it is.

    Args:
        results: the folder that holds a folder per study.
        name: the study's name.
        study_file: the file that was given.

    Returns:
        A path.

    Raises:
        StoreError: the record cannot be read.
    """
    record = results / name / RECORD
    if Path(study_file).resolve() == (results / name / COMPLETE).resolve() and record.exists():
        return read_json(record, "study_file")["study_file"]
    return study_file


def refuse_same_name(
    folder: Path, name: str, study_file: str, settings: Callable[[Path], str | None]
) -> None:
    """Refuse a study whose name another study file of the project has, too, with other settings.

    Args:
        folder: the project's folder, with `workflow_config.yaml` and `studies/`.
        name: the study's name.
        study_file: the file it comes from.
        settings: gives the fingerprint of a study file's settings; None where they have mistakes.

    Raises:
        ConfigurationError: names both files and the remedy.
    """
    given = Path(study_file).resolve()
    if given == Path("results", name, COMPLETE).resolve():
        return  # `refuse_other_study` holds it against the record that it lies beside
    for file in [folder / "workflow_config.yaml", *sorted((folder / "studies").glob("*.yaml"))]:
        if not file.exists() or file.resolve() == given:
            continue
        # a pattern, not a parser: reading every study file would slow each start of Snakemake
        found = re.search(r"^study:\s*[\"']?([\w-]+)", file.read_text(), re.MULTILINE)
        # macOS takes names that differ in capitals only for one folder
        namesake = found and found.group(1).casefold() == name.casefold()
        if namesake and settings(file) != settings(given):
            raise _same_name(name, study_file, str(file), "their results would share a folder")


def versions() -> dict[str, str]:
    """Give the versions of Python and of the packages that numbers and figures may depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def write_record(
    output: Path, settings: Mapping, study_file: str, versions: Mapping, more: Mapping
) -> None:
    """Record a study's settings, their fingerprint and the versions of what computes it.

    Args:
        output: `provenance.json` of the study's results.
        settings: the study's plain settings.
        study_file: the file it comes from.
        versions: as `versions` gives them.
        more: further plain facts, under names of their own: `code`, `inputs`, `machine`.
    """
    packages = dict(versions)
    record = {
        "study_file": study_file,
        "study": settings,
        "study_fingerprint": fingerprint(settings),
        "python": packages.pop("python"),
        "packages": packages,
        **more,
    }
    with whole(output) as temporary:
        temporary.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")


def study_text(settings: Mapping) -> str:
    """Write a study as YAML, sections and labels in their order, which is that of tables.

    Args:
        settings: plain settings, all that the study has.

    Returns:
        The text, to be read as a study file.
    """
    return yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True, width=100)


def write_study(output: Path, text: str) -> None:
    """Write the file of a study's results that states every setting, to be run again.

    Args:
        output: `study.yaml` of the study's results.
        text: as `study_text` gives it.
    """
    with whole(output) as temporary:
        temporary.write_text(_HEADER.format(file=output) + text, encoding="utf-8")


def _same_name(name: str, study_file: str, other: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"study: '{name}' is the name of two studies, {study_file} and {other}; {why}."
        f" Give one of them another name (`study:`), or --config study=<name>."
    )
