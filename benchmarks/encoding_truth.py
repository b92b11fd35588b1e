"""How often encoding by voxel finds what simulated responses follow, and in which order.

    python benchmarks/encoding_truth.py

Four ROIs follow four layers: their activations in order, their gradients in reverse order, both, or
neither. Gradients hold activations, as real ones do. Each data set goes through the pipeline, from
files of features and voxels to its tables; intervals are held against the R^2 that the very models
of the folds reach on 4,000 new stimuli. Quoted by docs/encoding.md; ten CPU minutes.
"""

import contextlib
import io
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from rulealign.encoding.encode import encode
from rulealign.encoding.folds import folds_seed, groups_of, stimulus_folds
from rulealign.encoding.order import order_table
from rulealign.encoding.ridge import Grid
from rulealign.encoding.together import mixes
from rulealign.encoding.voxelwise import predict_voxels
from rulealign.plan.settings.encoding import EncodingSettings, OrderSettings
from rulealign.store import read_csv, write_h5

STIMULI, NEW, SUBJECTS, VOXELS, WIDTH, FOLDS = 96, 4000, 3, 12, 6, 3
LAYERS, ROIS = ("conv1", "conv2", "conv3", "fc1"), ("V1", "V2", "LOC", "IT")
IDS = [f"image_{place:02d}" for place in range(STIMULI)]
SETTINGS = EncodingSettings(
    study_seed=1,
    bootstrap_draws=100,
    interval=0.95,
    inner_folds=2,
    penalties=[0.03, 0.3, 3.0, 1000.0],
    generalise_to="stimuli",
    least_ceiling=0.1,
    block=10,
)
ORDER = OrderSettings(
    study_seed=1,
    interval=0.95,
    hierarchy=list(ROIS),
    depths={"cnn3": dict(zip(LAYERS, (0.25, 0.5, 0.75, 1.0), strict=True))},
)
BETWEEN = "gradient-entropy - activations"
TRUTHS = [("activations",), ("gradients",), ("activations", "gradients"), ()]
NOISE, SIMULATIONS = (1, 2, 3), 12


def layers(rng, n=STIMULI):
    """Make activations and gradients of each layer; half of a gradient is its activations."""
    activations = rng.normal(size=(len(LAYERS), n, WIDTH))
    own = rng.normal(size=activations.shape)
    turned = activations @ rng.normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH)
    return activations, np.concatenate([turned, own], axis=2), own


def responses(signal, rng, noise=1.0):
    """Give each subject its own mixture of the signal, and noise of so many times its size."""
    n, width = signal.shape
    return [
        signal @ rng.normal(size=(width, VOXELS))
        + rng.normal(size=(n, VOXELS)) * np.sqrt(max(width, 1)) * noise
        for _ in range(SUBJECTS)
    ]


def write_features(folder, activations, gradients):
    """Write both as the pipeline does, of the first stimuli."""
    names = {"network": "cnn3", "rule": "bp", "seed": 1, "epoch": 1, "stimuli": "shown", "size": 32}
    paths = folder / "activations.h5", folder / "signals.h5"
    for path, values, ending in zip(
        paths, (activations, gradients), ("", "/gradient-entropy"), strict=True
    ):
        held = zip(LAYERS, values, strict=True)
        arrays = {f"{name}/vector{ending}": of[:STIMULI] for name, of in held}
        write_h5(path, arrays, ids={"stimulus": IDS}, settings={}, attributes=names)
    return paths


def folds():
    """Split the stimuli, for all subjects alike."""
    return stimulus_folds(groups_of(IDS), FOLDS, 0)


