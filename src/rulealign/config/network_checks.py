"""Checks that the networks of a study have what the rest of it asks of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from rulealign.config.claim_checks import check_read
from rulealign.errors import ConfigurationError
from rulealign.learning.network import Network, named_as
from rulealign.mistakes import Checks, Mistake, require

if TYPE_CHECKING:
    from rulealign.config.study import Study


def check_networks(study: Study) -> Checks:
    """Check networks against each other, and layers, descriptors and sizes against each network.

    Args:
        study: the study, whose networks can be read.

    Returns:
        The mistakes that each check finds.
    """
    yield _check_twins(study)
    yield _check_trained(study)
    yield _check_levels(study)
    yield _check_layers(study)
    yield _check_each(study)
    yield _check_layer_map(study)


def _check_each(study: Study) -> Checks:
    for network in study.networks:
        yield _check_descriptors(study, network)
        yield _check_sizes_of_network(study, network)


def unreadable_networks(study: Study) -> Iterator[Mistake]:
    """Find networks of the user's own that cannot be run, so that nobody knows their layers."""
    # of networks of others, whose layers are known only when they have been run
    for label, network in getattr(study, "networks", {}).items():
        try:
            with named_as(label):
                _run(network, [study.training_set.image_size, *study.evaluation.sizes])
        except ConfigurationError as error:
            place, _, text = str(error).partition(": ")
            yield Mistake(place, text)
        except AttributeError:  # a mistake of its own
            continue


def _run(network: Network, sizes: list[int]) -> None:
    network.show_at(sizes)
    layers, smallest = network.layers(), network.smallest_image_side
    for size in sizes:
        for layer in layers if size >= smallest else ():
            layer.side(size)


def _check_twins(study: Study) -> Iterator[Mistake]:
    seen: list[tuple[str, Any]] = []
    built = {label: one for label, one in study.networks.items() if one.has_weights}
    for label, network in built.items():
        for other in [other for other, known in seen if known == network]:
            yield Mistake(f"networks.{label}", f"is the same network as '{other}'; remove one")
        seen.append((label, network))


def _check_trained(study: Study) -> Iterator[Mistake]:
    for label in study.networks:
        if not study.rules_of(label):
            yield Mistake(f"networks.{label}", "no rule trains it; remove it, or add it to a rule")


def _check_levels(study: Study) -> Checks:
    every = [name for network in study.networks.values() for name in network.layer_names()]
    for label, level in study.levels.items():
        if label in every:
            why = "is the name of a layer, too; choose another label"
            yield iter([Mistake(f"levels.{label}", why)])
        if not isinstance(level, Mapping):
            continue
        for network in level:
            yield require(f"levels.{label}", network, study.networks, "networks lists")
        for network in study.networks:
            if network in level:
                read, where = study.layers(network), f"of '{network}', evaluation.layers lists"
                yield require(f"levels.{label}.{network}", level[network], read, where)
            else:
                why = f"lacks the network '{network}'; name its layer, or give a depth from 0 to 1"
                yield iter([Mistake(f"levels.{label}", why)])


def _check_layers(study: Study) -> Checks:
    read = study.evaluation.layers
    for network in () if isinstance(read, list) else read:
        yield require("evaluation.layers", network, study.networks, "networks lists")
    for label, network in study.networks.items():
        if not isinstance(read, list) and label not in read:
            why = f"lacks the network '{label}'; list its layers, or give one list for all networks"
            yield iter([Mistake("evaluation.layers", why)])
            continue
        names, where = network.layer_names(), f"the network '{label}' has the layers"
        key = "evaluation.layers" if isinstance(read, list) else f"evaluation.layers.{label}"
        yield (require(key, layer, names, where) for layer in study.layers(label))


def _check_descriptors(study: Study, network: str) -> Iterator[Mistake]:
    # a grid may be finer than a small map, which then stays as it is; but not than all maps
    size, names = max(study.evaluation.sizes), study.layers(network)
    read = [layer for layer in study.networks[network].layers() if layer.name in names]
    maps = [side for layer in read if (side := layer.side(size)) is not None]
    for descriptor in study.evaluation.descriptors if maps else ():
        if descriptor.startswith("grid-") and int(descriptor[5:]) > max(maps):
            yield Mistake(
                "evaluation.descriptors",
                f"'{descriptor}' is finer than every map of '{network}' that is read, and averages"
                f" nothing; the largest, at {size} px, has {max(maps)} positions per side. Use"
                f" grid-{max(maps)} or less",
            )


def _check_layer_map(study: Study) -> Checks:
    for place, pair in enumerate(study.layer_map):
        yield require(f"layer_map.{place}.roi", pair.roi, study.brain.rois, "brain.rois lists")
        yield check_read(f"layer_map.{place}.layer", pair.layer, study)
    yield _check_mapped_once(study)


def _check_mapped_once(study: Study) -> Iterator[Mistake]:
    for network in study.networks:
        seen: dict[tuple[str, str], str] = {}
        for place, pair in enumerate(study.layer_map):
            found = study.layer_at(network, pair.layer), pair.roi
            if found in seen:
                yield Mistake(
                    f"layer_map.{place}",
                    f"'{pair.layer}' and '{seen[found]}' are the same layer of '{network}'"
                    f" ({found[0]}), and both are held against '{pair.roi}'; remove one",
                )
            seen[found] = pair.layer


def _check_sizes_of_network(study: Study, network: str) -> Iterator[Mistake]:
    smallest = study.networks[network].smallest_image_side
    for key in ("training_set.image_size", "evaluation.sizes"):
        sizes = attrgetter(key)(study)
        for size in sizes if isinstance(sizes, list) else [sizes]:
            if size < smallest:
                why = f"{size} px leave a map of '{network}' empty; it needs {smallest}"
                yield Mistake(key, f"{why} or more")
