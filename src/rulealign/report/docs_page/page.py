"""A page of docs/ whose numbers all come from the tables of a finished study.

`python -m rulealign.report.docs_page.page docs/results/<page>.md.j2 results/<study>` writes
`docs/results/<page>.md` and copies the figures that the page shows beside it.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from rulealign.arm import Arm
from rulealign.atomic import whole
from rulealign.config.load import read_study
from rulealign.cost import cost_table
from rulealign.errors import DataError
from rulealign.json_files import read_json
from rulealign.manifest import verify
from rulealign.plan.files import FILES
from rulealign.plan.settings.scores import ScoreSettings
from rulealign.report import select, tabulate
from rulealign.report.docs_page import claims as results_claims
from rulealign.report.docs_page import differences as results_differences
from rulealign.report.docs_page import markdown
from rulealign.report.docs_page import training as results_training
from rulealign.report.formatting import plain, with_ends
from rulealign.rerun.study_folder import COMPLETE, RECORD
from rulealign.rsa.compare import PER_SUBJECT
from rulealign.store import read_csv

_READ = (COMPLETE, RECORD, "statistics/*.csv", "alignment/*", "checkpoints/*_log.csv")
"""What pages take numbers from."""


class ResultsPage:
    """What a page's template may call: tables, single numbers and figures of one study.

    Args:
        results: the folder of the study's results.
        figures: the folder that figures are copied to.
    """

    def __init__(self, results: Path, figures: Path) -> None:
        self.results, self.figures = results, figures
        self.record = read_json(results / RECORD)
        names = ("alignment", "ceilings", "training", "diagnostics")
        files = {name: results / FILES["table"].format(table=name) for name in names}
        self.tables = {name: read_csv(file) for name, file in files.items()}
        self.study = study = read_study(results / COMPLETE)
        self.bootstrap = ScoreSettings.of(study)
        alignment = self.tables["alignment"]
        self.primary = alignment[alignment["convention"] == PER_SUBJECT]
        select.bounds(self.tables["ceilings"], self.primary)

    def network(self, named: str | None) -> str:
        """Give the label of a network: the only one of the study, where none is named.

        Raises:
            DataError: there are several, or none of that name.
        """
        networks = list(self.study.networks)
        if named not in networks and (named is not None or len(networks) > 1):
            raise DataError(f"name one of the networks {', '.join(networks)}, not {named}.")
        return named or networks[0]

    def score(self, rule: str, epoch: int, layer: str, roi: str, **view: Any) -> str:
        """Write one score with its interval, such as 0.123 [0.101, 0.145].

        Args:
            rule: a rule's label.
            epoch: a checkpoint.
            layer: a layer.
            roi: an ROI.
            view: stimuli, size, centring and (where the layer has positions) descriptor; and where
                there are several, the network.

        Raises:
            DataError: the table has no such row, or more than one.
        """
        wanted = {"rule": rule, "epoch": epoch, "layer": layer, "roi": roi} | view
        return _score(select.only(self.primary, wanted, "alignment"))

    def difference(
        self, one: tuple[str, int], other: tuple[str, int], layer: str, roi: str, **view: Any
    ) -> str:
        """Write how much higher one network scores than another, over the seeds that both have.

        The interval is that of the difference on the same resamples of the stimuli; it does not
        contain the spread over seeds. Bold where it excludes zero.

        Args:
            one: rule and epoch.
            other: rule and epoch, subtracted.
            layer: a layer.
            roi: an ROI.
            view: as in `score`.

        Raises:
            DataError: a score is not there once for every seed, no seed is shared, or draws do
                not belong to their table or are of other stimuli.
            GuardError: draws were made with other bootstrap settings than the study has.
        """
        network = self.network(view.pop("network", None))
        both = [(Arm(network, rule), epoch) for rule, epoch in (one, other)]
        text, clear = results_differences.difference(
            self.results, self.bootstrap, both, {"layer": layer, "roi": roi} | view
        )
        return f"**{text}**" if clear else text

    def learned(self, network: str | None = None) -> str:
        """Write whether each rule learned, with the numbers that the verdict rests on."""
        network = self.network(network)
        rows = select.of_network(self.tables["diagnostics"], network)
        table = tabulate.learning(rows, self.study.rules_of(network), "")
        body = [[_plain(cell) for cell in row] for row in table.rows]
        return markdown.table(table.head, body)

    def scores(self, layer: str, roi: str, stimuli: str, network: str | None = None) -> str:
        """Write all scores of a layer with an ROI on one stimulus set, by rule, size and epoch."""
        rows = select.of_network(self.primary, self.network(network))
        rows = rows[(rows["layer"] == layer) & (rows["roi"] == roi) & (rows["stimuli"] == stimuli)]
        keys = ["size", "rule", "epoch"]
        columns = ["descriptor", "centring"]
        text = rows.assign(text=[_score(row) for _, row in rows.iterrows()])
        wide = text.pivot(index=keys, columns=columns, values="text").sort_index(axis=1)
        heads = [_heading(*pair) for pair in wide.columns]
        body = [
            [*map(str, index), *cells] for index, cells in zip(wide.index, wide.values, strict=True)
        ]
        return markdown.table(["size", "rule", "epoch", *heads], body)

    def accuracy(self, network: str | None = None) -> str:
        """Write held-out accuracy (%) by rule and epoch: mean over seeds, lowest to highest."""
        rows = select.of_network(self.tables["training"], self.network(network))
        return results_training.accuracy(rows)

    def accuracy_of(self, rule: str, epoch: int, network: str | None = None) -> str:
        """Write one rule's held-out accuracy (%) at one checkpoint, as `accuracy` does."""
        rows = select.of_network(self.tables["training"], self.network(network))
        return results_training.accuracy_of(rows, rule, epoch)

    def diagnosed(
        self, column: str, rule: str, epoch: int, layer: str, network: str | None = None
    ) -> str:
        """Write a number of `statistics/diagnostics.csv`: mean over seeds, lowest to highest."""
        rows = select.of_network(self.tables["diagnostics"], self.network(network))
        return results_training.diagnosed(rows, column, rule, epoch, layer)

    def logged(
        self,
        rule: str,
        seed: int,
        epoch: int,
        column: str,
        digits: int = 2,
        network: str | None = None,
    ) -> str:
        """Write a number that a rule logged at a checkpoint: a mean over the batches of an epoch.

        Raises:
            DataError: the log has no such epoch.
        """
        whose = {"network": self.network(network), "rule": rule, "seed": seed, "epoch": epoch}
        file = self.results / FILES["checkpoint_log"].format(**whose)
        return results_training.logged(file, epoch, column, digits)

    def course(self, measure: str, rule: str, layer: str, roi: str, **view: str | int) -> str:
        """Write a measure of the course of training, with its interval or why there is none."""
        network = self.network(view.pop("network", None))
        where = {"network": network, "rule": rule, "layer": layer, "roi": roi} | view
        return results_training.course(self.results, measure, where)

    def pairs(self) -> str:
        """Write which pairs of stimuli the scores are over."""
        return select.pairs_words(self.primary)

    def ceilings(self) -> str:
        """Write the noise ceilings with their null."""
        columns = ["null_lower_high", "lower", "upper", "null_upper_mean", "null_upper_high"]
        columns += ["upper_any_model", "lower_raw", "upper_raw"]
        body = [
            [row["roi"], select.PAIRS_WORDS[row["pairs"]]]
            + [str(row["n_subjects"]), str(row["n_stimuli"])]
            + [plain(row[column], 4) for column in columns]
            + [select.informative(row)]
            for _, row in self.tables["ceilings"].iterrows()
        ]
        heads = [
            "ROI",
            "pairs",
            "subjects",
            "stimuli",
            "null of lower, upper end",
            "lower",
            "upper",
        ]
        heads += ["null of upper, mean", "null of upper, upper end", "upper, any model"]
        heads += ["lower, raw", "upper, raw", "informative"]
        return markdown.table(heads, body)

    def claims(self) -> str:
        """Write every declared claim with its verdicts."""
        return results_claims.claims(self.results)

    def cell(self, table: str, column: str, **where: str | int) -> str:
        """Write one number of any table of statistics, with its interval where it has one."""
        return results_training.cell(self.results, table, column, where)

    def effect(self, claim: str, **choices: str | int) -> str:
        """Write a claim's effect in its primary universe, or with other values of some axes."""
        return results_claims.effect(self.results, claim, choices)

    def verdict(self, claim: str, **question: str | int) -> str:
        """Write a claim's verdict over the universes of a question, such as a network."""
        return results_claims.verdict(self.results, claim, question)

    def n_claims(self) -> int:
        """Count the declared claims."""
        return len(self.study.claims)

    def verdicts(self, claim: str, axis: str) -> str:
        """Write how often one claim has each verdict, by the value of one axis."""
        return results_claims.verdicts(self.results, claim, axis)

    def intervals(self, axis: str) -> str:
        """Write the effect of every claim by one axis, all else as in the first universe."""
        return results_claims.intervals(self.results, axis)

    def cost(self) -> str:
        """Write what the study cost, by stage, from the logs of its jobs."""
        table = cost_table(self.results)
        body = [
            [row["stage"], str(row["jobs"])]
            + [plain(row[name], 1) for name in ("wall_minutes", "cpu_minutes")]
            + [plain(row["peak_mb"], 0)]
            for _, row in table.iterrows()
        ]
        return markdown.table(["stage", "jobs", "wall, min", "CPU, min", "peak memory, MB"], body)

    def figure(self, name: str, alternative: str) -> str:
        """Copy a figure beside the page and write the link to it."""
        self.figures.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.results / "figures" / name, self.figures / name)
        return f"![{alternative}]({self.figures.name}/{name})"


