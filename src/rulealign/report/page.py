"""The report page: one HTML file with everything in it, readable on any screen and on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from rulealign.atomic import whole
from rulealign.plan.settings.report import FigureSettings
from rulealign.report import (
    answers,
    baselines,
    claims,
    controls,
    curves,
    describe,
    embedded,
    encoding,
    interactive,
    limits,
    methods,
    mixed_models,
    network_tables,
    provenance_panel,
    quality_panel,
    reproduced,
    select,
    tabulate,
    trajectory_table,
    verdict_matrix,
)
from rulealign.report import over_time as over_time_page
from rulealign.report.inline import Inline, inline
from rulealign.report.interactive import Kept
from rulealign.report.page_figures import GROUPS, ReportFigure
from rulealign.report.sources import sources

if TYPE_CHECKING:
    from rulealign.config.evaluation import View
    from rulealign.config.study import Study
    from rulealign.report.shown import ShownRdms

MOST_BYTES = 8_000_000
"""A page that would be larger leaves something out, and says so."""

LEFT_OUT = (
    "the tables, which lie in statistics/",
    "the static figures of other settings, which lie in figures/",
    "RDMs, maps and filters of other checkpoints than the last",
    "the scores of single subjects in figures that answer",
    "other settings than the report’s own in figures that answer",
)
"""What goes first, second and so on, until the page is small enough."""


def write_page(
    output: Path,
    *,
    study: Study,
    tables: Mapping[str, pd.DataFrame],
    figures: Sequence[ReportFigure],
    shown: ShownRdms,
    facts: Mapping[str, Any],
    files: Mapping[str, Path] = MappingProxyType({}),
) -> None:
    """Write the report page.

    Args:
        output: the .html file.
        study: the study.
        tables: `alignment`, `layers`, `ceilings`, `training`, `diagnostics`, `quality` and, where
            there are any, `controls`, `over_time`, `encoding`, `trajectories`, `claims_summary`,
            `specification_curves` and `mixed_models`, as in statistics/*.csv.
        figures: as `report_figures` makes them; of the groups trajectory and final the first is the
            report's own setting, and the others follow below it in pairs.
        shown: RDMs to look at.
        facts: what computed it, as in `provenance.json`; its `machine` is not shown.
        files: name of a table -> its .csv file, of tables that the page holds.

    Raises:
        ConfigurationError: the study names a dataset that the registry does not have.
        DataError: the tables lack what is to be shown.
        GuardError: the ceilings are not of the scores' convention (guard 9), or not over their
            pairs.
        StoreError: a figure is missing, or the disk is full.
    """
    inlined = _inlined(figures)
    view = study.report.view
    by_network = network_tables.by_network(study, tables)
    content = dict(
        study=study,
        facts=facts,
        view=select.words(view),
        pairs=select.pairs_words(tables["alignment"]),
        subset=shown.stimuli if len(shown.stimuli) < shown.n_stimuli else [],
        pictures=len(shown.pictures) > 0,
        answers=answers.answers(study, tables),
        many=answers.MANY,
        setting=answers.setting(tables),
        tally=answers.tally(tables),
        best=answers.best_of_each_roi(study, tables, view),
        limits=limits.limits(
            study,
            tables,
            network_tables.doubtful(study, by_network),
            network_tables.remnants(study, by_network),
        ),
        described=describe.describe(study, tables),
        rules=describe.rules(study),
        sources=sources(study),
        tables=network_tables.tabulated(study, by_network, view),
        ceilings=_ceilings(study, tables, view),
        controls=_controls(study, tables, view),
        claims=claims.tables(study, tables),
        matrix=verdict_matrix.tabulate(tables["claims"]) if "claims" in tables else None,
        mixed=_mixed(study, tables),
        baselines=baselines.comparisons(study, tables, view),
        over_time=over_time_page.tables(study, tables, view),
        encoding=encoding.tables(study, tables, view),
        curves=_curves(study, tables),
        courses=trajectory_table.courses(study, tables, view),
        quality=quality_panel.panel(tables["quality"]),
        reproduced=_reproduced(study, tables),
        methods=methods.methods(study, tables, facts),
        provenance=provenance_panel.panel(facts),
        one_subject=bool((tables["ceilings"]["n_subjects"] == 1).any()),
        doubtful=network_tables.doubtful(study, by_network),
        silent=network_tables.silent(study, by_network),
    )
    for count in range(len(LEFT_OUT) + 1):
        fitting = _that_fits(study, tables, shown, inlined, count)
        fitting["csv"] = embedded.links({*tables, "alignment_subjects"}, {} if count else files)
        page = _template().render(**content, **fitting, left_out=LEFT_OUT[:count])
        if len(page.encode()) <= MOST_BYTES:
            break
    with whole(Path(output)) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _that_fits(
    study: Study,
    tables: Mapping[str, pd.DataFrame],
    shown: ShownRdms,
    inlined: Mapping[str, Sequence[Inline]],
    count: int,
) -> dict[str, Any]:
    # what makes a page large, without the first ones of `LEFT_OUT`
    told = FigureSettings.of(study)
    of_views = {"trajectory": 1, "final": 1} if count > 1 else {}
    kept = {group: found[: of_views.get(group)] for group, found in inlined.items()}
    return {
        "live": interactive.live(
            study,
            told,
            tables,
            shown,
            Kept(count < 3, count < 4, count < 5),
            {group: found[0].findings for group, found in inlined.items() if found},
        ),
        "figures": {group: found[0] for group, found in kept.items() if found},
        "others": list(zip(kept["trajectory"][1:], kept["final"][1:], strict=True)),
        "every": [figure for found in kept.values() for figure in found],
    }


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
    groups: dict[str, list[Inline]] = {name: [] for name in GROUPS}
    for place, one in enumerate(figures):
        name = f"figure{place}"
        groups[one.group].append(inline(one.path, name, one.caption, one.title, one.findings))
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


def _reproduced(study: Study, tables: Mapping[str, pd.DataFrame]) -> tabulate.Table | None:
    return reproduced.tabulate(study, tables["claims"]) if "claims" in tables else None


def _curves(study: Study, tables: Mapping[str, pd.DataFrame]) -> tabulate.Table | None:
    if "specification_curves" not in tables:
        return None
    return curves.tabulate(tables["specification_curves"], study.statistics.interval)


def _ceilings(study: Study, tables: Mapping[str, pd.DataFrame], view: View) -> tabulate.Table:
    own = select.at_view(tables["alignment"], view)
    select.bounds(tables["ceilings"], own)
    return tabulate.ceilings(
        tables["ceilings"],
        study.statistics.interval,
        "Noise ceilings of per_subject scores, with their null. Scores are over"
        f" {select.pairs_words(own)}.",
    )
