"""Made-up RDMs of networks and brains that share a part, and what is shown of them."""

import itertools

import numpy as np
from scipy.spatial.distance import pdist

from rulealign.plan.settings.report import FigureSettings, ShownRdmsSettings
from rulealign.report.shown import read_shown
from rulealign.rsa.shown import write_shown_rdms
from rulealign.store import write_h5


def model_files(study, folder, ids, rng, seeds=(42, 123)):
    """Write a file of RDMs per rule, seed and epoch of a study; give the paths."""
    view, files = study.report.view, []
    places = rng.normal(size=(len(ids), 2))
    for rule, seed in itertools.product(study.rules, seeds):
        for epoch in study.epochs(rule):
            rdms = {}
            for layer in study.layers("cnn3"):
                descriptor = "vector" if layer == "fc1" else view.descriptor
                noise = rng.normal(size=places.shape)
                rdms[f"{layer}/{descriptor}/{view.centring}"] = pdist(places + noise)
            keys = {"network": "cnn3", "rule": rule, "seed": seed, "epoch": epoch}
            files.append(folder / f"{rule}_{seed}_{epoch}.h5")
            write_h5(files[-1], rdms, ids={"stimulus": ids}, settings={}, attributes=keys)
    return files


def brain_files(study, folder, ids, rng, subjects="123"):
    """Write an RDM per ROI and subject; give the paths."""
    files = []
    for roi, subject in itertools.product(study.mapped_rois(), subjects):
        about = {"subject": subject, "roi": roi, "distance": "1 - Pearson", "repetitions": 6}
        rdm = {"rdm": pdist(rng.normal(size=(len(ids), 3)))}
        files.append(folder / f"{roi}_{subject}.h5")
        about["acquisition"] = "made up"
        write_h5(files[-1], rdm, ids={"stimulus": ids}, settings={}, attributes=about)
    return files


def images_file(folder, ids, rng):
    """Write images of the stimuli; give the path."""
    pixels = rng.integers(0, 256, (len(ids), 40, 40, 3), dtype=np.uint8)
    write_h5(folder / "images.h5", {"images": pixels}, ids={"stimulus": ids}, settings={})
    return folder / "images.h5"


def filter_files(study, folder, rng, layer="conv1"):
    """Write the filters of the first seed of every rule; give the paths."""
    files = []
    for rule in study.rules:
        epochs = study.epochs(rule)
        weights = rng.normal(size=(len(epochs), 10, 5, 5, 3)).astype(np.float32)
        about = {"network": "cnn3", "rule": rule, "seed": 42, "layer": layer}
        files.append(folder / f"{rule}_filters.h5")
        ids = {"epoch": [str(epoch) for epoch in epochs]}
        write_h5(files[-1], {"filters": weights}, ids=ids, settings={}, attributes=about)
    return files


def make_shown(study, folder, count=30, *, pictures=True):
    """Make what is shown of RDMs of so many stimuli."""
    folder.mkdir(exist_ok=True)
    rng, ids = np.random.default_rng(5), [f"s{at:03d}" for at in range(count)]
    files = model_files(study, folder, ids, rng), brain_files(study, folder, ids, rng)
    images = images_file(folder, ids, rng) if pictures else None
    write_shown_rdms(*files, images, folder / "shown.h5", ShownRdmsSettings.of(study))
    filters = filter_files(study, folder, rng)
    return read_shown(folder / "shown.h5", filters, FigureSettings.of(study))
