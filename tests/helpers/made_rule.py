"""A learning rule on a very small network, as training makes it."""

import torch
from torch import nn

from rulealign.learning.rule import Course
from rulealign.learning.rules import rule_class
from rulealign.learning.weights import initial_network


def made_rule(settings, network, seed=3, label=None, dtype=torch.float32):
    """Give a rule of a study with seed 7, 10 classes and 6 epochs.

    Args:
        settings: of the rule, as keys and values with its kind; or such a section, checked.
        network: settings of the network, or one that is made.
        seed: of weights and of the rule's own draws.
        label: of the rule in the study, which its own draws rest on; its kind by default.
        dtype: of the network.
    """
    kind = rule_class(settings["kind"] if isinstance(settings, dict) else settings.kind)
    told = kind.Settings.model_validate(settings) if isinstance(settings, dict) else settings
    if not isinstance(network, nn.Module):
        network = initial_network(network, 7, seed, told.init, classes=10)
    return kind(network.to(dtype), told, Course(7, label or told.kind, seed, 6, "cpu"))
