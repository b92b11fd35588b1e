"""The typed, closed configuration of a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import Field

from rulealign.arm import Arm, Mapped
from rulealign.config.brain import Brain, ThingsFiles
from rulealign.config.checks import study_checks
from rulealign.config.claims import Claim
from rulealign.config.encoding import Encoding
from rulealign.config.evaluation import Controls, Evaluation, LayerRoi, Level, Statistics, View
from rulealign.config.kinds import Network, Rule, TrainingSet
from rulealign.config.report import Report
from rulealign.config.stimuli import CalibrationSet, Stimuli
from rulealign.config.training import Training
from rulealign.config.universes import Universes
from rulealign.controls import REGISTRY as CONTROLS
from rulealign.data.stimulus_set import StimulusSet
from rulealign.learning.rule import LearningRule
from rulealign.learning.rule_settings import TRAINING
from rulealign.learning.rules import rule_class
from rulealign.mistakes import Checks
from rulealign.schema import (
    HELD_OUT,
    Closed,
    FilePlace,
    Label,
    Reason,
    Seed,
    StudyName,
    each,
    source_of,
)


class Study(Closed):
    """A study; what it does not state has its default, or follows from the rest of it."""

    study: StudyName = Field(description="name; results go to results/<study>/")
    title: str = Field(description="the study in one line, for the report")
    question: str = Field(default="", description="what the study asks, for the report")
    seed: Seed = Field(default=2026, description="all randomness derives from it")
    device: Literal["cpu", "cuda"] = Field(
        default="cpu", description="where networks run and voxels are fitted; never replaced"
    )
    data_mirrors: list[FilePlace] = Field(
        default=[],
        description="folders or URLs asked for downloads before the public ones;"
        " RULEALIGN_DATA_MIRRORS (separated by the system's path separator) is asked before these",
    )
    networks: Annotated[each(dict[Label, Network]), Field(min_length=1)] = Field(
        description="label -> settings of one network, which every rule trains; `kind` names it"
    )
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
        description="features of the images alone, scored and drawn beside layers:"
        f" {', '.join(CONTROLS)}; [] for none. One that stimuli do not have (a silhouette needs a"
        " uniform background) is missing for them, with the reason",
    )
    levels: each(dict[Label, Level]) = Field(
        default={},
        description="label -> a place in networks of different depth: network -> its layer, or a"
        " relative depth from 0 to 1, for the nearest layer that is read. It is written"
        " in the place of a layer in layer_map and in claims",
    )
    layer_map: Annotated[each(list[LayerRoi]), Field(min_length=1)] = Field(
        description="the comparisons named in advance: which layer is held against which ROI"
    )
    statistics: Statistics = Statistics()
    universes: Universes
    encoding: Encoding | None = Field(
        default=None,
        description="how well layers predict responses, and how alike both are (docs/encoding.md);"
        " null: not computed, {}: with its defaults",
    )
    claims: each(dict[Label, Claim]) = Field(
        default={}, description="label -> what is claimed before the run; {} for none"
    )
    report: Report

    def checks(self) -> Checks:
        """Check that the sections of the study fit each other."""
        return study_checks(self)

    @property
    def arms(self) -> list[Arm]:
        """List every network with every rule that trains it, in the study's order."""
        return [
            Arm(network, rule)
            for network in self.networks
            for rule, settings in self.rules.items()
            if network in (getattr(settings, "networks", None) or self.networks)
        ]

    def rules_of(self, network: str) -> list[str]:
        """List the rules that train one network, in the study's order."""
        return [arm.rule for arm in self.arms if arm.network == network]

    def trained(self, rule: str) -> list[str]:
        """List the networks that one rule trains, in the study's order."""
        return [arm.network for arm in self.arms if arm.rule == rule]

    def layers(self, network: str) -> list[str]:
        """List the layers of one network that are read."""
        read = self.evaluation.layers
        return read if isinstance(read, list) else read.get(network, [])

    def depths(self) -> dict[str, dict[str, float]]:
        """Give network -> layer -> share of its layers with weights up to there, 0-1."""
        return {
            label: {layer.name: layer.depth for layer in network.layers()}
            for label, network in self.networks.items()
        }

    def layer_at(self, network: str, name: str) -> str:
        """Give the layer of a network that a level stands for; a layer's name stands for itself."""
        level = self.levels.get(name)
        if isinstance(level, float):
            return self.networks[network].nearest(level, self.layers(network)) or name
        return level.get(network, name) if isinstance(level, Mapping) else name

    def taught_by(self, rule: str) -> type[LearningRule]:
        """Give the class of a rule of the study."""
        return rule_class(self.rules[rule].kind)

    def trains(self, rule: str) -> bool:
        """Say whether a rule of the study changes weights at all."""
        return self.taught_by(rule).trains and not self.rules[rule].has_one_state

    def sends_errors(self, rule: str) -> bool:
        """Say whether a rule of the study has teaching signals."""
        return self.taught_by(rule).sends_errors

    def teaching_sizes(self, rule: str) -> list[int]:
        """List the sizes at which a rule has teaching signals, if they are asked for."""
        asked = self.encoding and "teaching" in self.encoding.features
        if not asked or not self.sends_errors(rule):
            return []
        one = rule_class(self.rules[rule].kind).errors_of_one_size
        return [self.training_set.image_size] if one else self.evaluation.sizes

    def sizes_of(self, rule: str, features: str) -> list[int]:
        """List the sizes at which a rule's networks have a gradient, or teaching signals."""
        if features == "teaching":
            return self.teaching_sizes(rule)
        return self.evaluation.sizes if self.taught_by(rule).has_states else []

    def teaches_gradient(self, rule: str) -> bool:
        """Say whether a rule's teaching signals are the gradient of the first loss, both asked."""
        asked = self.encoding if {"gradient", "teaching"} <= {*self.universes.features} else None
        if asked is None or asked.losses[0] != "own-decision":
            return False
        taught = self.taught_by(rule)
        exact = taught.own_errors is LearningRule.own_errors and not hasattr(taught, "send_back")
        return taught.sends_errors and exact

    def signals(self, rule: str) -> bool:
        """Say whether gradients or teaching signals of a rule's networks are asked for."""
        asked = self.encoding.features if self.encoding else []
        return "gradient" in asked or ("teaching" in asked and self.sends_errors(rule))

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
        """Give the section of a set's pictures, of a cut-out its origin's, as it is shown."""
        own = self.image_set(label)
        if own.cut_from is None:
            return own
        return self.stimuli[own.cut_from].model_copy(
            update={"background": own.background, "as_shown": own.as_shown}
        )

    def seeds(self, rule: str) -> list[int]:
        """List the seeds of one rule: all, or the first ones where it has fewer."""
        return self.training.seeds[: self.training.fewer_seeds.get(rule)]

    def seeds_of_arms(self, rules: Iterable[str] | None = None) -> dict[str, dict[str, list[int]]]:
        """Give network -> rule -> its seeds, of all rules or of some."""
        kept = set(self.rules if rules is None else rules)
        return {
            network: {rule: self.seeds(rule) for rule in self.rules_of(network) if rule in kept}
            for network in self.networks
        }

    def complete(self) -> dict[str, Any]:
        """Give every setting, in its order, but mirrors and memory, which no result depends on."""
        left_out = {"data_mirrors": True, "statistics": {"memory_mb": True}}
        left_out["universes"] = self.universes.unasked()
        if self.encoding is None or self.encoding.labels is None:
            left_out["encoding"] = {"labels"} if self.encoding else True
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
        return sorted(every, key=lambda view: view != self.report.view)

    def sourced(self) -> dict[str, Any]:
        """Find the sections that name a source: key, such as `stimuli.shown` -> the section."""
        sections = {"training_set": self.training_set}
        sections |= {f"stimuli.{label}": section for label, section in self.stimuli.items()}
        sections |= {f"calibration.{label}": section for label, section in self.calibration.items()}
        for roi, section in self.brain.rois.items():
            files = self.brain.sources(roi)
            named = [section.model_copy(update={"source": file}) for file in files]
            keys = [f"brain.rois.{roi}"] + [f"brain.rois.{roi} ({file})" for file in files[1:]]
            sections |= dict(zip(keys, named, strict=False))
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

    def mapped(self) -> list[Mapped]:
        """List the layer map of every network: network by network, each in the map's order."""
        return [
            Mapped(one, self.layer_at(one, pair.layer), pair.roi)
            for one in self.networks
            for pair in self.layer_map
        ]

    def mapped_layers(self, network: str, roi: str) -> list[str]:
        """List the layers of a network that the layer map names for an ROI, sorted."""
        own = [one for one in self.mapped() if (one.network, one.roi) == (network, roi)]
        return sorted({one.layer for one in own})

    def calibration_set(self, rule: str) -> tuple[str, int] | None:
        """Give label and size of the calibration set that a rule is prepared with, if any."""
        wanted = self.rules[rule].calibration
        return None if wanted.images == TRAINING else (wanted.images, wanted.size)
