"""What each key of a study takes data from, checked before anything is planned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rulealign.config.study import Study
from rulealign.data.download.fetch import check_source, is_path
from rulealign.errors import ConfigurationError

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
                f"brain.stimulus_set: '{study.brain.stimulus_set}': there is no such file; it must"
                " be a text file with one image name a line."
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
    yield from (("brain.stimulus_set", path) for path in study.brain.stimulus_list)
    if study.things:
        yield from (("things.root", path) for path in [study.things.root] if path)
        yield from (("things.images", path) for path in [study.things.images] if path)
