"""Tables of layers and of courses that belong to made-up alignments, for tests of the page."""

import numpy as np
import pandas as pd

from rulealign.rsa.trajectory import AREA, DROP, HALF_DECAY, NET_CHANGE, RELATIVE_DROP

UNITS = {DROP: "score", RELATIVE_DROP: "fraction", NET_CHANGE: "score", AREA: "score"}
UNITS[HALF_DECAY] = "epochs"


def layers_of(alignment, layer_map, rng):
    """Set every layer's score beside a choice among layers that was made up."""
    spatial = [d for d in alignment["descriptor"].unique() if d != "vector"]
    views = [alignment.assign(among=one) for one in spatial]
    rows = pd.concat([v[v["descriptor"].isin([v["among"].iloc[0], "vector"])] for v in views])
    fixed = {(pair["layer"], pair["roi"]) for pair in layer_map}
    rows["fixed"] = [pair in fixed for pair in zip(rows["layer"], rows["roi"], strict=True)]
    for column in ("held_out", "chosen", "mean_vector_share"):
        rows[column] = rng.uniform(0, 1, len(rows))
    network = [
        "network",
        "rule",
        "epoch",
        "stimuli",
        "size",
        "centring",
        "among",
        "roi",
        "convention",
    ]
    rows["nested"] = rows.groupby(network)["held_out"].transform("mean")
    drop = ["low", "high", "seed_low", "seed_high", "n_stimuli", "n_pairs", "n_subjects"]
    return rows.drop(columns=drop).assign(folds=20, reason="")


def courses_of(alignment, layer_map, rng):
    """Make up the measures of every trained rule's course; one of them has no share."""
    keys = [
        "network",
        "rule",
        "stimuli",
        "size",
        "layer",
        "descriptor",
        "centring",
        "roi",
        "convention",
    ]
    pairs = pd.DataFrame(layer_map).drop_duplicates()
    trained = alignment[alignment["epoch"] > 0].merge(pairs, on=["layer", "roi"])
    rows = trained[[*keys, "pairs", "n_seeds"]].drop_duplicates()
    rows = rows.merge(pd.DataFrame(UNITS.items(), columns=["measure", "unit"]), how="cross")
    rows["value"] = rng.normal(0, 0.1, len(rows))
    rows = rows.assign(low=rows["value"] - 0.05, high=rows["value"] + 0.04, reason="")
    share = (rows["measure"] == RELATIVE_DROP) & (rows["rule"] == "fa")
    rows.loc[share, ["value", "low", "high"]] = np.nan
    rows.loc[share, "reason"] = "its baseline may be 0"
    late = (rows["measure"] == HALF_DECAY) & (rows["rule"] == "bp")
    rows.loc[late, "high"] = np.nan
    rows.loc[late, "reason"] = "the upper end is open"
    return rows


def baselines_of(alignment, layer_map, rng):
    """Make up the difference of bp and fa from their baseline, at every epoch but 0."""
    pairs = pd.DataFrame(layer_map).drop_duplicates()
    rows = alignment[(alignment["epoch"] > 0) & alignment["rule"].isin(["bp", "fa"])]
    rows = rows.merge(pairs, on=["layer", "roi"]).assign(baseline="untrained_bn")
    score = rng.normal(0, 0.1, len(rows))
    ends = {"low": score - 0.05, "high": score + 0.04, "seed_low": score, "seed_high": score}
    ends |= {"generalises_to": "stimuli, seeds", "reason": np.nan}
    return rows.drop(columns=["n_stimuli", "n_pairs", "n_subjects"]).assign(score=score, **ends)
