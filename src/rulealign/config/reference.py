"""Write docs/configuration.md from the types: `python -m rulealign.config.reference`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel

from rulealign.config import (
    betas,
    brain,
    claims,
    encoding,
    evaluation,
    report,
    study,
    training,
    universes,
)
from rulealign.config.derived import FOLLOWS
from rulealign.data.brains import REGISTRY as BRAINS
from rulealign.data.brains import brain_class
from rulealign.data.stimulus_sets import REGISTRY as STIMULUS_SETS
from rulealign.data.stimulus_sets import stimulus_set_class
from rulealign.data.training_sets import REGISTRY as TRAINING_SETS
from rulealign.data.training_sets import training_set_class
from rulealign.learning.network import Network
from rulealign.learning.networks import REGISTRY as NETWORKS
from rulealign.learning.networks import network_class
from rulealign.learning.rule_settings import RuleSettings
from rulealign.learning.rules import REGISTRY, rule_class
from rulealign.rsa.distances import REGISTRY as DISTANCES
from rulealign.rsa.distances import distance_class

HEADER = """# Configuration reference

Generated from the types by `python -m rulealign.config.reference`; a test holds it equal to them.

A study file states what the study is about. A key that it leaves out has the default below; one
that is *required* must be stated, and no other key may occur. `results/<study>/study.yaml`, which a
run writes, states every setting. The default study is `workflow_config.yaml`; a file given with
`--configfile` replaces it and is never merged with it. Single values are overridden on the command
line, nested ones as a small mapping:

```
snakemake --cores 2 --configfile studies/cichy92_quick.yaml --config seed=7
snakemake --cores 2 --config statistics='{bootstrap_draws: 200}'
```
"""

SECTIONS: list[tuple[str, type[BaseModel]]] = [
    ("The study", study.Study),
    ("`training:`", training.Training),
    ("`brain: events:` of `kind: betas`", betas.Events),
    ("`brain: atlas:` of `kind: betas`", betas.Atlas),
    ("`brain: rois: <ROI>:` of responses of single trials", brain.Roi),
    ("`brain: rois: <ROI>: voxels:` by a smallest noise ceiling", brain.ReliableVoxels),
    ("`brain: rois: <ROI>: voxels:` by a number of voxels", brain.BestVoxels),
    ("`things:`", brain.ThingsFiles),
    ("`evaluation:`", evaluation.Evaluation),
    ("`layer_map:` (each entry)", evaluation.LayerRoi),
    ("`statistics:`", evaluation.Statistics),
    ("`encoding:`", encoding.Encoding),
    ("`encoding: voxels:`", encoding.Voxels),
    ("`universes:`", universes.Universes),
    ("`claims: <label>:`", claims.Claim),
    ("`claims: <label>: plus:` or `minus:` (each entry)", claims.Term),
    ("`report:`", report.Report),
    ("`report: reproduces:` (each entry)", report.Reproduced),
]


def reference() -> str:
    """Write the reference page of the configuration.

    Returns:
        Markdown: a table of key, type and description for every section and every learning rule.

    Raises:
        ValueError: a field has no description.
    """
    rules = [(f"`rules: <label>:` with `kind: {kind}`", rule_class(kind)) for kind in REGISTRY]
    learned_from = [
        *((f"`networks: <label>:` with `kind: {kind}`", network_class(kind)) for kind in NETWORKS),
        *(
            (f"`training_set:` with `kind: {kind}`", training_set_class(kind))
            for kind in TRAINING_SETS
        ),
    ]
    kinds = [(_stimuli(kind), stimulus_set_class(kind)) for kind in STIMULUS_SETS]
    kinds += [section for kind in BRAINS for section in _brain(kind)]
    kinds += [_distance(name) for name in DISTANCES if distance_class(name).model_fields]
    study_itself, training_section, *others = SECTIONS
    sections = [study_itself, *learned_from, training_section, *kinds, *others]
    parts = [_section(title, model) for title, model in sections]
    parts += [_section(title, rule.Settings, _purpose(rule)) for title, rule in rules]
    return HEADER + "".join(parts)


def _stimuli(kind: str) -> str:
    used_as = stimulus_set_class(kind).used_as
    return f"{' or '.join(f'`{section}: <label>:`' for section in used_as)} with `kind: {kind}`"


def _brain(kind: str) -> Iterator[tuple[str, type[BaseModel]]]:
    brain_data = brain_class(kind)
    yield f"`brain:` with `kind: {kind}`", brain_data
    if not brain_data.single_trials:
        of_roi = get_args(brain_data.model_fields["rois"].annotation)[1]
        yield f"`brain: rois: <ROI>:` with `kind: {kind}`", of_roi
        for name, field in of_roi.model_fields.items():
            for model in _models_in(field.annotation):
                keys = ", ".join(model.model_fields)
                yield f"`brain: rois: <ROI>: {name}: {{{keys}}}`", model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _distance(name: str) -> tuple[str, type[BaseModel]]:
    return f"`brain: distance: {name}:`", distance_class(name)


def _section(title: str, model: type[BaseModel], purpose: str | None = None) -> str:
    properties = model.model_json_schema()["properties"]
    rows = [
        f"| `{name}` | {_type(properties[name])} | {_default(model, name, field)} |"
        f" {_description(model, name, field)} |\n"
        for name, field in model.model_fields.items()
    ]
    head = ["\n## ", title, "\n\n", purpose or _purpose(model), "\n\n"]
    return "".join([*head, "| key | value | default | meaning |\n|---|---|---|---|\n", *rows])


def _default(model: type[BaseModel], name: str, field: Any) -> str:
    rooms = {RuleSettings: "rules", Network: "networks"}
    section = next((rooms[kind] for kind in rooms if issubclass(model, kind)), model.__name__)
    place = name if section == "Study" else f"{section.lower()}.{name}"
    if words := FOLLOWS.get(place):
        return words
    if isinstance(field.default, BaseModel) or name in ("universes", "report"):
        return "as below"
    if field.is_required():
        return "required"
    text = yaml.safe_dump(field.default, default_flow_style=True, width=1000)
    return text.removesuffix("...\n").strip()


def _purpose(owner: type) -> str:
    return (owner.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " ")


def _description(model: type[BaseModel], name: str, field: Any) -> str:
    section = field.annotation
    if field.description:
        return field.description
    if isinstance(section, type) and issubclass(section, BaseModel):
        return _purpose(section)
    if name == "brain":
        return "one of the kinds below"
    raise ValueError(f"{model.__name__}.{name} has no description")


def _type(schema: dict[str, Any]) -> str:
    variants = schema.get("anyOf") or schema.get("oneOf")
    if variants and not all("$ref" in variant for variant in variants):
        return " or ".join(dict.fromkeys(map(_type, variants)))
    if variants or "$ref" in schema:
        return "section"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if schema.get("type") == "object":
        return "mapping"
    return _plain_type(schema)


def _plain_type(schema: dict[str, Any]) -> str:
    names = {"integer": "integer", "number": "number", "string": "text", "null": "null"}
    name = names.get(schema.get("type", ""), schema.get("type", "section"))
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {json.dumps(schema[key])}" for key, sign in signs.items() if key in schema]
    return " ".join([name, ", ".join(bounds)]).strip()


if __name__ == "__main__":
    Path("docs/configuration.md").write_text(reference())
