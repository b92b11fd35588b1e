"""What makes figures of the page answer: specifications, packed data, choices, the library."""

from __future__ import annotations

import base64
import functools
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import vl_convert
from markupsafe import Markup

from rulealign.report import claims_figure, drawn, marks
from rulealign.report.figures import specified
from rulealign.report.inline import in_words
from rulealign.report.shown import palette
from rulealign.report.vega import CONFIG, Panel

if TYPE_CHECKING:
    from rulealign.config.study import Study
    from rulealign.plan.settings.report import FigureSettings
    from rulealign.report.shown import ShownRdms

DIGITS = 5
"""Decimals of the numbers that figures in the page draw; texts have fewer."""


class Choice(NamedTuple):
    """A list to choose from, of one param.

    Attributes:
        param: its name in specifications and in the page's address.
        label: in words.
        options: (value as JSON, in words); the first one is shown first.
    """

    param: str
    label: str
    options: list[tuple[str, str]]


class Kept(NamedTuple):
    """What figures that answer can show; without some of it a page is smaller.

    Attributes:
        checkpoints: RDMs and maps of every checkpoint, and not of the last one alone.
        subjects: scores of single subjects.
        settings: other settings than the report's own.
    """

    checkpoints: bool = True
    subjects: bool = True
    settings: bool = True


class Live(NamedTuple):
    """Everything that makes the page answer.

    Attributes:
        choices: lists to choose from, of what is drawn from alignments.
        curves: the same of the specification curve.
        maps: the same of the maps of stimuli.
        epochs: of the checkpoints that RDMs can be shown of.
        packed: specifications and data.
        library: Vega, Vega-Lite and Vega-Embed, which the page loads from nowhere.
    """

    choices: list[Choice]
    curves: list[Choice]
    maps: list[Choice]
    epochs: list[int]
    packed: Markup
    library: Markup


def live(
    study: Study,
    told: FigureSettings,
    tables: Mapping[str, pd.DataFrame],
    shown: ShownRdms,
    kept: Kept,
    findings: Mapping[str, Mapping[str, str]],
) -> Live:
    """Put together what makes the page answer.

    Args:
        study: the study.
        told: rules, pairs of layer and ROI, and views.
        tables: as in `page.write_page`.
        shown: RDMs to look at.
        kept: what of it can be chosen.
        findings: name of a figure -> name of a panel -> what it shows first, for those who cannot
            see it.

    Returns:
        The same bytes from the same tables.

    Raises:
        DataError: a score appears twice.
        GuardError: the ceilings are of other pairs or another convention than the scores.
    """
    shown = shown if kept.checkpoints else shown.last()
    figures, data = specified(tables, told, shown)
    data = data if kept.settings else drawn.at_view(data, study.report.view)
    if not kept.subjects:
        rows = data["scores"]
        data["scores"] = rows[rows["measure"].isin(drawn.MEASURES.values())]
    curves = []
    if "claims" in figures:
        figures["claims"] = figures["claims"][:1]  # a choice gives the others
        curves = _of_claims(tables["claims"], tables["claims_summary"])
    chosen = _choices(study, data["scores"])
    if not kept.settings:
        chosen = [one for one in chosen if one.param not in drawn.SETTINGS]
    rules = sorted(shown.rules, key=lambda rule: rule != shown.first_rule)
    maps = [Choice("mapped_rule", "map of", _options({rule: rule for rule in rules}))]
    described = {
        name: [_described(one, findings.get(name, {})) for one in panels]
        for name, panels in figures.items()
    }
    packed = _packed(described, data, shown.stimuli)
    return Live(_several(chosen), curves, _several(maps), shown.epochs, packed, library())


def _described(panel: Panel, findings: Mapping[str, str]) -> Panel:
    words = in_words(panel.name, findings)
    return panel._replace(drawing={**panel.drawing, "description": words})


def _several(choices: Sequence[Choice]) -> list[Choice]:
    return [one for one in choices if len(one.options) > 1]


@functools.cache
def library() -> Markup:
    """Give the script that draws specifications, as one text without a closing script tag."""
    return Markup(vl_convert.javascript_bundle().replace("</script", "<\\/script"))


def _choices(study: Study, scores: pd.DataFrame) -> list[Choice]:
    measured, first = study.evaluation, study.report.view
    measures = [*drawn.MEASURES.values(), *sorted(set(scores["measure"]))]
    layers = {layer: layer for network in study.networks for layer in study.layers(network)}
    networks, several = {one: one for one in study.networks}, len(study.networks) > 1
    return [
        Choice("network", "network", _options({"": "all", **networks} if several else {})),
        Choice("layer", "layer", _options({marks.AS_NAMED: "named in advance", **layers})),
        _listed("stimuli", "stimuli", study.stimuli, first.stimuli),
        _listed("size", "size", measured.sizes, first.size, "{} px"),
        _listed("descriptor", "descriptor", measured.descriptors, first.descriptor),
        _listed("centring", "centring", measured.centring, first.centring),
        _listed("measure", "score", dict.fromkeys(measures), drawn.PER_SUBJECT),
    ]


def _of_claims(rows: pd.DataFrame, summary: pd.DataFrame) -> list[Choice]:
    values: dict[str, list[str]] = {}
    for axis, value in claims_figure.varied_values(rows):
        values.setdefault(axis, []).append(claims_figure.value_label(axis, value))
    order = {claims_figure.BY_EFFECT: "effect", **{axis: axis for axis in values}}
    kept = [
        Choice(f"only_{axis}", axis, _options({claims_figure.ANY: "all", **{v: v for v in found}}))
        for axis, found in values.items()
    ]
    claims = Choice("claim", "claim", _options({one: one for one in summary["claim"]}))
    return [claims, Choice("order", "sorted by", _options(order)), *kept]


def _listed(
    param: str, label: str, values: Iterable[Any], first: Any, pattern: str = "{}"
) -> Choice:
    ordered = sorted(values, key=lambda value: value != first)
    return Choice(param, label, _options({value: pattern.format(value) for value in ordered}))


def _options(words: Mapping[Any, str]) -> list[tuple[str, str]]:
    return [(json.dumps(value), text) for value, text in words.items()]


def _packed(
    figures: Mapping[str, Sequence[Panel]],
    data: Mapping[str, pd.DataFrame],
    stimuli: Sequence[str],
) -> Markup:
    content = {
        "stimuli": stimuli,
        "palette": palette(),
        "config": CONFIG,
        "figures": {name: [one._asdict() for one in panels] for name, panels in figures.items()},
        "tables": {name: _columns(table) for name, table in data.items()},
    }
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Markup(base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode())


def _columns(table: pd.DataFrame) -> dict[str, Any]:
    # text and counts as places in a list of their values: they repeat
    found = {}
    for name, column in table.items():
        if pd.api.types.is_float_dtype(column):
            found[name] = {
                "numbers": json.loads(column.to_json(orient="values", double_precision=DIGITS))
            }
        else:
            codes, values = pd.factorize(column)
            found[name] = {"codes": codes.tolist(), "values": pd.Series(values).tolist()}
    return found
