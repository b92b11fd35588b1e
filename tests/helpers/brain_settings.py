"""What jobs of brain data are told, as tests need it: defaults, and what differs."""

from rulealign.config.brain import Roi
from rulealign.data import rdm_files
from rulealign.data.brains.rdm_archive import RdmArchive
from rulealign.plan.settings.brain import DistanceSettings, GivenRdmsSettings, ResponsesSettings
from rulealign.rsa.distances import distance_class


def union(*columns, **changes):
    """Give an ROI that is a union of columns, with what differs."""
    return Roi(union=list(columns), **changes)


def responses_of(roi, **changes):
    """Give what an ROI is read with: stops at every fault, unless told otherwise."""
    faults = {"faulty_voxels": "stop", "duplicated_trials": "stop"} | changes
    return ResponsesSettings(voxels=roi, released=False, **faults)


def patterns_by(name="correlation", stimulus_set="test-repeats", zscore="all-trials", **settings):
    """Give what a distance between patterns rests on."""
    distance = distance_class(name)(**settings)
    return DistanceSettings(stimulus_set=stimulus_set, zscore=zscore, distance=distance)


def given_rdms(roi="IT", source="lab/rdms.npy", key=None, axes=None, **changes):
    """Give what the RDMs of one ROI are read with, by default those of one subject."""
    described = {"distance": "1 - Pearson", "acquisition": "3T", "ids": "image_{:02d}"}
    files = {roi: {"source": str(source), "key": key, "axes": axes}}
    section = {"kind": "rdm-archive", "rois": files, "subjects": 1} | described | changes
    return GivenRdmsSettings(brain=RdmArchive.model_validate(section))


def read_rdms(path, key, subjects, **changes):
    """Read the RDMs of one file; without the axis of sessions where there is one of each."""
    told = given_rdms("IT", path, key, subjects=subjects, **({"ids": "stimulus {}"} | changes))
    rdms = rdm_files.read_rdms(told.brain, "IT", [path]).rdms
    return rdms[:, 0] if rdms.shape[1] == 1 else rdms
