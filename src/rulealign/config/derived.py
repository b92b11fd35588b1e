"""What a study need not state, because it follows from the rest of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from rulealign.config.evaluation import Evaluation
from rulealign.config.universes import NO_CONTROL, OWN
from rulealign.errors import ConfigurationError
from rulealign.learning.networks import REGISTRY as NETWORKS
from rulealign.learning.networks import network_class
from rulealign.learning.rules import REGISTRY, rule_class
from rulealign.wrong_values import nearest

MATCHED_CONTROL = "untrained_bn"
"""Label of the rule that trained rules are compared with where they name no other one."""

FOLLOWS = {
    "rules.kind": "the label",
    "rules.baseline": f"`{MATCHED_CONTROL}`, of the same `init`; of rules whose control is"
    " `readout` (docs/rules.md) that one, where there is one; stated where there is none",
    "networks": f"one `{next(iter(NETWORKS))}`",
    "networks.kind": "the label",
    "evaluation.layers": "all of each network",
    "universes.crossed": "[]",
    "universes.network": "all of `networks`",
    "universes.stimuli": "all of `stimuli`",
    "universes.size": "evaluation.sizes",
    "universes.descriptor": "evaluation.descriptors",
    "universes.centring": "evaluation.centring",
    "universes.pairs": "[brain.pairs]",
    "universes.convention": "[per_subject]",
    "universes.comparison": "[spearman]",
    "universes.control": f"[{NO_CONTROL}]",
    "universes.baseline": f"[{OWN}]",
    "universes.initialisation": "{default: {}}",
    "report.stimuli": "the first of universes.stimuli",
    "report.size": "the first of universes.size",
    "report.descriptor": "the first of universes.descriptor",
    "report.centring": "the first of universes.centring",
}
"""Key -> what it is where a study does not state it, in words."""

Found = Iterator[tuple[tuple[str, ...], Any]]


def completed(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Add what follows from the rest of a study where the study does not state it.

    Args:
        values: a study as it is written, not yet checked.

    Returns:
        The study with what follows, and the keys that the study does not state, such as
        `universes.size`. A key whose value cannot be told from the rest is listed and not added.
    """
    full, derived = dict(values), []
    for follows in _RULES:
        for place, value in follows(full):
            if not _stated(full, place):
                derived.append(".".join(place))
                if value is not None:
                    full = _with_value(full, place, value)
    return full, derived


def _kinds(values: Mapping[str, Any]) -> Found:
    for section, registry in (("networks", NETWORKS), ("rules", REGISTRY)):
        for label, settings in _section(values, section).items():
            if isinstance(settings, Mapping) and label in registry:
                yield (section, label, "kind"), label


def _baselines(values: Mapping[str, Any]) -> Found:
    rules = _section(values, "rules")
    known = {label: rules[label] for label in rules if _kind(rules, label) in REGISTRY}
    networks = list(_section(values, "networks"))
    for label, settings in known.items():
        kind = rule_class(settings["kind"])
        for control in (kind.control, MATCHED_CONTROL) if kind.trains and kind.made_here else ():
            if _stands_for(control, settings, known, networks):
                yield ("rules", label, "baseline"), control
                break


def _stands_for(
    control: str, rule: Mapping[str, Any], known: Mapping[str, Any], networks: list[str]
) -> bool:
    there = known.get(control)
    if not there or _init(there) != _init(rule):
        return False
    if control == MATCHED_CONTROL:  # a network that it does not train is a mistake, and named
        return True
    stated = (one.get("networks") for one in (rule, there))
    own, others = (one if isinstance(one, list) else networks for one in stated)
    return there["kind"] == control and all(one in others for one in own)


def _network(values: Mapping[str, Any]) -> Found:
    if "network" not in values:  # the key of before, whose mistake names the new one
        yield ("networks",), {next(iter(NETWORKS)): {}}


def _layers(values: Mapping[str, Any]) -> Found:
    if "evaluation" in values:  # a section that must be stated
        networks, sizes = _section(values, "networks"), _stated_sizes(values)
        read = {label: _names_of_layers(one, sizes) for label, one in networks.items()}
        yield ("evaluation", "layers"), None if None in read.values() else read


def _stated_sizes(values: Mapping[str, Any]) -> list[int]:
    stated = _section(values, "evaluation").get("sizes")
    return [one for one in stated if isinstance(one, int)] if isinstance(stated, list) else []


def _names_of_layers(network: Any, sizes: list[int]) -> list[str] | None:
    try:
        made = network_class(network["kind"]).model_validate(dict(network))
        made.show_at(sizes)
        return made.layer_names()
    except (ConfigurationError, KeyError, TypeError, ValidationError):
        return None  # a mistake of its own


def _grid(values: Mapping[str, Any]) -> Found:
    evaluation, fields = _section(values, "evaluation"), Evaluation.model_fields
    for axis, key in (("descriptor", "descriptors"), ("centring", "centring")):
        yield ("universes", axis), evaluation.get(key, fields[key].default)
    yield ("universes", "size"), evaluation.get("sizes")
    yield ("universes", "network"), list(_section(values, "networks")) or None
    yield ("universes", "stimuli"), list(_section(values, "stimuli")) or None
    yield ("universes", "pairs"), [_section(values, "brain").get("pairs", "all")]
    yield ("universes", "crossed"), []
    yield ("universes", "convention"), ["per_subject"]
    yield ("universes", "comparison"), ["spearman"]
    yield ("universes", "control"), [NO_CONTROL]
    yield ("universes", "baseline"), [OWN]
    yield ("universes", "initialisation"), {"default": {}}


def _first_view(values: Mapping[str, Any]) -> Found:
    for axis in ("stimuli", "size", "descriptor", "centring"):
        listed = _section(values, "universes").get(axis)
        yield ("report", axis), listed[0] if isinstance(listed, list) and listed else None


_DERIVED = frozenset(part for key in FOLLOWS for part in key.split("."))

_RULES: tuple[Callable[[Mapping[str, Any]], Found], ...] = (
    _network,
    _kinds,
    _baselines,
    _layers,
    _grid,
    _first_view,
)


def _kind(values: Mapping[str, Any], name: str) -> str:
    kind = _section(values, name).get("kind")
    return kind if isinstance(kind, str) else ""


def _init(stated: Mapping[str, Any]) -> Any:
    fields = rule_class(stated["kind"]).Settings.model_fields
    return stated.get("init", fields["init"].default)


def _section(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = values.get(name)
    return section if isinstance(section, Mapping) else {}


def _stated(values: Mapping[str, Any], place: tuple[str, ...]) -> bool:
    section: Any = values
    for part in place:
        if not isinstance(section, Mapping) or _misspelt(part, section):
            return True  # a mistake of its own
        if part not in section:
            return False
        section = section[part]
    return True


def _misspelt(key: str, stated: Mapping[str, Any]) -> bool:
    others = [str(other) for other in stated if other not in _DERIVED]
    return key not in stated and nearest(key, others) is not None


def _with_value(values: Mapping[str, Any], place: tuple[str, ...], value: Any) -> dict[str, Any]:
    first, *rest = place
    inner = _with_value(values.get(first, {}), tuple(rest), value) if rest else value
    return {**values, first: inner}
