"""The typed, closed configuration of a study."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from rulealign.config.brain import Brain, ThingsFiles
from rulealign.config.checks import study_checks
from rulealign.config.claims import Claim, Universes
from rulealign.config.derived import completed
from rulealign.config.evaluation import Controls, Evaluation, LayerRoi, Statistics, View
from rulealign.config.file import read_study_file
from rulealign.config.kinds import Network, Rule, TrainingSet
from rulealign.config.stimuli import CalibrationSet, Stimuli
from rulealign.config.training import Training
from rulealign.controls import REGISTRY as CONTROLS
from rulealign.data.stimulus_set import StimulusSet
from rulealign.errors import ConfigurationError
from rulealign.learning.rule import TRAINING
from rulealign.learning.rules import rule_class
from rulealign.mistakes import Checks, Mistakes
from rulealign.schema import HELD_OUT, Closed, FilePlace, Label, Reason, Seed, each
from rulealign.wrong_values import shown

LONGEST_NAME = 100
"""Characters of a study's name, which names a folder."""


def _study_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ValueError(
            f"{shown(name)} cannot be the name of a folder of results; use letters, digits, - and _"
        )
    if len(name) > LONGEST_NAME:
        raise ValueError(f"{shown(name)} has {len(name)} characters; use {LONGEST_NAME} at most")
    return name


