"""The kinds of stimulus sets: one file with one class each, and one line in this registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.lazy import registered

if TYPE_CHECKING:
    from rulealign.data.stimulus_set import StimulusSet

REGISTRY: dict[str, str] = {
    "folder": "rulealign.data.stimulus_sets.folder:FolderStimuli",
    "mat": "rulealign.data.stimulus_sets.mat:MatStimuli",
    "brain": "rulealign.data.stimulus_sets.brain:BrainStimuli",
    "cutout": "rulealign.data.stimulus_sets.cutout:CutoutStimuli",
    "brain-others": "rulealign.data.stimulus_sets.brain_others:OtherBrainImages",
    "synthetic-objects": "rulealign.data.stimulus_sets.synthetic_objects:GeneratedImages",
}


def stimulus_set_class(kind: str) -> type[StimulusSet]:
    """Find the class of a kind of stimulus sets.

    Args:
        kind: a key of `REGISTRY`.

    Returns:
        The class; importing it loads nothing that reads images.

    Raises:
        ConfigurationError: there is no such kind; lists those there are.
    """
    return registered(REGISTRY, kind, "stimulus set")


def kinds_used_as(section: str) -> list[str]:
    """List the kinds that may stand in a section of a study: `stimuli` or `calibration`."""
    return [kind for kind in REGISTRY if section in stimulus_set_class(kind).used_as]