def write_voxels(path, roi, patterns):
    """Write the voxels of an ROI as the pipeline does, of the first stimuli."""
    subjects, held = [f"{number:02d}" for number in range(1, SUBJECTS + 1)], {}
    kept = [of[:STIMULI] for of in patterns]
    for subject, of in zip(subjects, kept, strict=True):
        held |= {f"patterns/{subject}": of, f"ceilings/{subject}": np.full(VOXELS, 0.5)}
    held["grams"] = np.stack([of @ of.T for of in kept])
    held["folds"] = np.tile(folds(), (SUBJECTS, 1))
    held["groups"] = np.tile(np.arange(STIMULI), (SUBJECTS, 1))
    ids = {"stimulus": IDS, "subject": subjects}
    write_h5(path, held, ids=ids, settings={}, attributes={"roi": roi})


def simulated(truth, rng, noise=1.0, n=STIMULI):
    """Give activations, gradients and, ROI by ROI, the responses that follow them."""
    activations, gradients, own = layers(rng, n)
    patterns = []
    for place in range(len(ROIS)):
        parts = {"activations": activations[place], "gradients": own[len(ROIS) - 1 - place]}
        followed = [parts[name] for name in truth]
        signal = np.concatenate([np.zeros((n, 0)), *followed], axis=1)
        patterns.append(responses(signal, rng, noise))
    return activations, gradients, patterns


def measured(folder, activations, gradients, patterns):
    """Give the tables of encoding, ROI by ROI, and of the order."""
    features = write_features(folder, activations, gradients)
    tables, errors, voxels = {}, [], []
    for roi, own in zip(ROIS, patterns, strict=True):
        voxels.append(folder / f"{roi}_voxels.h5")
        write_voxels(voxels[-1], roi, own)
        errors.append(folder / f"{roi}_errors.h5")
        table = folder / f"{roi}.csv"
        encode(features[:1], voxels[-1], SETTINGS, table, errors[-1], signals=features[1:])
        rows = read_csv(table).set_index(["layer", "features", "measure"])
        tables[roi] = rows[["score", "low", "high", "reason"]]
    order_table([errors], voxels, ORDER, folder / "order.csv")
    return tables, read_csv(folder / "order.csv").set_index("features")


def expected(spaces, patterns, new=(range(STIMULI, STIMULI + NEW),) * FOLDS):
    """Give the R^2 that the fits of all folds reach on new stimuli, mean over voxels."""
    grid = Grid(SETTINGS.penalties, SETTINGS.inner_folds, mixes(len(spaces)))
    shown, fold, seed = [space[:STIMULI] for space in spaces], folds(), SETTINGS.study_seed
    told = fold, np.arange(STIMULI), grid, folds_seed(seed, STIMULI), VOXELS
    chosen = predict_voxels(shown, patterns[:STIMULI], *told).deltas
    errors, baseline = np.zeros((2, VOXELS))
    for out, deltas in enumerate(chosen):
        fit, share = np.flatnonzero(fold != out), (fold == out).sum()
        left = patterns - patterns[fit].mean(axis=0)
        scored = [(x - x[fit].mean(axis=0)) / x[fit].std(axis=0) for x in spaces]
        baseline += share * (left[new[out]] ** 2).mean(axis=0)
        for voxel, shares in enumerate(np.exp(deltas).T):
            weighted = zip(scored, shares, strict=True)
            z = np.hstack([z * np.sqrt(of / z.shape[1]) for z, of in weighted])
            inner = z[fit].T @ z[fit] + np.eye(z.shape[1])
            weights = np.linalg.solve(inner, z[fit].T @ left[fit, voxel])
            missed = left[new[out], voxel] - z[new[out]] @ weights
            errors[voxel] += share * (missed**2).mean()
    return (1 - errors / baseline).mean()


