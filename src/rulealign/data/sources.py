"""What each key of a study takes data from, checked before anything is planned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rulealign.config.study import Study
from rulealign.data.download.fetch import check_source, is_path, load_registry
from rulealign.data.times import planned_times
from rulealign.errors import ConfigurationError
from rulealign.schema import source_of

_PLACEHOLDER = re.compile(r"\{\s*[.\w]+\s*(,[^}]*)?\}|<[a-z][a-z0-9_]*>")


def require_sources(study: Study) -> None:
    """Refuse a source that is not there, or that its kind cannot read. Nothing is read yet.

    Args:
        study: the study.

    Raises:
        ConfigurationError: names the key, the source, and what is needed.
    """
    for key, section in study.sourced().items():
        source = section.source
        key = f"{key}.source" if "source" in type(section).model_fields else f"{key}.kind"
        try:
            check_source(source)
        except ConfigurationError as error:
            raise ConfigurationError(f"{key}: {error}") from None
        unfit = getattr(section, "unfit", None)
        if unfit and is_path(source) and (needed := unfit(Path(source).expanduser())):
            raise ConfigurationError(f"{key}: '{source}' does not fit; this must be {needed}.")


def require_times(study: Study) -> None:
    """Refuse times that do not fit the user's own files of RDMs, as far as headers tell.

    What only whole arrays tell (of .mat files, or of downloads) is checked by the first job.

    Args:
        study: the study.

    Raises:
        DataError: an array has other axes than the study says, more or fewer times, or times that
            do not increase or differ from those of another file; names file, key and remedy.
    """
    for roi in study.brain.timed_rois:
        files = [Path(one).expanduser() for one in study.brain.sources(roi) if is_path(one)]
        planned_times(study.brain.rois[roi], files, roi)


def pictures_allowed(study: Study, label: str) -> bool:
    """Say whether a report may show small pictures of a stimulus set.

    Args:
        study: the study.
        label: of `stimuli`.

    Returns:
        True of generated images, and of a dataset whose terms allow it; of the user's own files, or
        of images that come with real brain data, nobody has said so.
    """
    section = study.pictured(label)
    if section.of_brain:
        return study.brain.generated
    source = source_of(section)
    return section.drawn if source is None else not is_path(source) and _terms_allow(source)


def _terms_allow(dataset: str) -> bool:
    return load_registry()[dataset].pictures


def require_stimulus_list(study: Study) -> None:
    """Refuse a list of stimuli that is not there, which Snakemake would pass over in silence.

    Args:
        study: the study.

    Raises:
        ConfigurationError: there is no such file.
    """
    for path in study.brain.stimulus_list:
        if not Path(path).is_file():
            raise ConfigurationError(
                f"brain.{study.brain.list_key}: '{path}': there is no such file; it must be a text"
                " file with one name a line."
            )


def refuse_placeholders(study: Study) -> None:
    """Refuse paths that Snakemake takes for patterns of paths.

    Args:
        study: the study.

    Raises:
        ConfigurationError: names the key, the path and what is wrong in it.
    """
    for key, path in _input_paths(study):
        if found := _PLACEHOLDER.search(path):
            raise ConfigurationError(
                f"{key}: the path '{path}' has '{found[0]}' in it, which Snakemake takes for a"
                " placeholder; rename the file or folder."
            )


def _input_paths(study: Study) -> Iterator[tuple[str, str]]:
    for key, section in study.sourced().items():
        if is_path(section.source):
            yield f"{key}.source", section.source
            # the files of a training set are no inputs of their own
            below = [] if key == "training_set" else Path(section.source).expanduser().rglob("*")
            yield from ((f"{key}.source", str(path)) for path in below)
    yield from ((f"brain.{study.brain.list_key}", path) for path in study.brain.stimulus_list)
    if study.things:
        yield from (("things.root", path) for path in [study.things.root] if path)
        yield from (("things.images", path) for path in [study.things.images] if path)
