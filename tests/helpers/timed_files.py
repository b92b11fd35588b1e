"""Small files of model RDMs, and of brain RDMs in which layers peak at known times."""

import numpy as np
import pandas as pd

from rulealign.arm import Arm
from rulealign.plan.settings.scores import OverTimeSettings
from rulealign.rsa.brain_rdms import BrainRdms
from rulealign.rsa.courses import Courses
from rulealign.rsa.model_rdms import ModelRdms
from rulealign.rsa.over_time import over_time_rows, write_over_time
from rulealign.rsa.timed_rdms import TimedRdms
from rulealign.store import read_csv, write_h5

N = 14
PAIRS = N * (N - 1) // 2
IDS = [f"image_{place:02d}" for place in range(N)]
DEPTHS = {"conv1": 0.2, "conv2": 0.4, "conv3": 0.6, "fc1": 0.8, "fc2": 1.0}
TIMES = np.arange(-40.0, 241, 20)
SETTINGS = OverTimeSettings(
    study_seed=5, bootstrap_draws=200, interval=0.9, pairs="all", depths={"cnn3": DEPTHS}
)


def layer_rdms(seed=0, layers=tuple(DEPTHS)):
    """Give an RDM per layer, unrelated to each other."""
    rng = np.random.default_rng([seed, 1])
    return {layer: rng.random(PAIRS).astype(np.float32) for layer in layers}


def model_files(folder, by_seed):
    """Write the RDMs of networks: seed -> layer -> RDM. Convolutions have two descriptors."""
    paths = []
    for seed, rdms in by_seed.items():
        keys = {"network": "cnn3", "rule": "bp", "seed": seed, "epoch": 3}
        keys |= {"stimuli": "grey", "size": 32}
        arrays = {}
        for layer, rdm in rdms.items():
            if layer.startswith("fc"):
                arrays[f"{layer}/vector/centred"] = rdm
            else:
                arrays[f"{layer}/grid-2/centred"] = rdm
                arrays[f"{layer}/global-average/centred"] = rdm[::-1].copy()
        paths.append(folder / f"seed-{seed}.h5")
        write_h5(paths[-1], arrays, ids={"stimulus": IDS}, settings={}, attributes=keys)
    return paths


def brain_file(folder, subject, over_time, times=TIMES):
    path = folder / f"sub-{subject}_roi-MEG_rdm.h5"
    about = {"subject": subject, "roi": "MEG", "distance": "1 - Pearson"}
    about |= {"acquisition": "MEG", "repetitions": 0}
    arrays = {"rdm": over_time.mean(axis=0), "over_time": over_time, "times": times}
    write_h5(path, arrays, ids={"stimulus": IDS}, settings={}, attributes=about)
    return path


def peaking(rdms, peaks, rng, noise, width=30.0):
    """Make RDMs over time in which each layer's share is highest at its own time."""
    made = rng.normal(size=(len(TIMES), PAIRS)) * noise
    for rdm, peak in zip(rdms.values(), peaks, strict=True):
        made += np.exp(-(((TIMES - peak) / width) ** 2))[:, np.newaxis] * (rdm - rdm.mean())
    return made


def rows_of(rdms, brains, settings=SETTINGS):
    """Score one network's layers without any file; give the table's rows."""
    keys = {"network": "cnn3", "rule": "bp", "seed": 1, "epoch": 3, "stimuli": "grey", "size": 32}
    index = pd.DataFrame([keys | {"layer": layer} for layer in rdms])
    models = ModelRdms(index.assign(descriptor="vector", centring="centred"), IDS, [*rdms.values()])
    about = {"distance": "1 - Pearson", "acquisition": "MEG", "repetitions": 0}
    names = [str(place) for place in range(len(brains))]
    whose = BrainRdms("MEG", names, IDS, np.mean(brains, axis=1), **about)
    return over_time_rows(
        Courses.of(models, TimedRdms(whose, TIMES, np.array(brains)), settings, None)
    )


def scored(folder, by_seed, brains, settings=SETTINGS, times=TIMES):
    """Write the files of networks and subjects, score them, and give the table."""
    models = model_files(folder, by_seed)
    files = [brain_file(folder, place, one, times) for place, one in enumerate(brains, start=1)]
    write_over_time(models, files, Arm("cnn3", "bp"), "MEG", settings, folder / "times.csv")
    return read_csv(folder / "times.csv")