def scored(tables, activations, gradients, patterns):
    """Give a row per ROI and layer: scores with intervals, and the truth where one is followed."""
    for place, roi in enumerate(ROIS):
        for at, layer in enumerate(LAYERS):
            found = tables[roi].loc[layer]
            of = found.loc[("activations", "voxel_r2")], found.loc[("gradient-entropy", "voxel_r2")]
            unique = found.loc[("gradient-entropy", "unique_r2")]
            row = {"in_order": place == at, "reverse": place + at == len(ROIS) - 1}
            row |= {"activations": of[0]["score"], "gradients": of[1]["score"]}
            row |= {"unique": unique["score"], "a_found": of[0]["low"] > 0}
            row["g_found"] = unique["low"] > 0
            if row["in_order"]:
                true = np.mean([expected([activations[at]], of) for of in patterns[place]])
                row["a_held"] = of[0]["low"] <= true <= of[0]["high"]
            if row["reverse"]:
                kinds = [activations[at], gradients[at]], [activations[at]]
                both, one = ([expected(of, own) for own in patterns[place]] for of in kinds)
                true = np.mean(both) - np.mean(one)
                row["u_held"] = unique["low"] <= true <= unique["high"]
            yield row


def ordered(order):
    """Say of each order whether its interval excludes 0, above and below, and its p is least."""
    for features, row in order.iterrows():
        found = {"above": row["low"] > 0, "below": row["high"] < 0, "p": row["p"] < 0.1}
        yield {"features": features, "value": row["value"], **found}


def of_truth(truth, noise, number):
    """Simulate data sets of one truth; give the rows of all of them."""
    rows, orders = [], []
    for simulation in range(number):
        made = simulated(truth, np.random.default_rng([simulation, noise]), noise, STIMULI + NEW)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            tables, order = measured(Path(folder), *made)
        rows += scored(tables, *made)
        orders += ordered(order)
    return pd.DataFrame(rows), pd.DataFrame(orders)


def scores_of(truth, rows):
    """Give mean scores, how often they are clear of 0, and how often intervals hold the truth."""
    along, back, nowhere = rows[rows["in_order"]], rows[rows["reverse"]], rows[:0]
    a_true, g_true = "activations" in truth, "gradients" in truth
    means = along["activations"], along["gradients"], back["gradients"], back["unique"]
    shares = [
        (along if a_true else nowhere)["a_found"],
        (rows[~rows["in_order"]] if a_true else rows)["a_found"],
        (back if g_true else nowhere)["g_found"],
        (rows[~rows["reverse"]] if g_true else rows)["g_found"],
        along["a_held"],
        back["u_held"],
    ]
    return [*(f"{of.mean():.3f}" for of in means), *map(percent, shares)]


def orders_of(orders):
    """Give mean orders, and how often their intervals, and p, say that there is one."""
    for features in ("activations", "gradient-entropy", BETWEEN):
        own = orders[orders["features"] == features]
        yield f"{own['value'].mean():.2f}"
        yield " / ".join(percent(own[side]) for side in ("above", "below", "p"))


def percent(found):
    """Write how often, or that there is none."""
    return f"{100 * found.mean():.0f}%" if len(found) else "–"


def line(*cells):
    """Write a row of a table in Markdown."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


SCORES = ["A in order", "G in order", "G in reverse", "G adds in reverse"]
SCORES += ["A found", "A false", "G found", "G false", "A held", "G held"]
ORDERS = ["A", "found: + / - / p", "G", "found: + / - / p", "G - A", "found: + / - / p"]


def main():
    """Print both tables."""
    orders, held = [], []
    line("follows", "noise", *SCORES)
    for truth in TRUTHS:
        name = " and ".join(truth) or "neither"
        for noise in NOISE if truth else NOISE[:1]:  # of nothing, all noise is the same
            number = SIMULATIONS if truth else 2 * SIMULATIONS
            rows, of_orders = of_truth(truth, noise, number)
            line(name, noise, *scores_of(truth, rows))
            orders.append((name, noise, *orders_of(of_orders)))
            held += [rows["a_held"].dropna(), rows["u_held"].dropna()]
    line("follows", "noise", *ORDERS)
    for cells in orders:
        line(*cells)
    every = pd.concat(held)
    print(f"{percent(every)} of all {len(every)} intervals hold the truth")


if __name__ == "__main__":
    main()