class Study(Closed):
    """A study; what it does not state has its default, or follows from the rest of it."""

    study: Annotated[str, AfterValidator(_study_name)] = Field(
        description="name; results go to results/<study>/"
    )
    title: str = Field(description="the study in one line, for the report")
    question: str = Field(default="", description="what the study asks, for the report")
    seed: Seed = Field(default=2026, description="all randomness derives from it")
    device: Literal["cpu", "cuda"] = Field(
        default="cpu", description="where networks run; never replaced"
    )
    data_mirrors: list[FilePlace] = Field(
        default=[],
        description="folders or URLs asked for downloads before the public ones;"
        " RULEALIGN_DATA_MIRRORS (separated by the system's path separator) is asked before these",
    )
    network: Network = Field(description="the network that every rule trains")
    training_set: TrainingSet = Field(description="the images that networks learn from")
    training: Training
    rules: Annotated[each(dict[Label, Rule]), Field(min_length=1)] = Field(
        description="label -> settings of one learning rule; `kind` names the rule"
    )
    stimuli: Annotated[each(dict[Label, Stimuli]), Field(min_length=1)] = Field(
        description="label -> one stimulus set; all sets have the same ids"
    )
    calibration: each(dict[Label, CalibrationSet]) = Field(
        default={},
        description="label -> images, none of which is compared, for rules that calibrate BatchNorm"
        " on them; {} where no rule does",
    )
    brain: Brain
    copies: each(dict[str, Reason]) = Field(
        default={},
        description="what appears twice on purpose -> why, in words. Copies are found by what they"
        " hold: an RDM (sub-02_roi-V1), a stimulus set (stim-white), an image of a set (its id), or"
        " held-out images among the training images of a folder (held-out). Without a reason, or"
        " with one for what is no copy, the study stops",
    )
    things: ThingsFiles | None = Field(
        default=None,
        description="where THINGS-fMRI is taken from: a section, with brain.kind 'things' only",
    )
    evaluation: Evaluation
    controls: Controls = Field(
        default=list(CONTROLS),
        description="features of the images alone, scored and drawn beside layers: pixels,"
        " silhouette, mean-luminance, contrast, mean-rgb, colour-histogram, gabor-pooled,"
        " gabor-grid; [] for none. One that stimuli do not have (a silhouette needs a uniform"
        " background) is missing for them, with the reason",
    )
    layer_map: Annotated[each(list[LayerRoi]), Field(min_length=1)] = Field(
        description="the comparisons named in advance: which layer is held against which ROI"
    )
    statistics: Statistics = Statistics()
    universes: Universes
    claims: each(dict[Label, Claim]) = Field(
        default={}, description="label -> what is claimed before the run; {} for none"
    )
    report: View

    def checks(self) -> Checks:
        """Check that the sections of the study fit each other."""
        return study_checks(self)

    def trains(self, rule: str) -> bool:
        """Say whether a rule of the study changes weights at all."""
        return rule_class(self.rules[rule].kind).trains

    def epochs(self, rule: str) -> list[int]:
        """List the checkpoints of one rule, increasing: epoch 0 alone where nothing is trained."""
        return self.training.checkpoints if self.trains(rule) else [0]

    @property
    def compared_pairs(self) -> list[str]:
        """List every kind of pairs of stimuli that is compared, in alphabetical order."""
        claimed = self.universes.pairs if self.claims else []
        return sorted({self.brain.pairs, *claimed})

    @property
    def copied_stimuli_and_rdms(self) -> dict[str, str]:
        """Give the reasons why stimuli or brain RDMs appear twice: all but held-out images'."""
        return {name: reason for name, reason in self.copies.items() if name != HELD_OUT}

    def image_set(self, label: str) -> StimulusSet:
        """Give the section of a stimulus set or calibration set; their labels differ."""
        return self.stimuli[label] if label in self.stimuli else self.calibration[label]

    def pictured(self, label: str) -> StimulusSet:
        """Give the section that says where a set's pictures are from, described as it is shown.

        Of a cut-out, that is the section of its origin.
        """
        own = self.image_set(label)
        if own.cut_from is None:
            return own
        described = {"background": own.background, "as_shown": own.as_shown}
        return self.stimuli[own.cut_from].model_copy(update=described)

    def seeds(self, rule: str) -> list[int]:
        """List the seeds of one rule: all, or the first ones where it has fewer."""
        return self.training.seeds[: self.training.fewer_seeds.get(rule)]

    def complete(self) -> dict[str, Any]:
        """Give every setting, in its order, but mirrors and memory, which no result depends on."""
        left_out = {"data_mirrors": True, "statistics": {"memory_mb": True}}
        return self.model_dump(mode="json", exclude=left_out)

    def computed(self) -> dict[str, Any]:
        """Give all settings that say what is computed; where files are is left out, too."""
        return {key: value for key, value in self.complete().items() if key != "things"}

    def views(self) -> list[View]:
        """Combine every stimulus set, size, descriptor and centring; the report's first."""
        measured = self.evaluation
        axes = (self.stimuli, measured.sizes, measured.descriptors, measured.centring)
        names = ("stimuli", "size", "descriptor", "centring")
        every = [View(**dict(zip(names, one, strict=True))) for one in product(*axes)]
        return sorted(every, key=lambda view: view != self.report)

    def sourced(self) -> dict[str, Any]:
        """Find the sections that name a source: key, such as `stimuli.shown` -> the section."""
        sections = {"training_set": self.training_set}
        sections |= {f"stimuli.{label}": section for label, section in self.stimuli.items()}
        sections |= {f"calibration.{label}": section for label, section in self.calibration.items()}
        sections |= {f"brain.rois.{roi}": section for roi, section in self.brain.rois.items()}
        return {key: section for key, section in sections.items() if source_of(section)}

    def trajectory_rules(self) -> list[str]:
        """List the rules that have a course to measure: two checkpoints or more."""
        return [rule for rule in self.rules if len(self.epochs(rule)) > 1]

    def baselines(self) -> dict[str, str]:
        """Give each rule with a course, and a baseline to hold it against, that baseline."""
        named = {rule: self.rules[rule].baseline for rule in self.trajectory_rules()}
        return {rule: baseline for rule, baseline in named.items() if baseline}

    def compared_rules(self) -> list[str]:
        """List the rules that have a baseline, and the baselines, each once."""
        named = self.baselines()
        return list(dict.fromkeys([*named, *named.values()]))

    def mapped_rois(self) -> list[str]:
        """List the ROIs of the layer map, each once, in its order."""
        return list(dict.fromkeys(pair.roi for pair in self.layer_map))

    def mapped_layers(self, roi: str) -> list[str]:
        """List the layers that the layer map names for an ROI, sorted."""
        return sorted({pair.layer for pair in self.layer_map if pair.roi == roi})

    def claimed_rules(self) -> list[str]:
        """List the rules that claims or universes name, in the study's order."""
        terms = [term for claim in self.claims.values() for term in (*claim.plus, *claim.minus)]
        named = {term.rule for term in terms}.union(self.universes.baseline)
        for replaced in self.universes.initialisation.values():
            named |= {*replaced, *replaced.values()}
        return [rule for rule in self.rules if rule in named]

    def calibration_set(self, rule: str) -> tuple[str, int] | None:
        """Give label and size of the calibration set that a rule is prepared with, if any."""
        wanted = self.rules[rule].calibration
        return None if wanted.images == TRAINING else (wanted.images, wanted.size)


def source_of(section: Closed) -> str | None:
    """Give what a section is read from, a dataset or a path; None of what is not from outside."""
    return getattr(section, "source", None)


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
