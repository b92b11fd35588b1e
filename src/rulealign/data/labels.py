"""Which class of the training set each stimulus is of, as a study's table says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rulealign.data.images.training_split import class_names
from rulealign.errors import DataError
from rulealign.store import open_h5, read_ids


def label_numbers(
    labels: Mapping[str, str], stimuli: Sequence[str], classes: Sequence[str], what: str
) -> np.ndarray:
    """Give the number of each stimulus' class.

    Args:
        labels: stimulus id -> name of a class.
        stimuli: ids, in order.
        classes: of the training set, in label order.
        what: whose stimuli they are, for errors: the file.

    Returns:
        int64, shape (n_stimuli,).

    Raises:
        DataError: a stimulus has no label, a label is of another stimulus, or is no class.
    """
    for name in stimuli:
        if name not in labels:
            raise DataError(f"{what}: stimulus '{name}' has no label; add it to encoding.labels.")
    others = [name for name in labels if name not in set(stimuli)]
    if others:
        raise DataError(
            f"{what}: there is no stimulus '{others[0]}', which encoding.labels has; correct it."
        )
    numbers = {name: place for place, name in enumerate(classes)}
    for name in stimuli:
        if labels[name] not in numbers:
            raise DataError(
                f"{what}: the label '{labels[name]}' of '{name}' is no class of the training set;"
                f" there are: {', '.join(classes[:20])}."
            )
    return np.array([numbers[labels[name]] for name in stimuli], dtype=np.int64)


def require_labels(labels: Mapping[str, str], stimuli: Path, training_set: Path) -> None:
    """Refuse labels that do not fit the stimuli or the training set, before networks are trained.

    Args:
        labels: stimulus id -> name of a class.
        stimuli: a file of prepared stimulus images.
        training_set: its file, which names the classes.

    Raises:
        DataError: as in `label_numbers`.
    """
    with open_h5(stimuli) as file:
        ids = read_ids(file, "stimulus")
    label_numbers(labels, ids, class_names(training_set), str(stimuli))
