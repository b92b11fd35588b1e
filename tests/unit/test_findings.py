"""What alternative texts say: the numbers of the tables, panel by panel."""

import itertools
import statistics
from dataclasses import replace

import pandas as pd

from rulealign.arm import Mapped
from rulealign.config.evaluation import View
from rulealign.plan.settings.report import FigureSettings
from rulealign.report import findings
from rulealign.report.shown import ShownRdms
from rulealign.rsa.quality.rows import as_table, entry

VIEW = View(stimuli="grey", size=32, descriptor="grid-8", centring="centred")
PAIRS = [Mapped("cnn3", "conv1", "V1"), Mapped("cnn3", "fc1", "IT")]
TOLD = FigureSettings(
    rules=["untrained", "bp", "fa"], lines=["untrained", "bp"], layer_map=PAIRS, views=[VIEW]
)


def table():
    rows = []
    for pair, convention in itertools.product(PAIRS, ("per_subject", "mean_rdm")):
        high = 0.1 if convention == "mean_rdm" else 0.0
        for rule, epoch, score in (
            ("untrained", 0, 0.2),
            ("bp", 0, 0.3),
            ("bp", 5, 0.25),
            ("bp", 10, 0.1),
            ("fa", 10, 0.9),
        ):
            rows.append(
                pair._asdict()
                | {"rule": rule, "epoch": epoch, "convention": convention, "pairs": "all"}
                | {"stimuli": "grey", "size": 32, "centring": "centred"}
                | {"descriptor": "vector" if pair.layer == "fc1" else "grid-8"}
                | {"score": score + high + (0.05 if pair.roi == "IT" else 0)}
            )
    other = [row | {"descriptor": "grid-2", "score": 0.77} for row in rows[:3]]
    return pd.DataFrame(rows + other)


def test_courses_have_their_ends_and_rules_of_the_band_are_left_out():
    found = findings.alignment(table(), TOLD, VIEW)
    assert found["trajectory"] == {
        "conv1--V1": "bp 0.300 at epoch 0, 0.100 at epoch 10; untrained 0.200",
        "fc1--IT": "bp 0.350 at epoch 0, 0.150 at epoch 10; untrained 0.250",
    }
    assert found["final"]["conv1--V1"] == "from high to low: untrained 0.200, bp 0.100"


def test_rdms_have_their_agreement_with_the_mean_rdm():
    found = findings.rdms(table(), TOLD)
    said = "ρ with the brain's mean RDM, from high to low: untrained 0.300, bp 0.200"
    assert found["rdms-conv1--V1"] == said


def seen(**rows):
    """Give what the report shows of RDMs, with some of its tables."""
    none = pd.DataFrame()
    tables = {"rdms": none, "places": none, "pictures": none, "filters": none} | rows
    return ShownRdms(
        **{
            name: one.assign(still=one["epoch"].isna(), checkpoint=one["epoch"].map({0: 0, 10: 1}))
            if len(one)
            else one.assign(still=[], checkpoint=[])
            for name, one in tables.items()
        },
        epochs=[0, 10],
        n_stimuli=4,
    )


def test_maps_have_how_near_their_distances_are_to_the_brains():
    on_map = {  # the corners of a square: each pair's distance, and what it is on other maps
        ("brain", None): [(0, 0), (0, 1), (1, 0), (1, 1)],
        ("untrained", None): [(0, 0), (0, 2), (2, 0), (2, 2)],
        ("bp", 0): [(0, 0), (0, 2), (2, 0), (2, 2)],
        # two sides become diagonals
        ("bp", 10): [(0, 0), (1, 1), (0, 1), (1, 0)],
        ("fa", 10): [(float("nan"), float("nan"))] * 4,  # pairs are missing
    }
    rows = [
        PAIRS[0]._asdict() | {"shown": shown, "epoch": epoch, "stimulus": at, "x": x, "y": y}
        for (shown, epoch), places in on_map.items()
        for at, (x, y) in enumerate(places)
    ]
    found = findings.maps(seen(places=pd.DataFrame(rows)), replace(TOLD, layer_map=PAIRS[:1]))
    side, across = 1, 2**0.5
    brain = [side, side, across, across, side, side]
    moved = [across, side, side, side, side, across]
    r = statistics.correlation(brain, moved)
    said = f"from high to low: untrained 1.000, bp {r:.3f}".replace("-", "−")
    assert found["maps-conv1--V1"].endswith(f"Pearson's r, {said}")


