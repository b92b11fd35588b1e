"""Files of RDMs, of subjects and perhaps sessions, checked before use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rulealign.data.brains import brain_class
from rulealign.data.copies import same_rdms
from rulealign.data.given_rdms import ReadRdms
from rulealign.data.rdm_axes import TIMES, square_rdms
from rulealign.data.rdm_check import whole_rdm
from rulealign.data.rdm_formats import stored_rdms
from rulealign.data.rdm_labels import Labels, refuse_other_labels, row_labels
from rulealign.data.rdm_names import ids_of_file, order_of_images, refuse_other_order
from rulealign.data.rdm_subjects import refuse_other_subjects
from rulealign.data.time_axis import at_each_time, require_same_times
from rulealign.data.times import times_in_ms
from rulealign.errors import DataError
from rulealign.store import require_same_ids, write_h5

if TYPE_CHECKING:
    from rulealign.data.brains.rdm_archive import RdmArchive
    from rulealign.plan.settings.brain import GivenRdmsSettings

_SAME_STIMULI = "All files of an ROI need RDMs of the same stimuli."


def read_rdms(
    brain: RdmArchive, roi: str, sources: Sequence[Path], images: Sequence[str] = ()
) -> ReadRdms:
    """Read the RDMs of one ROI and check that they are RDMs; nothing pickled is ever loaded.

    Args:
        brain: the section of the study.
        roi: the ROI's name.
        sources: the files that `brain.sources(roi)` names, on this machine.
        images: ids of the images, in order; not needed where a pattern names the stimuli.

    Returns:
        The RDMs, in the unit of the files, and the ids of their stimuli, in the order of the
        images.

    Raises:
        DataError: a file or its key is missing (lists the keys), an array does not fit the numbers
            of subjects and sessions or fits in several ways, files have different numbers of
            stimuli or times, label their rows otherwise or in another order, name other subjects,
            something is no RDM (as in `whole_rdm`), or two sessions of a subject are the same.
            Names file, subject and place.
        StoreError: an HDF5 file is damaged.
    """
    rdms: dict[tuple[str, str], np.ndarray] = {}
    of_files: list[tuple[list[str], np.ndarray | None, Labels]] = []
    for path, held in zip(sources, _held(brain, roi), strict=True):
        ids, times, labels, own = _of_file(brain, roi, path, held, images)
        for other, (*_, others) in zip(sources, of_files, strict=False):
            refuse_other_labels(labels, path, others, other)
        of_files.append((ids, times, labels))
        require_same_ids(ids, of_files[0][0], str(path), str(sources[0]), _SAME_STIMULI)
        if times is not None:
            require_same_times(times, of_files[0][1], str(path), str(sources[0]))
        rdms |= own
    (ids, times, _), sessions = of_files[0], brain.sessions_of(roi)
    whole = {one: [rdms[one, session] for session in sessions] for one in brain.subjects_of(roi)}
    for subject, own in whole.items():
        _refuse_same_sessions(own, sessions, f"{sources[0]}: sub-{subject}")
    order = order_of_images(ids, images, sources[0])
    # shape (subjects, sessions, times, stimuli, stimuli), one time where there is none
    ordered = np.array(list(whole.values()))[..., order, :][..., order]
    names = [ids[place] for place in order]
    if times is None:
        return ReadRdms(ordered[:, :, 0], names)
    return ReadRdms(ordered.mean(axis=2), names, ordered.mean(axis=1), times)


def _of_file(
    brain: RdmArchive,
    roi: str,
    path: Path,
    held: tuple[list[str], list[str]],
    images: Sequence[str],
) -> tuple[list[str], np.ndarray | None, Labels, dict[tuple[str, str], np.ndarray]]:
    """Read a file of subjects and sessions: ids, times, labels, and the RDMs of each of these."""
    section, (subjects, sessions) = brain.rois[roi], held
    stored = stored_rdms(path, section.key)
    counts = (len(subjects), len(sessions))
    moments, axes = at_each_time(stored.numbers, tuple(section.axes or stored.axes), path)
    squares = np.stack([square_rdms(one, counts, axes, path) for one in moments])
    key = f"brain.rois.{roi}.{TIMES}"
    times = None if section.times is None else times_in_ms(section.times, len(squares), path, key)
    ids = ids_of_file(brain, squares.shape[-1], stored.texts, path, images)
    refuse_other_order(stored.texts, path, ids)
    named = not isinstance(brain.subjects, int)
    refuse_other_subjects(stored.texts, path, subjects, len(sessions), named=named)
    rdms = {}
    for place, who in zip(np.ndindex(counts), product(subjects, sessions), strict=True):
        where = f"{path}: sub-{who[0]}" + (f", ses-{who[1]}" if len(sessions) > 1 else "")
        at = [""] if times is None else [f", {time:g} ms" for time in times]
        own = zip(squares[(slice(None), *place)], at, strict=True)
        told = {"pairs": brain.pairs, "distance": brain.distance}
        rdms[who] = np.stack([whole_rdm(one, ids, f"{where}{time}", **told) for one, time in own])
    # ids that a file names itself are the order of its own rows, whatever the other labels
    own_order = brain.ids_told_by == "descriptor"
    return ids, times, {} if own_order else row_labels(stored.texts, len(ids)), rdms


def _held(brain: RdmArchive, roi: str) -> Iterator[tuple[list[str], list[str]]]:
    """List the subjects and sessions that each source of an ROI has, as `sources` are ordered."""
    subjects, sessions = brain.subjects_of(roi), brain.sessions_of(roi)
    source = brain.rois[roi].source
    for some in [[one] for one in subjects] if "{subject}" in source else [subjects]:
        for few in [[one] for one in sessions] if "{session}" in source else [sessions]:
            yield some, few


def write_subject_rdms(
    sources: Sequence[Path],
    settings: GivenRdmsSettings,
    roi: str,
    outputs: Sequence[Path],
    images: Sequence[str] = (),
) -> None:
    """Write the RDMs of one ROI, one file per subject, condensed.

    Args:
        sources: what the ROI's sources are, on this machine.
        settings: the brain data.
        roi: the ROI's name.
        outputs: one HDF5 file per subject of the ROI, in the order of the study: `rdm` float64
            (stimuli * (stimuli - 1) / 2,), the upper triangle row by row, with the ids
            `stimulus` and the attributes subject (its name, or its number from 1), roi, distance,
            acquisition and repetitions (0: as given). Where there are several sessions, `rdm` is
            their mean, `repeats`, float64 (sessions, the same), holds each, and the attribute
            repeats_are says how many. Nothing tells in which form the RDMs were given. A pair that
            is missing is NaN, in the mean if any session lacks it, and the attribute missing_pairs
            counts these. Of RDMs that change over time all of these are means over time; their own
            are `over_time`, float64 (times, the same), means over sessions, and `times`, in ms.
        images: ids of the images, in order; not needed where a pattern names the stimuli.

    Raises:
        DataError: as in `read_rdms`.
        StoreError: the disk is full, or an HDF5 file is damaged.
    """
    # the registry is asked, not the section: so the code of the kind is in the job's fingerprint
    brain = settings.brain
    read = brain_class(brain.kind).read(brain, roi, sources, images)
    condensed = read.rdms[(..., *np.triu_indices(len(read.ids), 1))]
    described = {"distance": brain.distance, "acquisition": brain.acquisition}
    counted = isinstance(brain.subjects, int)  # then tables have 1, and names of files 01
    for place, (name, rdms, output) in enumerate(
        zip(brain.subjects_of(roi), condensed, outputs, strict=True)
    ):
        subject = int(name) if counted else name
        arrays, about = {"rdm": rdms[0]}, {"subject": subject, "roi": roi, "repetitions": 0}
        if len(rdms) > 1:
            arrays = {"rdm": rdms.mean(axis=0), "repeats": rdms}
            about["repeats_are"] = f"{len(rdms)} sessions"
        if read.over_time is not None:
            upper = np.triu_indices(len(read.ids), 1)
            arrays |= {"over_time": read.over_time[place][(..., *upper)], "times": read.times}
        if missing := int(np.isnan(arrays["rdm"]).sum()):
            about["missing_pairs"] = missing
        ids = {"stimulus": read.ids}
        write_h5(output, arrays, ids=ids, settings=described, attributes=about | described)


def _refuse_same_sessions(rdms: Sequence[np.ndarray], sessions: Sequence[str], where: str) -> None:
    upper = np.triu_indices(rdms[0].shape[-1], 1)
    named = {
        f"ses-{name}": rdm[(..., *upper)].ravel() for name, rdm in zip(sessions, rdms, strict=True)
    }
    for copy, first in same_rdms(named).items():
        raise DataError(
            f"{where}: {copy} has the RDM of {first}, so that sessions would seem to agree"
            " perfectly. Bring the right file; or give their mean alone, and sessions 1."
        )
