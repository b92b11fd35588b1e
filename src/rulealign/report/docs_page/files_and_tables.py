"""The columns in docs/files-and-tables.md.

`python -m rulealign.report.docs_page.files_and_tables` writes their meanings anew; with folders of
finished studies behind it (results/<study>), columns that these have are added, too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from rulealign.atomic import whole
from rulealign.errors import DataError
from rulealign.report.dictionary import TABLES, section
from rulealign.store import read_csv

PAGE = Path("docs/files-and-tables.md")
_MARK = "<!-- from here on written by python -m rulealign.report.docs_page.files_and_tables -->\n"
_TITLE = re.compile(r"^### (\w+)\.csv$", re.MULTILINE)
_COLUMN = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


def rewritten(page: str, studies: Iterable[Path] = ()) -> str:
    """Write the columns of all tables anew.

    Args:
        page: the page as it is.
        studies: results/<study>, whose columns are added to those of the page.

    Returns:
        The page: what stands above the mark as it is, then every table in the dictionary's order.

    Raises:
        DataError: the page has no mark.
    """
    head, mark, written = page.partition(_MARK)
    if not mark:
        raise DataError(f"{PAGE}: lacks the line '{_MARK.strip()}', below which columns stand.")
    _, *parts = _TITLE.split(written)
    columns = {
        name: _COLUMN.findall(text) for name, text in zip(parts[::2], parts[1::2], strict=True)
    }
    for study in studies:
        for name in TABLES:
            file = study / "statistics" / f"{name}.csv"
            found = [_general(one) for one in read_csv(file)] if file.is_file() else []
            columns[name] = list(dict.fromkeys([*columns.get(name, []), *found]))
    there = [section(name, columns[name], "###") for name in TABLES if columns.get(name)]
    return "\n".join([head + _MARK, *there])


def _general(column: str) -> str:
    # depth:V1 is of a study's own ROI
    kind, colon, _ = column.partition(":")
    return f"{kind}:<ROI>" if colon else kind


def main() -> None:
    """Run the command: `PAGE`, and the folders that the command line names."""
    page = rewritten(PAGE.read_text(encoding="utf-8"), map(Path, sys.argv[1:]))
    with whole(PAGE) as temporary:
        temporary.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
