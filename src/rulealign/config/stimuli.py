"""The sections of stimulus sets and calibration sets: each of a kind of the registry."""

from __future__ import annotations

from rulealign.choices import of_registry
from rulealign.data.stimulus_sets import REGISTRY, kinds_used_as, stimulus_set_class

Stimuli = of_registry("stimuli are one of", kinds_used_as("stimuli"), stimulus_set_class)
CalibrationSet = of_registry(
    "calibration images are one of", kinds_used_as("calibration"), stimulus_set_class
)
ImageSet = of_registry("images are one of", REGISTRY, stimulus_set_class)