def _score(row: pd.Series) -> str:
    return with_ends(row["score"], row["low"], row["high"])


def _plain(cell: str | Markup) -> str:
    return cell.striptags() if isinstance(cell, Markup) else str(cell)


def _heading(descriptor: str, centring: str) -> str:
    return centring if descriptor == select.NO_SPACE else f"{descriptor}, {centring}"


def write_results_page(template: Path, results: Path) -> Path:
    """Fill a template with the numbers of a finished study.

    Args:
        template: `<page>.md.j2`; it may call the methods of `ResultsPage` by their names, and
            knows the study as `study`.
        results: the folder of the study's results.

    Returns:
        The page, `<page>.md` beside the template.

    Raises:
        DataError: the template asks for a number that the study lacks.
        StoreError: a result was damaged after it had been written.
    """
    verify(os.path.relpath(path) for pattern in _READ for path in sorted(results.glob(pattern)))
    page = template.with_suffix("")
    makes = ResultsPage(results, page.with_suffix("").parent / f"{page.stem}_figures")
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    called = [name for name in vars(ResultsPage) if not name.startswith("_")]
    environment.globals |= {name: getattr(makes, name) for name in called}
    environment.globals |= {"study": makes.study, "record": makes.record}
    text = environment.from_string(template.read_text()).render()
    with whole(page) as temporary:
        temporary.write_text(text)
    return page


if __name__ == "__main__":
    print(write_results_page(Path(sys.argv[1]), Path(sys.argv[2])))
