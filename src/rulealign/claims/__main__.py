"""Lay the claims of several studies side by side: `python -m rulealign.claims results/a results/b`.

Prints a Markdown table: one row per claim, one column per study. Each cell has the verdict over all
universes that answer the same question as the primary one, then verdict, effect and interval in
the primary universe (named in the first row), and how many universes have each verdict.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rulealign.claims.side_by_side import markdown, side_by_side
from rulealign.errors import RulealignError
from rulealign.store import write_csv


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: of the command line; by default those given.

    Returns:
        0, or 1 after an error that is written to stderr.
    """
    parser = argparse.ArgumentParser(
        prog="python -m rulealign.claims", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("folders", nargs="+", type=Path, help="results/<study>, one or more")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table there, too")
    given = parser.parse_args(arguments)
    try:
        table = side_by_side(given.folders)
        if given.csv:
            write_csv(given.csv, table)
    except RulealignError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{given.csv}: cannot be written ({error.strerror}).", file=sys.stderr)
        return 1
    print(markdown(table), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
