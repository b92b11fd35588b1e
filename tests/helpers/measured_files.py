"""Small files of features, signals and brains of known responses, for tests of measures."""

from dataclasses import fields

import numpy as np

from rulealign.arm import Arm
from rulealign.claims.measures import measure_class
from rulealign.claims.universes.gram_scores import GramFiles, score_grams
from rulealign.claims.universes.scores import score_universes
from rulealign.encoding.encode import encode
from rulealign.encoding.roi_gram import write_roi_gram
from rulealign.plan.settings.claims import MeasuredSettings
from rulealign.plan.settings.encoding import EncodingSettings, GramSettings
from rulealign.plan.settings.scores import SignalRdmSettings
from rulealign.rsa.rdm import correlation_rdm
from rulealign.rsa.signal_rdms import write_signal_rdms
from rulealign.store import read_csv, write_h5

N, SEED, DRAWS, FOLDS, INNER = 36, 3, 120, 4, 3
IDS = [f"image_{place:02d}" for place in range(N)]
PENALTIES = [0.1, 10.0]
ARM = Arm("cnn3", "bp")
DATASETS = {
    "activations": "activations",
    "gradient": "gradient-own-decision",
    "teaching": "teaching",
}


def write_networks(folder, features, seeds=(1,), epochs=(0,)):
    """Write activations and signals; `features(seed, epoch)` gives features -> values of conv1."""
    made = {name: [] for name in DATASETS}
    for seed in seeds:
        for epoch in epochs:
            about = {"network": "cnn3", "rule": "bp", "seed": seed, "epoch": epoch}
            about |= {"stimuli": "grey", "size": 32}
            values = features(seed, epoch)
            path = folder / f"seed-{seed}_epoch-{epoch}"
            arrays = {"conv1/grid-8": values.pop("activations")}
            files = {"activations": (path.with_suffix(".h5"), arrays)}
            arrays = {f"conv1/grid-8/{DATASETS[name]}": of for name, of in values.items()}
            signals = path.with_name(f"{path.name}_signals.h5")
            files |= dict.fromkeys(values, (signals, arrays))
            for name, (file, held) in files.items():
                write_h5(file, held, ids={"stimulus": IDS}, settings={}, attributes=about)
                made[name].append(file)
    return made


def write_brain(folder, responses, roi="V1"):
    """Write each subject's RDM, and the ROI's Gram matrices and folds."""
    paths = []
    for subject, own in enumerate(responses):
        rdm = correlation_rdm(own, centred=False, ids=IDS)
        paths.append(folder / f"sub-{subject}_roi-{roi}_rdm.h5")
        about = {"subject": f"{subject:02d}", "roi": roi, "distance": "1 - Pearson"}
        about |= {"acquisition": "3T", "repetitions": 2}
        write_h5(paths[-1], {"rdm": rdm}, ids={"stimulus": IDS}, settings={}, attributes=about)
    told = {"study_seed": SEED, "folds": FOLDS, "inner_folds": INNER}
    told |= {"distance": "correlation", "by_concept": False}
    write_roi_gram(paths, roi, GramSettings(**told), folder / f"roi-{roi}_gram.h5")
    return paths, folder / f"roi-{roi}_gram.h5"


def settings(
    measure, features, conventions=("per_subject", "mean_rdm"), shuffles=0, goal="stimuli"
):
    """Give what a job of one measure and one kind of features is told."""
    axes = {"pairs": "all", "comparison": "spearman", "control": "none", "centring": "centred"}
    axes |= measure_class(measure).fixed
    centring = axes.pop("centring")
    return MeasuredSettings(
        study_seed=SEED,
        bootstrap_draws=DRAWS,
        interval=0.9,
        generalise_to=goal,
        layers=["conv1"],
        descriptors=["grid-8"],
        centring=[centring],
        shuffles=shuffles,
        analyses=[axes | {"convention": one} for one in conventions],
        measure=measure,
        features=features,
        dataset=DATASETS[features],
        distance="correlation",
        inner_folds=INNER,
        penalties=PENALTIES,
    )


def write_measured(folder, files, brain, told, roi="V1", arm=ARM):
    """Score in one way, as the jobs do; give the table's and the draws' path."""
    models, (paths, grams) = files[told.features], brain
    name = f"{told.measure}_{told.features}_roi-{roi}"
    made = folder / f"{name}.csv", folder / f"{name}_draws.h5"
    if not measure_class(told.measure).of_rdms:
        score_grams(GramFiles(models, paths, grams), arm, roi, told, *made)
        return made
    about = SignalRdmSettings(centring=["centred"], dataset=told.dataset)
    rdms = [path.with_name(f"{path.stem}_{told.features}_rdms.h5") for path in models]
    for signals, rdm in zip(models, rdms, strict=True):
        write_signal_rdms(signals, rdm, about)
    score_universes(rdms, paths, [], arm, roi, told, *made)
    return made


def write_encoded(folder, files, brain, roi="V1", goal="stimuli"):
    """Score by the encoding arm itself; give the file of its errors."""
    told = settings("encoding", "gradient", goal=goal).plain()
    names = [field.name for field in fields(EncodingSettings)]
    told |= {"least_ceiling": None, "block": None, "device": "cpu"}
    told = EncodingSettings(**{name: told[name] for name in names})
    paths = folder / f"{roi}_encoding.csv", folder / f"{roi}_errors.h5"
    signals = sorted({path for name in ("gradient", "teaching") for path in files[name]})
    encode(files["activations"], brain[1], told, *paths, signals)
    return paths[1]


def scores(table):
    """Give convention -> score of the only network."""
    return read_csv(table).set_index("convention")["score"].to_dict()


def unit(responses):
    """Take mean and length from each pattern, as 1 - Pearson's r does."""
    rows = responses - responses.mean(axis=1, keepdims=True)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
