"""One subject's files of THINGS-fMRI out of its archives, and nobody else's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from rulealign.atomic import whole
from rulealign.data.download.fetch import resolve
from rulealign.data.images.archive_member import extract_members
from rulealign.errors import DataError

RECORD = "unpacked.json"
"""The file that tells that a subject's volumes are complete; written last."""


def archive_of(path: Path) -> Path:
    """Find the archive that a job waits for.

    Args:
        path: an archive of the user's, or the record `fetched.json` of a downloaded dataset.

    Returns:
        The archive.

    Raises:
        DataError: the dataset is not complete.
    """
    path = Path(path)
    if path.name != "fetched.json":
        return path
    return resolve(path.parent.name, path.parent.parent)


def unpack_tables(archive: Path, subject: str, outputs: Sequence[Path]) -> None:
    """Unpack one subject's three tables.

    Args:
        archive: the zip of tables, as figshare+ has it, in whatever folder its members lie.
        subject: label, such as "01".
        outputs: the files to make, named as the members are.

    Raises:
        DataError: the archive is damaged, or has not just one member of each name.
        StoreError: they do not fit on the disk.
    """
    names, folder = {path.name for path in outputs}, Path(outputs[0]).parent
    workshop = folder / ".unpacking"
    try:
        made = extract_members(archive, lambda name: name.rpartition("/")[2] in names, workshop)
        for output in outputs:
            found = [path for path in made.values() if path.name == output.name]
            if len(found) != 1:
                raise DataError(
                    f"{archive}: has {len(found)} files '{output.name}', and not one: it is not the"
                    f" archive of tables, or lacks sub-{subject}."
                )
            found[0].replace(output)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def unpack_volumes(archives: Sequence[Path], subject: str, record: Path) -> None:
    """Unpack one subject's volumes, masks and noise ceilings.

    Args:
        archives: the archives that hold them.
        subject: label, such as "01".
        record: `unpacked.json`, to be made in the folder that the files go to; written last.

    Raises:
        DataError: an archive is damaged or has nothing of this subject.
        StoreError: they do not fit on the disk.
    """
    # what lies there came from other archives, or from a job that was killed
    shutil.rmtree(record.parent, ignore_errors=True)
    listing: dict[str, list[str]] = {}
    for archive in archives:
        made = extract_members(archive, lambda name: f"sub-{subject}" in name, record.parent)
        listing[archive.name] = sorted(made)
    with whole(record) as temporary:
        temporary.write_text(json.dumps(listing, indent=2) + "\n", encoding="utf-8")
