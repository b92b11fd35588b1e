"""Sections of which a study chooses the kind from a registry."""

from __future__ import annotations

from rulealign.choices import of_registry
from rulealign.data.training_sets import REGISTRY as TRAINING_SETS
from rulealign.data.training_sets import training_set_class
from rulealign.learning.networks import REGISTRY as NETWORKS
from rulealign.learning.networks import network_class
from rulealign.learning.rules import REGISTRY as RULES
from rulealign.learning.rules import rule_class

Network = of_registry("networks are one of", NETWORKS, network_class)
TrainingSet = of_registry("a training set is one of", TRAINING_SETS, training_set_class)
Rule = of_registry("learning rules are one of", RULES, lambda kind: rule_class(kind).Settings)
