"""Which settings each stage of the pipeline uses: no more, so that no other change touches it.

Each function takes the study (and the label, rule or ROI that the job is for) and returns plain
values: nested dicts, lists, strings and numbers, as JSON has them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from rulealign.config.study import Study
from rulealign.errors import ConfigurationError

RESPONSES_USED = frozenset(
    ("stimulus_set", "zscore", "distance", "pairs", "faulty_voxels", "duplicated_trials")
)
"""What of a section of brain responses is used after they have been read."""


def plain(section: BaseModel) -> dict[str, Any]:
    """Turn a typed section into plain values.

    Args:
        section: a section of the configuration.

    Returns:
        Nested dicts, lists, strings and numbers, as JSON has them.
    """
    return section.model_dump(mode="json")


def _without(settings: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in keys}


def study(study: Study) -> dict[str, Any]:
    """Give all settings that say what is computed; where files and memory are is left out."""
    return _without(complete(study), "things")


def complete(study: Study) -> dict[str, Any]:
    """Give every setting, in its order, but mirrors and memory, which no result depends on."""
    settings = _without(plain(study), "data_mirrors")
    return settings | {"statistics": _without(settings["statistics"], "memory_mb")}


def source(section: Any) -> str | None:
    """Give the source of one section, or None where nothing is brought from outside."""
    return getattr(section, "source", None)


def images(study: Study, label: str) -> Any:
    """Give the section that says where a set's pictures are from: of a cut-out, that of its origin.

    Labels of stimulus sets and calibration sets differ.
    """
    section = study.stimuli[label] if label in study.stimuli else study.calibration[label]
    return study.stimuli[section.cutout_of] if section.kind == "cutout" else section


def stimuli(study: Study, label: str) -> dict[str, Any]:
    """Give the settings of one set of images, without the size that it is shown at."""
    settings = plain(images(study, label))
    own = study.stimuli.get(label)
    if own is not None and own.kind == "cutout":
        settings |= {key: getattr(own, key) for key in ("background", "as_shown", "level")}
    if settings["kind"] in ("brain", "brain-others"):
        settings["stimulus_set"] = study.brain.stimulus_set
    if settings["kind"] == "synthetic-objects":
        settings["seed"] = study.seed
    return settings


def simulated_images(study: Study) -> dict[str, Any]:
    """Give the settings of the images of a simulated data set."""
    used = ("concepts", "exemplars", "repeated_images", "image_size")
    return {key: getattr(study.brain, key) for key in used} | {"seed": study.seed}


def simulated_subject(study: Study) -> dict[str, Any]:
    """Give the settings of one simulated subject: all but what is later read from the data."""
    later = RESPONSES_USED | {"subjects", "rois"}
    return _without(plain(study.brain), *later) | {"seed": study.seed}


def stimulus_list(study: Study) -> list[str]:
    """Give the user's own list of stimuli, as a list of no or one path, as Snakemake wants it."""
    chosen = getattr(study.brain, "stimulus_set", "")
    return [os.path.normpath(Path(chosen).expanduser())] if "/" in chosen else []


def require_stimulus_list(study: Study) -> None:
    """Refuse a list of stimuli that is not there, which Snakemake would pass over in silence.

    Raises:
        ConfigurationError: there is no such file.
    """
    for path in stimulus_list(study):
        if not Path(path).is_file():
            raise ConfigurationError(
                f"brain.stimulus_set: '{study.brain.stimulus_set}': there is no such file; it must"
                " be a text file with one image name a line."
            )


def archive(study: Study, roi: str) -> dict[str, Any]:
    """Give the settings of the given RDMs of one ROI."""
    return _without(plain(study.brain), "rois") | plain(study.brain.rois[roi])
