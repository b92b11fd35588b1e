"""The learning rules: one file with one class each, and one line in this registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.lazy import registered

if TYPE_CHECKING:
    from rulealign.learning.rule import LearningRule

REGISTRY: dict[str, str] = {
    "untrained": "rulealign.learning.rules.untrained:Untrained",
    "untrained_bn": "rulealign.learning.rules.untrained_bn:UntrainedBatchNorm",
    "given": "rulealign.learning.rules.given:Given",
    "given_activations": "rulealign.learning.rules.given_activations:GivenActivations",
    "given_rdms": "rulealign.learning.rules.given_rdms:GivenRdms",
    "bp": "rulealign.learning.rules.bp:Backpropagation",
    "readout": "rulealign.learning.rules.readout:ReadoutOnly",
    "fa": "rulealign.learning.rules.fa:FeedbackAlignment",
    "dfa": "rulealign.learning.rules.dfa:DirectFeedbackAlignment",
    "kolen_pollack": "rulealign.learning.rules.kolen_pollack:KolenPollack",
    "weight_mirror": "rulealign.learning.rules.weight_mirror:WeightMirror",
    "sign_symmetry": "rulealign.learning.rules.sign_symmetry:SignSymmetry",
    "local_supervised": "rulealign.learning.rules.local_supervised:LocalSupervised",
    "forward_forward": "rulealign.learning.rules.forward_forward:ForwardForward",
    "vicreg": "rulealign.learning.rules.vicreg:Vicreg",
    "vicreg_local": "rulealign.learning.rules.vicreg_local:VicregLocal",
    "target_propagation": "rulealign.learning.rules.target_propagation:TargetPropagation",
    "burst": "rulealign.learning.rules.burst:Burst",
    "pc": "rulealign.learning.rules.pc:PredictiveCoding",
    "pc_error": "rulealign.learning.rules.pc_error:ErrorPredictiveCoding",
    "pc_supervised": "rulealign.learning.rules.pc_supervised:SupervisedPredictiveCoding",
    "stdp": "rulealign.learning.rules.stdp:Stdp",
    "oja": "rulealign.learning.rules.oja:Oja",
    "softhebb": "rulealign.learning.rules.softhebb:SoftHebb",
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
