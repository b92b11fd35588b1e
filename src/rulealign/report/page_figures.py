"""The figures of the report page: files with captions, findings, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from rulealign.plan.settings.report import FigureSettings
from rulealign.report import captions, claims, controls, findings, select
from rulealign.report import filters as of_filters
from rulealign.report import over_time as over_time_page
from rulealign.report import quality as quality_figure
from rulealign.report import rdms as of_rdms

if TYPE_CHECKING:
    from rulealign.config.study import Study
    from rulealign.report.shown import ShownRdms

GROUPS = ("trajectory", "final", "layers", "over_time", "rdms", "maps", "filters", "accuracy")
GROUPS += ("learning", "quality", "claims", "overview")
"""Where figures stand."""


class ReportFigure(NamedTuple):
    """A figure of the report.

    Attributes:
        path: the .svg file.
        caption: plain text.
        group: one of `GROUPS`.
        title: a few words.
        findings: name of a panel -> what it shows, in words and numbers.
    """

    path: Path
    caption: str
    group: str
    title: str
    findings: Mapping[str, str] = MappingProxyType({})


def report_figures(
    study: Study,
    tables: Mapping[str, pd.DataFrame],
    shown: ShownRdms,
    *,
    trajectories: Sequence[Path],
    finals: Sequence[Path],
    accuracy: Path,
    learning: Path,
    layers: Path,
    rdms: Path,
    maps: Path,
    filters: Path,
    quality: Path,
    of_claims: Sequence[Path] = (),
    over_time: Sequence[Path] = (),
) -> list[ReportFigure]:
    """Put the figures of `figures.draw_all` into the form that `write_page` takes.

    Args:
        study: the study.
        tables: `alignment`, `training`, `diagnostics`, `quality` and, where there are any,
            `controls`, `claims` and `over_time`.
        shown: RDMs to look at.
        trajectories: one .svg file per view of the study.
        finals: one .svg file per view.
        accuracy: an .svg file.
        learning: an .svg file.
        layers: an .svg file.
        rdms: an .svg file.
        maps: an .svg file.
        filters: an .svg file.
        quality: an .svg file.
        of_claims: two .svg files, of each claim and of all at once; none where there is no claim.
        over_time: one .svg file; none where no ROI has RDMs over time.

    Returns:
        Files with captions and groups.
    """
    alignment, figures, told = tables["alignment"], [], FigureSettings.of(study)
    for view, course, last in zip(study.views(), trajectories, finals, strict=True):
        words, found = select.words(view), findings.alignment(alignment, told, view)
        others = controls.at_view(tables.get("controls"), view, select.at_view(alignment, view))
        caption = captions.trajectory(study, alignment, view)
        caption += controls.caption(others, "In sand, with a line each")
        figures.append(ReportFigure(course, caption, "trajectory", words, found["trajectory"]))
        caption = captions.final(study, alignment, view)
        caption += controls.caption(others, "Rows in grey, below")
        figures.append(ReportFigure(last, caption, "final", words, found["final"]))
    looked_at = of_rdms.captions(shown, told)
    looked_at["filters"] = of_filters.caption(shown)
    seen = (findings.rdms(alignment, told), findings.maps(shown, told), findings.filters(shown))
    for (name, caption), path, found in zip(
        looked_at.items(), (rdms, maps, filters), seen, strict=True
    ):
        figures.append(ReportFigure(path, caption, name, name, found))
    caption = captions.accuracy(tables["training"])
    chance = float(tables["diagnostics"]["chance"].iloc[0])
    found = findings.accuracy(tables["training"], told, chance)
    figures.append(ReportFigure(accuracy, caption, "accuracy", "held-out accuracy", found))
    caption = captions.layers(study, alignment)
    found = findings.layers(alignment, told)
    figures.append(ReportFigure(layers, caption, "layers", "every layer with every ROI", found))
    for path in over_time:
        caption = over_time_page.caption(study, tables["over_time"])
        found = findings.over_time(tables["over_time"], told)
        figures.append(ReportFigure(path, caption, "over_time", "every layer at each time", found))
    caption = captions.learning(tables["diagnostics"])
    found = findings.learning(tables["diagnostics"], told)
    figures.append(ReportFigure(learning, caption, "learning", "diagnostics of learning", found))
    caption = quality_figure.caption(tables["quality"])
    found = findings.quality(tables["quality"])
    figures.append(ReportFigure(quality, caption, "quality", "brain data quality", found))
    words = [("claims", claims.figure_caption), ("overview", claims.overview_caption)]
    for path, (group, written) in zip(of_claims, words, strict=False):
        caption = written(tables["claims"], study.statistics.interval)
        found = findings.claims(tables["claims_summary"])[group]
        figures.append(ReportFigure(path, caption, group, "claims in every universe", found))
    return figures
