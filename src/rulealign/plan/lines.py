"""Which rules figures draw as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rulealign.config.study import Study

MOST = 8
"""So many lines can be told apart in a panel."""


def lines(study: Study) -> list[str]:
    """List the rules that figures draw as lines: at most eight, each beside its baseline.

    Args:
        study: the study.

    Returns:
        The rules that the study highlights. Where it highlights none: all of them, or, where there
        are more than eight, those that claims name first. In the study's order.
    """
    chosen = study.report.highlight
    if not chosen:
        few = len(study.rules) <= MOST
        chosen = list(study.rules) if few else [*_claimed(study), *study.rules]
    beside = [rule for one in chosen for rule in (one, study.rules[one].baseline) if rule]
    kept = list(dict.fromkeys(beside))[:MOST]
    return [rule for rule in study.rules if rule in kept]


def _claimed(study: Study) -> list[str]:
    terms = [term for claim in study.claims.values() for term in (*claim.plus, *claim.minus)]
    return list(dict.fromkeys(term.rule for term in terms))
