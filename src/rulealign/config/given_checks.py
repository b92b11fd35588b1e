"""Checks of the tables of models that were made elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rulealign.config.given_files import values_of_places
from rulealign.errors import ConfigurationError
from rulealign.mistakes import Checks, Mistake
from rulealign.wrong_values import no_such

if TYPE_CHECKING:
    from rulealign.config.study import Study


def unreadable_tables(study: Study) -> Iterator[Mistake]:
    """Find tables of given models that cannot be read, so that nobody knows which there are."""
    for label in _given(study):
        try:
            study.rules[label].models(label)
        except ConfigurationError as error:
            yield Mistake(f"rules.{label}.table", str(error))


def check_given(study: Study) -> Checks:
    """Check which models the tables have, and that their files are there and differ.

    Args:
        study: the study, whose tables can be read.

    Returns:
        The mistakes that each check finds.
    """
    for label in _given(study):
        yield _check_named(study, label)
        yield _check_twice(study, label)
        yield _check_complete(study, label)
        yield _check_places(study, label)
        yield _check_files(study, label)
    yield _check_shared(study)
    yield _check_some_states(study)
    yield _check_features(study)


def _given(study: Study) -> list[str]:
    rules = getattr(study, "rules", {})
    known = [label for label, rule in rules.items() if hasattr(rule, "kind")]
    return [label for label in known if not study.taught_by(label).made_here]


def _check_named(study: Study, label: str) -> Iterator[Mistake]:
    known = {
        "network": (study.trained(label), "networks of this rule are"),
        "seed": (study.seeds(label), "training.seeds lists for this rule"),
        "epoch": (study.epochs(label), "training.checkpoints lists"),
    }
    for model in study.rules[label].models(label):
        for column, (allowed, where) in known.items():
            if (value := getattr(model, column)) not in allowed:
                yield _at(study, label, model, f"{column}: {no_such(value, allowed, where)}")


def _check_twice(study: Study, label: str) -> Iterator[Mistake]:
    lines: dict[Any, int] = {}
    for model in study.rules[label].models(label):
        if first := lines.get(model.key):
            yield _at(study, label, model, f"is of the same model as line {first}; remove one")
        lines.setdefault(model.key, model.line)


def _check_complete(study: Study, label: str) -> Iterator[Mistake]:
    there = {model.key for model in study.rules[label].models(label)}
    wanted = product(study.trained(label), study.seeds(label), study.epochs(label))
    if missing := [key for key in wanted if key not in there]:
        named = "network '{}', seed {}, epoch {}".format(*missing[0])
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        why = f"{study.rules[label].table} lacks {named}{more} of '{label}'; add the line"
        yield Mistake(f"rules.{label}.table", why)


def _check_files(study: Study, label: str) -> Iterator[Mistake]:
    settings = study.rules[label]
    for model in settings.models(label):
        if not model.file.endswith(settings.endings):
            read = ", ".join(settings.endings)
            yield _at(study, label, model, f"{model.file} is none of the files read here ({read})")
            continue
        values = values_of_places(study, model.network)
        for file in settings.files(model.file, values):
            if not Path(file).is_file():
                yield _at(study, label, model, f"there is no file {file}")
                break


def _check_places(study: Study, label: str) -> Iterator[Mistake]:
    settings = study.rules[label]
    for model in settings.models(label):
        values = values_of_places(study, model.network)
        needed = [
            one for one in settings.places if one != "layer" or settings.one_array(model.file)
        ]
        for place in needed:
            if len(values[place]) > 1 and f"{{{place}}}" not in model.file:
                why = f"must have {{{place}}} in its name, of which there are {values[place]}"
                yield _at(study, label, model, f"{model.file} {why}")


def _check_shared(study: Study) -> Iterator[Mistake]:
    # rules may share the weights that they started from, and one of these may be read as fixed
    starts: dict[str, str] = {}
    own: dict[str, str] = {}
    for label in _given(study):
        fixed = study.rules[label].has_one_state
        for model in study.rules[label].models(label):
            other = own.get(model.file) or (not fixed and starts.get(model.file))
            if (model.epoch or fixed) and other:
                why = f"{model.file} is {other}, too; one of them is wrong"
                yield _at(study, label, model, why)
            seen = own if model.epoch or fixed else starts
            seen.setdefault(
                model.file, f"that of '{label}', seed {model.seed}, epoch {model.epoch}"
            )


def _check_some_states(study: Study) -> Iterator[Mistake]:
    if not any(study.taught_by(label).has_states for label in study.rules):
        yield Mistake(
            "rules",
            "none has networks with weights, whose learning the report shows; add one, such as"
            " `untrained` for a network that is built here, a job of seconds",
        )


def _check_features(study: Study) -> Iterator[Mistake]:
    for label in study.rules if study.encoding else ():
        if not study.taught_by(label).has_activations:
            why = f"needs features, and of the networks of '{label}' only RDMs are known"
            yield Mistake("encoding", f"{why}; leave it out, or give activations")


def _at(study: Study, label: str, model: Any, text: str) -> Mistake:
    return Mistake(f"rules.{label}.table", f"{study.rules[label].table}, line {model.line}: {text}")
