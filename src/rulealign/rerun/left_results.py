"""Results that nobody would miss or make again: no notes tell of them, or no job makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from rulealign.errors import ConfigurationError
from rulealign.manifest import FOLDER, NO_RESULTS, manifest_path, read_manifest
from rulealign.rerun.explain import first_ones, record_path


def refuse_unnoted_files(
    results: Path, metadata: Path, made_now: Callable[[str], Mapping[str, str] | None]
) -> None:
    """Refuse results of other code or settings of which Snakemake has no notes.

    Snakemake runs again what its notes say was made by other params. A result whose note was lost
    counts as current, whatever made it; its manifest knows better.

    Args:
        results: the folder of the study's results, relative to the working folder.
        metadata: `.snakemake/metadata`.
        made_now: result -> what its manifest would say now, as `manifest.made_by` gives it; None
            where no job makes it.

    Raises:
        ConfigurationError: names the files, and what to do; nothing is touched.
        StoreError: a manifest cannot be read.
    """
    reasons: dict[str, str] = {}
    for result in _unnoted(results, metadata):
        if now := made_now(result):
            before = read_manifest(result)
            differing = [name for name in now if now[name] != before.get(name)]
            if differing:
                reasons[result] = f"other {' and '.join(differing)}"
    if reasons:
        raise _refusal(reasons, metadata.parent)


def _unnoted(results: Path, metadata: Path) -> list[str]:
    noted = {path for path in metadata.rglob("*") if path.is_file()}
    unfinished = metadata.with_name("incomplete")
    found = [_result(results, path) for path in sorted((results / FOLDER).rglob("*.json"))]
    return [
        name
        for name in found
        if record_path(metadata, name) not in noted
        and Path(name).exists()
        and not record_path(unfinished, name).exists()
    ]


def _result(results: Path, manifest: Path) -> str:
    name = manifest.relative_to(results / FOLDER).as_posix().removesuffix(".json")
    return f"{results.as_posix()}/{name}"


def _refusal(reasons: Mapping[str, str], notes: Path) -> ConfigurationError:
    files = [f"{name} ({reason})" for name, reason in reasons.items()]
    return ConfigurationError(
        f"{first_ones(files)}: made by other code or with other settings than those of now, and"
        f" Snakemake's notes of it are not in {notes}, so it would count as current. Nothing was"
        f" touched. Delete these files and rerun the command; or put the {notes} of the place where"
        " they were computed here. To keep them as they are, rerun the command once with"
        " --touch --forceall: then every result counts as made with the settings and code of now."
    )


def left_over(results: Path, expected: Iterable[str]) -> list[str]:
    """List results that no job of the study makes, such as those of a rule that was taken out.

    Args:
        results: the folder of the study's results, relative to the working folder.
        expected: all results of the study; a folder stands for all that is in it.

    Returns:
        The files, sorted; not logs, manifests and hidden files.
    """
    known = set(map(str, expected))
    files = [path for path in results.rglob("*") if path.is_file() and path.name[0] != "."]
    return sorted(
        path.as_posix()
        for path in files
        if path.relative_to(results).parts[0] not in NO_RESULTS
        and known.isdisjoint([path.as_posix(), *(one.as_posix() for one in path.parents)])
    )


def mention(results: Path, files: list[str]) -> str:
    """Say which files are left over, and what to do with them.

    Args:
        results: the folder of the study's results.
        files: as `left_over` gives them; at least one.

    Returns:
        Two or three lines of text.
    """
    manifests = manifest_path(results / "x").parent
    return (
        f"Not part of this study, but in {results}: {first_ones(files)}. A rule, ROI, seed or size"
        f" that the study no longer has may have left them. Nothing reads them; delete them (and"
        f" what {manifests} holds of them), or give this study a name of its own."
    )
