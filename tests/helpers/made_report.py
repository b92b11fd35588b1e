"""A small study with made-up tables and drawn figures, for tests of the page."""

from itertools import product

import numpy as np
import pandas as pd

import planted
import report_tables
from complete_studies import complete
from no_claims import without_claims
from rulealign.config.load import load_study
from rulealign.plan.settings.report import FigureSettings
from rulealign.report.figures import TITLES, draw_all
from rulealign.report.page_figures import report_figures
from rulealign.store import read_csv, write_csv
from shown_rdms import make_shown

FACTS = {
    "study_file": "studies/small.yaml",
    "study_fingerprint": "0123456789abcdef",
    "python": "3.11.9",
    "packages": {"numpy": "2.4.6"},
    "code": {"scripts/report.py": "00ff"},
    "inputs": [],
    "machine": "a processor that no page names",
}


def _study(project):
    settings = complete(project / "workflow_config.yaml")
    first = settings["report"]
    settings["evaluation"] |= {"sizes": [first["size"]], "centring": [first["centring"]]}
    return load_study({**without_claims(settings), "title": "Rules & <ROIs>"})


def _alignment(study, rng):
    rows, measured = [], study.evaluation
    for rule, stimuli, size, layer, centring, roi, convention in product(
        study.rules,
        study.stimuli,
        (32, 96),  # of which the study has one, as it has of centring
        study.layers("cnn3"),
        ("centred", "uncentred"),
        study.brain.rois,
        ("per_subject", "mean_rdm"),
    ):
        epochs = [0] if rule.startswith("untrained") else study.training.checkpoints
        descriptors = ["vector"] if layer == "fc1" else measured.descriptors
        for epoch, descriptor in product(epochs, descriptors):
            key = (rule, epoch, stimuli, size, layer, descriptor, centring, roi, convention, "all")
            score = rng.normal(0, 0.1)
            rows.append(
                (*key, 2, 30, 435, 4, score, *(score + np.array([-0.03, 0.04, -0.01, 0.02])))
            )
    columns = (
        "rule,epoch,stimuli,size,layer,descriptor,centring,roi,convention,pairs,"
        "n_seeds,n_stimuli,n_pairs,n_subjects,score,low,high,seed_low,seed_high"
    )
    return pd.DataFrame(rows, columns=columns.split(",")).assign(network="cnn3")


def _ceilings(study, rng):
    bounds = ["lower", "upper", "null_lower_mean", "null_lower_high"]
    bounds += ["null_upper_mean", "null_upper_high", "upper_any_model", "lower_raw", "upper_raw"]
    rows = []
    for place, roi in enumerate(study.brain.rois):
        row = {"roi": roi, "convention": "per_subject", "pairs": "all", "n_subjects": 4}
        row |= {"distance": "1 - Pearson", "acquisition": "simulated 3T", "repetitions": 6}
        row |= {"n_stimuli": 30, "informative": place > 0, "reason": np.nan}
        row |= {"informative_by": "lower bound of the noise ceiling", "reliability": np.nan}
        rows.append(row | dict(zip(bounds, rng.uniform(0, 0.5, len(bounds)), strict=True)))
    return pd.DataFrame(rows)


def _training(study, rng):
    rows = []
    for rule, seed in product(study.rules, (42, 123)):
        trains = not rule.startswith("untrained")
        for epoch in study.training.checkpoints if trains else [0]:
            loss = np.nan if epoch == 0 else rng.uniform(0.5, 2)
            rows.append((rule, rule, seed, epoch, trains, rng.uniform(), 1000, loss))
    columns = ["rule", "kind", "seed", "epoch", "trains"]
    columns += ["held_out_accuracy", "held_out_images", "loss"]
    return pd.DataFrame(rows, columns=columns).assign(network="cnn3")


def _diagnostics(study, rng):
    networks = _training(study, rng).drop(columns="loss")
    layers = pd.DataFrame({"layer": ["conv1", "conv2", "conv3", "fc1", "fc2"]})
    layers["convolution"] = layers["layer"].str.startswith("conv")
    table = networks.merge(layers, how="cross").assign(chance=0.1)
    for column in ("weight_change", "dead_units", "angle_to_bp", "effective_rank"):
        table[column] = rng.uniform(0.02, 1, len(table))
    table["effective_rank"] *= 50  # a rank is 1 at least
    table.loc[~table["trains"], ["angle_to_bp", "effective_rank"]] = np.nan
    table.loc[table["layer"] == "fc2", "dead_units"] = np.nan  # it is not read
    table.loc[(table["rule"] == "fa") & (table["layer"] == "conv2"), "weight_change"] = 0.004
    return table.assign(held_out_accuracy=0.5)


def make(project, folder):
    """Write tables of a small study, and draw its figures.

    Gives the folder, the study, its tables, its figures, and what is shown of RDMs.
    """
    study = _study(project)
    rng = np.random.default_rng(8)
    tables = {}
    makers = {"alignment": _alignment, "ceilings": _ceilings, "training": _training}
    for name, make in {**makers, "diagnostics": _diagnostics}.items():
        write_csv(folder / f"{name}.csv", make(study, rng))
        tables[name] = read_csv(folder / f"{name}.csv")
    pairs = [pair.model_dump() for pair in study.layer_map]
    for name, make in {
        "layers": report_tables.layers_of,
        "trajectories": report_tables.courses_of,
        "baselines": report_tables.baselines_of,
    }.items():
        write_csv(folder / f"{name}.csv", make(tables["alignment"], pairs, rng))
        tables[name] = read_csv(folder / f"{name}.csv")
    (folder / "brain").mkdir()
    planted.checked(planted.data_set(0), folder / "brain")
    tables["quality"] = read_csv(folder / "brain" / "quality.csv")
    files = {
        "trajectories": [folder / "t0.svg", folder / "t1.svg"],
        "finals": [folder / "f0.svg", folder / "f1.svg"],
        "accuracy": folder / "a.svg",
        "learning": folder / "l.svg",
        "layers": folder / "e.svg",
        "rdms": folder / "r.svg",
        "maps": folder / "m.svg",
        "filters": folder / "i.svg",
        "quality": folder / "q.svg",
    }
    views = {"trajectory": files["trajectories"], "final": files["finals"]}
    once = {name: files[name] for name in TITLES if name in files}
    shown, told = make_shown(study, folder / "rdms"), FigureSettings.of(study)
    draw_all(tables, told, shown, views=views, once=once)
    figures = report_figures(study, tables, shown, **files)
    return folder, study, tables, figures, shown