def test_filters_have_how_much_of_the_first_is_left():
    rows = [
        {"network": "cnn3", "shown": "untrained", "epoch": None, "kept": 1.0},
        {"network": "cnn3", "shown": "bp", "epoch": 0, "kept": 1.0},
        {"network": "cnn3", "shown": "bp", "epoch": 10, "kept": 0.62},
    ]
    found = findings.filters(seen(filters=pd.DataFrame(rows)))
    assert found["filters-cnn3"].endswith("from high to low: untrained 1.000, bp 0.620")


def test_tiles_have_the_pair_that_agrees_best_at_the_last_checkpoint():
    assert findings.layers(table(), TOLD)["bp"] == "highest: fc1 with IT, 0.150"


def test_accuracy_is_the_mean_over_seeds_of_the_last_checkpoint():
    rows = [("bp", 1, 0, 0.1), ("bp", 1, 10, 0.5), ("bp", 2, 10, 0.7), ("untrained", 1, 0, 0.12)]
    training = pd.DataFrame(rows, columns=["rule", "seed", "epoch", "held_out_accuracy"])
    found = findings.accuracy(training.assign(network="cnn3"), TOLD, 0.1)
    said = "per cent correct, from high to low: bp 60.0, untrained 12.0; chance 10.0"
    assert found == {"accuracy": said}


def test_learning_has_its_diagnostics_at_the_last_checkpoint_over_seeds():
    rows = [
        ("bp", 1, 5, 0.5, 30.0, 9.0),
        ("bp", 1, 10, 0.6, 0.0, 8.0),
        ("bp", 2, 10, 0.8, 0.0, 6.0),
        ("fa", 1, 10, 0.9, 80.0, 2.0),
    ]
    columns = ["rule", "seed", "epoch", "weight_change", "angle_to_bp", "effective_rank"]
    about = {"network": "cnn3", "layer": "conv1", "trains": True}
    found = findings.learning(pd.DataFrame(rows, columns=columns).assign(**about), TOLD)
    assert found == {
        "change-of-conv1": "per cent, from high to low: bp 70.0",
        "angle-to-bp-of-conv1": "degrees, from high to low: bp 0.0",
        "error-rank-of-conv1": "from high to low: bp 7.0",
    }


def test_layers_over_time_have_their_peaks():
    rows = [
        ("bp", "conv1", "grid-8", "peak", None, 60.0),
        ("bp", "fc1", "vector", "peak", None, 120.0),
        ("bp", "conv1", "grid-2", "peak", None, 90.0),
        ("bp", "conv1", "grid-8", "score", 60.0, 0.2),
        ("fa", "conv1", "grid-8", "peak", None, 10.0),
    ]
    columns = ["rule", "layer", "descriptor", "statistic", "time", "value"]
    about = {"network": "cnn3", "roi": "MEG", "stimuli": "grey", "size": 32, "centring": "centred"}
    found = findings.over_time(pd.DataFrame(rows, columns=columns).assign(**about), TOLD)
    assert found == {"MEG-bp": "highest: conv1 60 ms, fc1 120 ms"}


def test_quality_has_what_its_tests_found_and_the_range_of_agreement():
    rows = [
        entry("lag_test", "difference", 0.013, subject="sub-01", roi="V1"),
        entry("lag_test", "t", 5.0, subject="sub-01", roi="V1"),
        entry("shift_test", "peak", 1, subject="sub-01", roi="V1"),
        entry("shift_test", "peak", 0, subject="sub-02", roi="V1"),
        *(
            entry("agreement", "all", value, subject="sub-01", other=other, roi="V1")
            for other, value in (("sub-02", 0.25), ("sub-03", 0.125))
        ),
        entry("agreement", "cross_run", 0.9, subject="sub-01", other="sub-02", roi="V1"),
        entry("noise_ceiling", "median nc_testset", 12.5, subject="sub-01", roi="V1"),
    ]
    assert findings.quality(as_table(rows)) == {
        "dissimilarity-by-lag-in-V1": "neighbours less what longer lags foretell: sub-01 0.013",
        "shift-test-in-V1": "peak at shift: sub-01 1, sub-02 0",
        "agreement-between-subjects": "lowest and highest: V1 0.125 and 0.250",
        "noise-ceilings-of-voxels": "lowest and highest: V1 12.500 and 12.500",
    }


def test_claims_have_their_verdicts():
    summary = pd.DataFrame({"claim": ["a", "b"], "cell_verdict": ["holds", "unresolved"]})
    found = findings.claims(summary)
    assert found["claims"] == {"a": "holds", "b": "unresolved"}
    assert found["overview"] == {"overview": "a: holds; b: unresolved"}


def test_what_was_not_measured_is_said():
    missing = table().assign(score=float("nan"))
    assert findings.alignment(missing, TOLD, VIEW)["trajectory"]["conv1--V1"] == "no score"
