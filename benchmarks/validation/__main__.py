"""Docs/validation.md: `PYTHONPATH=src:benchmarks python -m validation --sets 200`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rulealign.errors import ConfigurationError, RulealignError
from validation.curves import CURVES
from validation.measuring import kept_truths, measured_sets
from validation.other_settings import measured_others
from validation.page import write_page
from validation.world import Setting

FEWEST_SETS = 10


def main(arguments: list[str] | None = None) -> None:
    """Simulate, measure, and write the page.

    Args:
        arguments: of the command line; by default those it was called with.

    Raises:
        ConfigurationError: fewer than 10 data sets, or no process, were asked for.
        DataError: what was kept is of another setting.
        StoreError: the disk is full.
    """
    asked = _parser().parse_args(arguments)
    if min(asked.sets, asked.others) < FEWEST_SETS or asked.jobs < 1:
        raise ConfigurationError(
            f"--sets {asked.sets} --others {asked.others} --jobs {asked.jobs}: at least"
            f" {FEWEST_SETS} data sets, as many of other settings, and 1 process are needed."
        )
    setting = Setting()
    asked.kept.mkdir(parents=True, exist_ok=True)
    truths = kept_truths(setting, asked.kept / "truths.json")
    rows = measured_sets(setting, asked.sets, asked.jobs, asked.kept / "sets.csv")
    others = measured_others(setting, asked.others, asked.jobs, asked.kept)
    kept = asked.kept / "curves.csv"
    curves = measured_sets(setting, asked.others, asked.jobs, kept, (CURVES,))
    write_page(rows, truths, setting, others, asked.output, curves)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m validation", description=main.__doc__)
    parser.add_argument("--sets", type=int, default=200, help="simulated data sets of each kind")
    parser.add_argument(
        "--others", type=int, default=100, help="data sets of each other setting, and of curves"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes; change no number")
    parser.add_argument("--output", type=Path, default=Path("docs/validation.md"))
    kept = Path("results/validation")
    what = "folder of what was measured; what is there is not measured again"
    parser.add_argument("--kept", type=Path, default=kept, help=f"{what} (default: {kept})")
    return parser


if __name__ == "__main__":
    try:
        main()
    except RulealignError as error:
        sys.exit(str(error))
