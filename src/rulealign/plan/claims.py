"""Which settings the jobs of claims use: no more, so that no other change touches them.

As in `stages`: typed study in, plain values out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rulealign.config.claims import OWN, SmallestEffect
from rulealign.config.study import Study
from rulealign.errors import ConfigurationError
from rulealign.plan import stages
from rulealign.plan import universes as claim_grid

_ANALYSIS = ("pairs", "convention", "comparison", "control")
"""Axes that are computed from the same RDMs."""


def grid(study: Study) -> dict[str, Any]:
    """Give the section `universes` as plain values; `initialisation` keeps its order as pairs."""
    values = stages.plain(study.universes)
    return values | {"initialisation": [list(one) for one in values["initialisation"].items()]}


def facts(study: Study) -> dict[str, Any]:
    """Give what `plan.universes.universes` needs to know of a study."""
    return {
        "initial": {rule: settings.init for rule, settings in study.rules.items()},
        "trains": {rule: study.trains(rule) for rule in study.rules},
        "seeds": {rule: study.seeds(rule) for rule in study.rules},
        "vectors": study.network.vectors(),
        "generalise_to": study.statistics.generalise_to,
    }


def claim(study: Study, label: str) -> dict[str, Any]:
    """Give one claim as plain values, with complete terms: rule, epoch, layer and area.

    `smallest_effect` and its `smallest_effect_reason` are None where the claim names no size.
    """
    declared = study.claims[label]
    sides = {side: [list(term) for term in declared.terms(side)] for side in ("plus", "minus")}
    size = declared.smallest_effect
    named = isinstance(size, SmallestEffect)
    sized = {
        "smallest_effect": size.value if named else None,
        "smallest_effect_reason": size.reason if named else None,
    }
    return {"label": label, **stages.plain(declared), **sides, **sized}


def _needed(study: Study) -> Iterator[tuple[claim_grid.Score, claim_grid.Universe, bool]]:
    # scores that some universe takes, but of those that cannot be computed; whether of a level
    for label in study.claims:
        for universe in claim_grid.universes(claim(study, label), grid(study), facts(study)):
            for score in universe.weights if not universe.reason else ():
                yield score, universe, not study.claims[label].minus


def needs(study: Study) -> dict[tuple[str, str], dict[str, Any]]:
    """Say what each job of universes must compute.

    Args:
        study: the study.

    Returns:
        (rule, ROI) -> `epochs`, `seeds`, `stimuli`, `sizes`, `descriptors`, `centring`, `layers`,
        `levels` (whether claims are about one) and `analyses`; each in a fixed order, whatever the
        order of the claims.
    """
    found: dict[tuple[str, str], dict[str, set]] = {}
    for score, universe, level in _needed(study):
        choices = universe.choices
        job = found.setdefault((score.rule, score.roi), {name: set() for name in _NAMES})
        for name, axis in (("stimuli", "stimuli"), ("sizes", "size"), ("centring", "centring")):
            job[name].add(choices[axis])
        job["descriptors"].add(choices["descriptor"])
        job["epochs"].add(score.epoch)
        job["seeds"].update(universe.seeds)
        job["layers"].add(score.layer)
        job["levels"].add(level)
        job["analyses"].add(tuple(choices[axis] for axis in _ANALYSIS))
    return {key: _ordered(study, job) for key, job in sorted(found.items())}


_NAMES = (
    "stimuli",
    "sizes",
    "descriptors",
    "centring",
    "epochs",
    "seeds",
    "layers",
    "levels",
    "analyses",
)


def _ordered(study: Study, job: dict[str, set]) -> dict[str, Any]:
    order = {"layers": study.evaluation.layers, "seeds": study.training.seeds}
    values = {
        name: sorted(found, key=order.get(name, sorted(found)).index) for name, found in job.items()
    }
    analyses = [dict(zip(_ANALYSIS, one, strict=True)) for one in values["analyses"]]
    return values | {"analyses": analyses}


def universes(
    study: Study, rule: str, roi: str, need: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Give the settings of the scores of one rule with one ROI, in all universes of all claims.

    Args:
        study: the study.
        rule: a label of its rules.
        roi: one of its areas.
        need: what `needs` says of these; by default it is asked, which takes a second where claims
            and universes are many.

    Returns:
        As `claims.universes.scores.score_universes` takes them. Which epochs, seeds, stimuli and
        sizes is said by the files.
    """
    need = needs(study)[(rule, roi)] if need is None else need
    return {
        "study_seed": study.seed,
        "bootstrap_draws": study.statistics.bootstrap_draws,
        "interval": study.statistics.interval,
        "generalise_to": study.statistics.generalise_to,
        "rule": rule,
        "roi": roi,
        "layers": need["layers"],
        "shuffles": study.statistics.null_draws if any(need["levels"]) else 0,
        "descriptors": need["descriptors"],
        "centring": need["centring"],
        "analyses": need["analyses"],
    }


def require_primaries(study: Study) -> None:
    """Refuse a grid in whose primary universe a claim cannot be computed.

    Args:
        study: the study.

    Raises:
        ConfigurationError: names the claim, the values and the reason.
    """
    values = grid(study)
    primary = {axis: named[:1] for axis, named in values.items()}
    for label in study.claims:
        first = claim_grid.universes(claim(study, label), primary, facts(study))[0]
        if first.reason:
            chosen = ", ".join(f"{axis} {value}" for axis, value in first.choices.items())
            raise ConfigurationError(
                f"claims.{label}: cannot be computed in the primary universe, the first value of"
                f" every axis of `universes` ({chosen}): {first.reason}. Put other values first, or"
                " declare another claim."
            )


def claims(study: Study) -> dict[str, Any]:
    """Give the settings of the evaluation of all claims."""
    return {
        "study_seed": study.seed,
        "bootstrap_draws": study.statistics.bootstrap_draws,
        "interval": study.statistics.interval,
        "generalise_to": study.statistics.generalise_to,
        "universes": grid(study),
        "claims": [claim(study, label) for label in study.claims],
        "facts": _of_used_rules(study),
    }


def mixed_models(study: Study) -> dict[str, Any]:
    """Give the settings of the mixed models of all claims: those of their primary universe."""
    values = claims(study)
    first = {axis: named[:1] for axis, named in values["universes"].items() if axis != "crossed"}
    kept = {key: values[key] for key in ("interval", "claims", "facts")}
    return kept | {"universes": first | {"crossed": []}}


def _of_used_rules(study: Study) -> dict[str, Any]:
    used = {rule for rule, _ in needs(study)} | set(study.universes.baseline) - {OWN}
    for label in study.claims:
        used |= {
            term.rule for side in ("plus", "minus") for term in getattr(study.claims[label], side)
        }
    for replaced in study.universes.initialisation.values():
        used |= {*replaced, *replaced.values()}
    known = facts(study)
    by_rule = ("trains", "seeds", "initial")
    kept = {name: {r: v for r, v in known[name].items() if r in used} for name in by_rule}
    return known | kept
