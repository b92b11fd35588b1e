"""Labels of the rows of given RDMs, file against file: the same, or the order cannot be known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rulealign.data.mat import NAMES
from rulealign.data.rdm_formats import stored_rdms
from rulealign.data.rdm_formats.hdf5 import OF_RDMS
from rulealign.data.rdm_names import is_count
from rulealign.data.rdm_subjects import told_subjects
from rulealign.data.same_names import words_of
from rulealign.errors import DataError
from rulealign.store import stimulus_ids

Labels = dict[str, list[str]]


def row_labels(texts: Mapping[str, Sequence[str]], count: int) -> Labels:
    """Pick what may name the rows of RDMs.

    Args:
        texts: name -> texts beside the RDMs.
        count: how many rows there are.

    Returns:
        Those of that length that are different from each other; neither a running count from 0,
        nor what tells of RDMs or subjects.
    """
    return {
        key: list(names)
        for key, names in texts.items()
        if len(names) == len(set(names)) == count
        and not (is_count(names) or key == NAMES or key.startswith(OF_RDMS))
        and not told_subjects(key, names)
    }


def refuse_other_labels(own: Labels, path: Path, first: Labels, first_path: Path) -> None:
    """Refuse two files whose rows are labelled differently, where no label is an id.

    Args:
        own: labels of a file, as `row_labels` gives them.
        path: that file.
        first: labels of the file that it is held against.
        first_path: that file.

    Raises:
        DataError: labels of one name differ, or labels of any names are the same in another order;
            names both files and the first row that differs.
    """
    for key, names in own.items():
        for other_key, others in first.items():
            words, expected = list(map(words_of, names)), list(map(words_of, others))
            alike = key == other_key or sorted(words) == sorted(expected)
            if alike and words != expected:
                row = next(n for n, word in enumerate(words) if word != expected[n])
                raise DataError(
                    f"{path}: '{key}' labels row {row} of the RDMs {names[row]}, and '{other_key}'"
                    f" of {first_path} labels it {others[row]}. Bring the rows and columns of all"
                    " RDMs into one order, under the same labels; or take labels that are wrong out"
                    " of the files."
                )


def require_same_labels(labelled: Mapping[str, str | None], stimuli: Path) -> None:
    """Refuse files of given RDMs, of any ROI, that label their rows differently.

    Args:
        labelled: file -> the name of its array.
        stimuli: a file of prepared stimulus images.

    Raises:
        DataError: as in `refuse_other_labels` and `stored_rdms`.
    """
    count = len(stimulus_ids(stimuli))
    before: list[tuple[Path, Labels]] = []
    for path, key in ((Path(file).expanduser(), key) for file, key in labelled.items()):
        own = row_labels(stored_rdms(path, key).texts, count)
        for other, labels in before:
            refuse_other_labels(own, path, labels, other)
        before.append((path, own))
