"""The learning rules: one file with one class each, and one line in this registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.lazy import registered

if TYPE_CHECKING:
    from rulealign.learning.rule import LearningRule

REGISTRY: dict[str, str] = {
    "untrained": "rulealign.learning.rules.untrained:Untrained",
    "untrained_bn": "rulealign.learning.rules.untrained_bn:UntrainedBatchNorm",
    "bp": "rulealign.learning.rules.bp:Backpropagation",
    "readout": "rulealign.learning.rules.readout:ReadoutOnly",
    "fa": "rulealign.learning.rules.fa:FeedbackAlignment",
    "dfa": "rulealign.learning.rules.dfa:DirectFeedbackAlignment",
    "sign_symmetry": "rulealign.learning.rules.sign_symmetry:SignSymmetry",
    "pc": "rulealign.learning.rules.pc:PredictiveCoding",
    "pc_supervised": "rulealign.learning.rules.pc_supervised:SupervisedPredictiveCoding",
    "stdp": "rulealign.learning.rules.stdp:Stdp",
    "oja": "rulealign.learning.rules.oja:Oja",
    "pc_2026": "rulealign.learning.rules.pc_2026:PublishedPredictiveCoding",
    "stdp_2026": "rulealign.learning.rules.stdp_2026:PublishedSTDP",
}


def rule_class(kind: str) -> type[LearningRule]:
    """Find the class of a learning rule.

    Args:
        kind: a key of `REGISTRY`.

    Returns:
        The class; importing it does not import torch.

    Raises:
        ConfigurationError: there is no such rule; lists those there are.
    """
    return registered(REGISTRY, kind, "learning rule")
