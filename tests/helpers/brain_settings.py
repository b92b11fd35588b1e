"""What jobs of brain data are told, as tests need it: defaults, and what differs."""

from rulealign.config.brain import Roi
from rulealign.data.brains.rdm_archive import RdmArchive
from rulealign.plan.settings.brain import DistanceSettings, GivenRdmsSettings, ResponsesSettings


def union(*columns, **changes):
    """Give an ROI that is a union of columns, with what differs."""
    return Roi(union=list(columns), **changes)


def responses_of(roi, **changes):
    """Give what an ROI is read with: stops at every fault, unless told otherwise."""
    faults = {"faulty_voxels": "stop", "duplicated_trials": "stop"} | changes
    return ResponsesSettings(voxels=roi, released=False, **faults)


def patterns_by(distance="correlation", stimulus_set="test-repeats", zscore="all-trials"):
    """Give what a distance between patterns rests on."""
    return DistanceSettings(stimulus_set=stimulus_set, zscore=zscore, distance=distance)


def given_rdms(roi="IT", subjects=1, sessions=1, ids="image_{:02d}", **described):
    """Give what the RDMs of one ROI are read with, from a file with one array."""
    described = {"distance": "1 - Pearson", "acquisition": "3T"} | described
    section = {"kind": "rdm-archive", "rois": {roi: {"source": "lab/rdms.npy"}}, "ids": ids}
    counts = {"subjects": subjects, "sessions": sessions}
    return GivenRdmsSettings(brain=RdmArchive.model_validate(section | counts | described))
