"""Small RDM files of networks, brains and controls, for tests of universes."""

from itertools import product

import numpy as np

from rulealign.plan.settings.claims import UniverseSettings
from rulealign.store import write_h5

N = 30
PAIRS = N * (N - 1) // 2
IDS = [f"image_{place:02d}" for place in range(N)]
LAYERS = ("conv1", "conv2", "fc1")
PLACES = [
    f"{layer}/{descriptor}/{centring}"
    for layer in LAYERS
    for descriptor in (("vector",) if layer == "fc1" else ("global-average", "grid-8"))
    for centring in ("centred", "uncentred")
]
PLAIN = {
    "pairs": "all",
    "convention": "per_subject",
    "comparison": "spearman",
    "control": "none",
}
SETTINGS = UniverseSettings(
    study_seed=5,
    bootstrap_draws=30,
    interval=0.9,
    generalise_to="stimuli",
    layers=["conv1", "fc1"],
    descriptors=["global-average", "grid-8"],
    centring=["uncentred", "centred"],
    shuffles=0,
    analyses=[PLAIN],
)


def common(n_pairs=PAIRS):
    """Give what all RDMs share, so that scores are not all about 0."""
    return np.random.default_rng(77).random(n_pairs)


def model_file(folder, seed, epoch, stimuli, size, ids=IDS, rule="bp", places=PLACES, **more):
    keys = {
        "network": "cnn3",
        "rule": rule,
        "seed": seed,
        "epoch": epoch,
        "stimuli": stimuli,
        "size": size,
    }
    path = folder / f"rule-{rule}_seed-{seed}_epoch-{epoch}_stim-{stimuli}_px-{size}.h5"
    rng = np.random.default_rng([seed, epoch, len(stimuli), size])
    rdms = {name: (rng.random(PAIRS) + common()).astype(np.float32) for name in places}
    rdms |= more.pop("rdms", {})
    settings = more.pop("settings", {"centring": ["uncentred", "centred"]})
    write_h5(path, rdms, ids={"stimulus": ids}, settings=settings, attributes=keys)
    return path


def model_files(folder, seeds=(1, 2), epochs=(0, 3), stimuli=("grey", "white"), sizes=(16, 32)):
    sets = product(seeds, epochs, stimuli, sizes)
    return [model_file(folder, *one) for one in sets]


def brain_file(folder, subject, roi="V1", ids=IDS, rdm=None):
    path = folder / f"sub-{subject}_roi-{roi}_rdm.h5"
    if rdm is None:
        rdm = np.random.default_rng([9, subject]).random(PAIRS) + common()
    about = {"subject": subject, "roi": roi, "distance": "1 - Pearson"}
    about |= {"acquisition": "3T", "repetitions": 2}
    write_h5(path, {"rdm": rdm}, ids={"stimulus": ids}, settings={}, attributes=about)
    return path


def control_file(folder, stimuli, size, missing=(), ids=IDS, **rdms):
    path = folder / f"controls_stim-{stimuli}_px-{size}.h5"
    names, centrings = ("silhouette", "pixels", "gabor-grid"), ("centred", "uncentred")
    arrays = {}
    for place, (name, how) in enumerate(product(names, centrings)):
        rng = np.random.default_rng([3, place, size, len(stimuli)])
        if name not in missing:
            own = rng.random(PAIRS) + common()
            arrays[f"{name}/image/{how}"] = rdms.get(name, own).astype(np.float32)
    about = {"kind": "control", "network": "control", "rule": "control", "seed": 0, "epoch": 0}
    about |= {"stimuli": stimuli, "size": size}
    about |= {f"missing:{name}": "the images have no uniform background" for name in missing}
    settings = {"controls": list(names), "centring": list(centrings)}
    write_h5(path, arrays, ids={"stimulus": ids}, settings=settings, attributes=about)
    return path


def pairs_file(path, mask, ids=IDS):
    write_h5(path, {"cross_run": mask}, ids={"stimulus": ids}, settings={}, attributes={})
    return path
