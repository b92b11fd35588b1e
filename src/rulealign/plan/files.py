"""The names of all files of a study's results; every name says what the file holds.

They are relative to the study's folder of results, and braces stand for what tells files apart:
labels of networks, rules and stimulus sets, ROIs, subjects, seeds, epochs and sizes in pixels. No
job's fingerprint holds this module, since a name makes no number: jobs are given paths.
"""

from __future__ import annotations

from types import SimpleNamespace

from rulealign.rerun.study_folder import COMPLETE, RECORD

ARM = "net-{network}_rule-{rule}"
"""One network under one rule."""
NETWORK = f"{ARM}_seed-{{seed}}_epoch-{{epoch}}"
"""The same with one seed at one point of its training."""
VIEW = "stim-{stimuli}_px-{size}_descriptor-{descriptor}_centring-{centring}"
"""One of the measured settings."""

_COMPARED = f"alignment/{ARM}_roi-{{roi}}"
_MEASURED = f"{_COMPARED}_measure-{{measure}}_features-{{features}}_universes"
_BRAIN = "brain/sub-{subject}_roi-{roi}"
_SHOWN = "stim-{stimuli}_px-{size}"
_SIMULATED = "simulated/sub-{subject}"

FILES = {
    "training_set": "training_set/images.h5",
    "stimuli": f"stimuli/{_SHOWN}_images.h5",
    "simulated": "simulated",
    "simulated_images": "simulated/images",
    "simulated_truth": "simulated/truth.h5",  # holds the fingerprint of the images
    "simulated_responses": f"{_SIMULATED}_ResponseData.h5",
    "simulated_voxels": f"{_SIMULATED}_VoxelMetadata.csv",
    "simulated_stimuli": f"{_SIMULATED}_StimulusMetadata.csv",
    "trials": "brain/sub-{subject}_trials.csv",
    "acquisition": "brain/sub-{subject}_acquisition.json",
    "responses": f"{_BRAIN}_responses.h5",
    "brain_quality": f"{_BRAIN}_quality.csv",
    "brain_rdm": f"{_BRAIN}_rdm.h5",
    "pairs": "brain/pairs.h5",
    "ceiling": "brain/roi-{roi}_ceiling.csv",
    "checkpoint": f"checkpoints/{NETWORK}.pt",
    "checkpoint_log": f"checkpoints/{NETWORK}_log.csv",
    "diagnostics": f"diagnostics/{ARM}_seed-{{seed}}.csv",
    "filters": f"diagnostics/{ARM}_seed-{{seed}}_filters.h5",
    "activations": f"activations/{NETWORK}_{_SHOWN}.h5",
    "model_rdms": f"rdms/{NETWORK}_{_SHOWN}.h5",
    "shown_rdms": "rdms/shown.h5",
    "control_rdms": f"rdms/controls_{_SHOWN}.h5",
    "alignment": f"{_COMPARED}.csv",
    "draws": f"{_COMPARED}_draws.h5",
    "layers": f"{_COMPARED}_layers.csv",
    "over_time": f"{_COMPARED}_times.csv",
    "universes": f"{_COMPARED}_universes.csv",
    "universes_draws": f"{_COMPARED}_universes_draws.h5",
    "signal_rdms": f"rdms/{NETWORK}_{_SHOWN}_features-{{features}}.h5",
    "measured": f"{_MEASURED}.csv",
    "measured_draws": f"{_MEASURED}_draws.h5",
    "signals": f"signals/{NETWORK}_{_SHOWN}.h5",
    "gram": "encoding/roi-{roi}_gram.h5",
    "voxels": "encoding/roi-{roi}_voxels.h5",
    "encoding": f"encoding/{ARM}_roi-{{roi}}.csv",
    "encoding_errors": f"encoding/{ARM}_roi-{{roi}}_errors.h5",
    "control_alignment": "alignment/controls_roi-{roi}.csv",
    "control_draws": "alignment/controls_roi-{roi}_draws.h5",
    "table": "statistics/{table}.csv",
    "figure": "figures/{figure}.svg",
    "trajectory": f"figures/trajectory_{VIEW}.svg",
    "final": f"figures/final_{VIEW}.svg",
    "record": RECORD,
    "study": COMPLETE,
    "page": "report.html",
    "dictionary": "statistics/README.md",
    "logs": "logs",
    "cost_table": "logs/cost.csv",  # beside the logs that it is read from: it is no result
    "cost_page": "logs/cost.html",
}
"""What a file holds -> its name."""


def result_files(results: str) -> SimpleNamespace:
    """Put the names of all files behind the folder of a study's results.

    Args:
        results: the folder, such as `results/<study>`.

    Returns:
        An attribute per key of `FILES`: a path, with braces.
    """
    return SimpleNamespace(results=results, **{k: f"{results}/{v}" for k, v in FILES.items()})
