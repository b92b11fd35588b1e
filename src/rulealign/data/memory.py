"""How much memory the RDMs of a study take, as far as a plan can tell how many stimuli it has."""

from __future__ import annotations

from pathlib import Path

from rulealign.config.study import Study
from rulealign.data.download.fetch import is_path
from rulealign.data.stimulus_set import StimulusSet
from rulealign.schema import source_of

_MEASURED = 720  # stimuli, the concepts of THINGS-fMRI, with which the memory of jobs was measured


def rdms_mb(study: Study, measured: int) -> int:
    """Give the MB that a job needs for RDMs; it grows with their pairs of stimuli.

    Args:
        study: the study.
        measured: MB with the RDMs of 720 stimuli.

    Returns:
        MB, in hundreds, rounded down.
    """
    return measured * _pairs(planned_stimuli(study)) // _pairs(_MEASURED) // 100 * 100


def _pairs(stimuli: int) -> int:
    return stimuli * (stimuli - 1) // 2


def planned_stimuli(study: Study) -> int:
    """Say for how many stimuli jobs ask memory: those of a list, or of the user's own images.

    Args:
        study: the study.

    Returns:
        The number; what the kind of brain data expects where only downloads or arrays tell it.
    """
    if lists := study.brain.stimulus_list:
        lines = (line for path in lists for line in Path(path).read_bytes().splitlines())
        return sum(bool(line.strip()) for line in lines)
    return max(_images(one) or study.brain.planned_stimuli for one in study.stimuli.values())


def _images(section: StimulusSet) -> int:
    source = source_of(section)
    if source is None or not is_path(source):
        return 0
    return sum(path.is_file() for path in Path(source).expanduser().rglob("*"))
