"""The report page: one HTML file with everything in it, readable on any screen and on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from rulealign.atomic import whole
from rulealign.learning.verdict import learned, silent_words
from rulealign.report import (
    baselines,
    captions,
    claims,
    controls,
    curves,
    describe,
    layers,
    mixed_models,
    provenance_panel,
    quality_panel,
    select,
    tabulate,
    trajectory_table,
)
from rulealign.report import quality as quality_figure
from rulealign.report.inline import Inline, inline
from rulealign.report.sources import sources

if TYPE_CHECKING:
    from rulealign.config.evaluation import View
    from rulealign.config.study import Study


class ReportFigure(NamedTuple):
    """A figure of the report.

    Attributes:
        path: the .svg file.
        caption: plain text.
        group: trajectory, final, accuracy, learning, quality or claims.
        title: a few words.
    """

    path: Path
    caption: str
    group: str
    title: str


def report_figures(
    study: Study,
    tables: Mapping[str, pd.DataFrame],
    *,
    trajectories: Sequence[Path],
    finals: Sequence[Path],
    accuracy: Path,
    learning: Path,
    quality: Path,
    claims_figure: Path | None = None,
) -> list[ReportFigure]:
    """Put the figures of `figures.draw_all` into the form that `write_page` takes.

    Args:
        study: the study.
        tables: `alignment`, `training`, `diagnostics`, `quality` and, where there are any,
            `controls` and `claims`.
        trajectories: one .svg file per view of the study.
        finals: one .svg file per view.
        accuracy: an .svg file.
        learning: an .svg file.
        quality: an .svg file.
        claims_figure: an .svg file; None where the study declares no claim.

    Returns:
        Files with captions and groups.
    """
    alignment, figures = tables["alignment"], []
    for view, course, last in zip(study.views(), trajectories, finals, strict=True):
        words = select.words(view)
        others = controls.at_view(tables.get("controls"), view, select.at_view(alignment, view))
        caption = captions.trajectory(study, alignment, view)
        caption += controls.caption(others, "Thin grey horizontal lines")
        figures.append(ReportFigure(course, caption, "trajectory", words))
        caption = captions.final(study, alignment, view)
        caption += controls.caption(others, "Rows in grey")
        figures.append(ReportFigure(last, caption, "final", words))
    caption = captions.accuracy(tables["training"])
    figures.append(ReportFigure(accuracy, caption, "accuracy", "held-out accuracy"))
    caption = captions.learning(tables["diagnostics"])
    figures.append(ReportFigure(learning, caption, "learning", "diagnostics of learning"))
    caption = quality_figure.caption(tables["quality"])
    figures.append(ReportFigure(quality, caption, "quality", "brain data quality"))
    if claims_figure is not None:
        caption = claims.figure_caption(tables["claims"], study.statistics.interval)
        figures.append(ReportFigure(claims_figure, caption, "claims", "claims in every universe"))
    return figures


def write_page(
    output: Path,
    *,
    study: Study,
    tables: Mapping[str, pd.DataFrame],
    figures: Sequence[ReportFigure],
    facts: Mapping[str, Any],
) -> None:
    """Write the report page.

    Args:
        output: the .html file.
        study: the study.
        tables: `alignment`, `layers`, `ceilings`, `training`, `diagnostics`, `quality` and, where
            there are any, `controls`, `trajectories`, `claims_summary`,
            `specification_curves` and `mixed_models`, as in statistics/*.csv.
        figures: as `report_figures` makes them; of the groups trajectory and final the first is the
            report's own setting, and the others follow below it in pairs.
        facts: what computed it, as in `provenance.json`; its `machine` is not shown.

    Raises:
        ConfigurationError: the study names a dataset that the registry does not have.
        DataError: the tables lack what is to be shown.
        GuardError: the ceilings are not of the scores' convention (guard 9), or not over their
            pairs.
        StoreError: a figure is missing, or the disk is full.
    """
    inlined = _inlined(figures)
    view = study.report
    page = _template().render(
        study=study,
        facts=facts,
        view=select.words(view),
        pairs=select.pairs_words(tables["alignment"]),
        described=describe.describe(study, tables),
        rules=describe.rules(study),
        sources=sources(study),
        figures={group: found[0] for group, found in inlined.items() if found},
        others=list(zip(inlined["trajectory"][1:], inlined["final"][1:], strict=True)),
        every=[figure for found in inlined.values() for figure in found],
        tables=_tables(study, tables, view),
        controls=_controls(study, tables, view),
        claims=claims.tables(study, tables),
        mixed=_mixed(study, tables),
        baselines=baselines.comparisons(study, tables, view),
        curves=_curves(study, tables),
        courses=trajectory_table.courses(study, tables, view),
        quality=quality_panel.panel(tables["quality"]),
        provenance=provenance_panel.panel(facts),
        one_subject=bool((tables["ceilings"]["n_subjects"] == 1).any()),
        doubtful=_doubtful(study, tables["diagnostics"]),
        silent=_silent(study, tables["diagnostics"]),
    )
    with whole(Path(output)) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("rulealign.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


def _inlined(figures: Sequence[ReportFigure]) -> dict[str, list[Inline]]:
    names = ("trajectory", "final", "accuracy", "learning", "quality", "claims")
    groups: dict[str, list[Inline]] = {name: [] for name in names}
    for place, (path, caption, group, title) in enumerate(figures):
        groups[group].append(inline(path, f"figure{place}", caption, title))
    return groups


def _controls(study: Study, tables: Mapping[str, pd.DataFrame], view: View) -> list[tabulate.Table]:
    # one table per convention, none where the study has no controls
    found = []
    for convention in ("per_subject", "mean_rdm") if "controls" in tables else ():
        own = select.at_view(tables["alignment"], view, convention=convention)
        rows = controls.at_view(tables["controls"], view, own, convention)
        over = f"{convention}, {select.pairs_words(own)}"
        shown = f"stimuli {view.stimuli}, {view.size} px, {view.centring}"
        text = f"Controls: Spearman's ρ [stimulus-bootstrap interval], {over}; {shown}."
        found.append(controls.tabulate(rows, list(study.brain.rois), text))
    return found


def _mixed(study: Study, tables: Mapping[str, pd.DataFrame]) -> tabulate.Table | None:
    if "mixed_models" not in tables:
        return None
    return mixed_models.tabulate(tables["mixed_models"], study.statistics.interval)


def _curves(study: Study, tables: Mapping[str, pd.DataFrame]) -> tabulate.Table | None:
    if "specification_curves" not in tables:
        return None
    return curves.tabulate(tables["specification_curves"], study.statistics.interval)


def _doubtful(study: Study, diagnostics: pd.DataFrame) -> list[tuple[str, str]]:
    verdicts = learned(diagnostics, list(study.rules)).items()
    return [(rule, verdict.words) for rule, verdict in verdicts if verdict.doubtful]


def _silent(study: Study, diagnostics: pd.DataFrame) -> list[str]:
    return [
        f"{rule}: {words}"
        for rule, settings in study.rules.items()
        for words in silent_words(diagnostics, rule, settings.fewer_dead_units())
    ]


def _tables(
    study: Study, tables: Mapping[str, pd.DataFrame], view: View
) -> dict[str, tabulate.Table]:
    rules, pairs, words = list(study.rules), study.layer_map, select.words(view)
    own = select.at_view(tables["alignment"], view)
    other = select.at_view(tables["alignment"], view, convention="mean_rdm")
    select.bounds(tables["ceilings"], own)
    over = select.pairs_words(own)
    interval = study.statistics.interval
    score = "Spearman's ρ [stimulus-bootstrap interval]"
    return {
        "final": tabulate.last_checkpoints(
            own,
            rules,
            pairs,
            f"{score}, per_subject, {over}, last checkpoint of each rule; {words}.",
        ),
        "mean_rdm": tabulate.last_checkpoints(
            other,
            rules,
            pairs,
            f"{score}, mean_rdm (not comparable with per_subject scores or their noise ceiling),"
            f" {over}, last checkpoint of each rule; {words}.",
        ),
        "epochs": tabulate.by_epoch(
            own, rules, pairs, f"{score}, per_subject, {over}, every checkpoint; {words}."
        ),
        "layers": layers.layers_by_rois(study, layers.at_view(tables["layers"], view, own)),
        "ceilings": tabulate.ceilings(
            tables["ceilings"],
            interval,
            f"Noise ceilings of per_subject scores, with their null. Scores are over {over}.",
        ),
        "accuracy": tabulate.accuracy(
            tables["training"],
            rules,
            "Held-out accuracy: mean over seeds [lowest seed, highest seed].",
        ),
        "learning": tabulate.learning(
            tables["diagnostics"],
            rules,
            "Last checkpoint of each rule, mean over seeds. Accuracy: [lowest seed, highest seed]."
            " Change: |W − W₀| / |W₀| of the weights since epoch 0. Dead units: share that is 0 in"
            " the maps of the forward pass for every one of up to 1,000 held-out images, in the"
            " layer with most; ⚠ where that is more than half. Angle to bp:"
            " between the rule’s update and backpropagation’s, mean over conv layers, at the first"
            " checkpoint after epoch 0 and at the last one. Effective rank: of the error signals,"
            " mean over conv layers. Single layers: the figure, and statistics/diagnostics.csv.",
        ),
    }
