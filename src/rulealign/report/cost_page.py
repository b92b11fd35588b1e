"""What the jobs of a study cost, and where they ran: a page beside the logs it is read from.

It is no part of the report page, which has the same bytes wherever and however often it is made.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from rulealign.atomic import whole
from rulealign.cost import cost_table, job_table
from rulealign.report.formatting import missing, number
from rulealign.report.tabulate import Table
from rulealign.store import write_csv


def write_cost(results: Path, table: Path, page: Path) -> None:
    """Collect what the finished jobs of a study cost: a table with all, a page with the sums.

    Args:
        results: the study's folder of results, with `logs/`.
        table: the CSV to make, a row per job; see `cost.job_table`.
        page: the .html file to make.

    Raises:
        StoreError: there are no logs of finished jobs, or the disk is full.
    """
    jobs = job_table(results)
    text = _template().render(
        study=Path(results).name,
        stages=_stages(cost_table(results)),
        machines=_machines(jobs),
        table=Path(table).name,
    )
    write_csv(table, jobs)
    with whole(Path(page)) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _stages(sums: pd.DataFrame) -> Table:
    head = ["stage", "jobs", "wall-clock minutes", "CPU minutes", "largest job, MB"]
    rows = [[row.stage, *map(number, row[2:], (0, 1, 1, 0))] for row in sums.itertuples()]
    caption = (
        "Cost by stage: wall-clock time of the jobs one after another (they may run side by side),"
        " CPU time with the time of imports, and the peak memory of the largest job."
    )
    return Table(caption, head, rows)


def _machines(jobs: pd.DataFrame) -> Table:
    rows = [
        [name or missing("not recorded"), number(len(own), 0), number(own["cpu_s"].sum() / 60, 1)]
        for name, own in jobs.groupby("machine", sort=True)
    ]
    return Table("The machines that jobs ran on.", ["machine", "jobs", "CPU minutes"], rows)


def _template() -> object:
    loader = PackageLoader("rulealign.report")
    options = {"trim_blocks": True, "lstrip_blocks": True}
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, **options)
    return environment.get_template("cost.html")
