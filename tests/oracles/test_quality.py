"""Brain data quality against plain loops and simulation; planted faults are in tests/faults."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, spearmanr, zscore

import planted
from edited_h5 import edited_h5
from rulealign.data.responses.faults import find_duplicated_trials, find_faulty_voxels
from rulealign.errors import DataError
from rulealign.rsa.quality.agreement import cross_run
from rulealign.rsa.quality.orders import share
from rulealign.rsa.quality.roi import roi_quality
from rulealign.rsa.quality.shift import told_apart
from rulealign.rsa.quality.time import lag_curves, line_weights, trials_in_time, unit_patterns

# --- single trials against plain loops ------------------------------------------------------------


@pytest.fixture(scope="module")
def few():
    """Give trials in which an image comes twice in a run, and one trial was dropped."""
    people = planted.data_set(3, subjects=1, voxels=15)
    trials = people.trials["01"].copy()
    trials.loc[[2, 9], "stimulus"] = trials.loc[[0, 4], "stimulus"].to_numpy()
    trials.loc[40, "stimulus"] = trials.loc[37, "stimulus"]
    kept = np.delete(np.arange(192), 20)
    trials = trials.iloc[kept].reset_index(drop=True)
    responses = people.responses["01", "V1"][:, kept].astype(float)
    patterns = zscore(responses, axis=1).T
    assert pearsonr(patterns[3], patterns[8]).statistic == pytest.approx(
        np.corrcoef(patterns)[3, 8]
    )
    return trials, responses, np.corrcoef(patterns)


def pairs_of(trials):
    rows = trials.to_dict("records")
    for i, one in enumerate(rows):
        for j, other in enumerate(rows):
            if i != j:
                yield i, j, one, other


def test_dissimilarity_by_lag_is_that_of_a_plain_loop(few):
    trials, responses, r = few
    found = lag_curves(unit_patterns(responses), trials_in_time(trials), 6)
    for number, (run, _) in enumerate(trials.groupby(["session", "run"])):
        by_lag, within, between = {lag: [] for lag in range(1, 7)}, [], []
        for i, j, one, other in pairs_of(trials):
            if (one["session"], one["run"]) != run or one["stimulus"] == other["stimulus"]:
                continue
            if (other["session"], other["run"]) != run:
                between.append(1 - r[i, j])
                continue
            within.append(1 - r[i, j])
            lag = abs(one["trial_id"] - other["trial_id"])
            by_lag.get(lag, []).append(1 - r[i, j])
        expected = [np.mean(by_lag[lag]) - np.mean(within) for lag in range(1, 7)]
        assert found.by_lag[number] == pytest.approx(expected, abs=1e-12)
        assert found.other_runs[number] == pytest.approx(np.mean(between) - np.mean(within))
        assert found.level[number] == pytest.approx(np.mean(within))


@pytest.mark.parametrize("shift", [0, 1, -3])
def test_how_well_repeats_are_told_apart_is_that_of_a_plain_loop(few, shift):
    trials, responses, r = few
    run = list(zip(trials["session"], trials["run"], strict=True))
    shown_in = {name: {run[i] for i in own.index} for name, own in trials.groupby("stimulus")}
    repeated = sorted(name for name, runs in shown_in.items() if len(runs) > 1)
    at = {(*run[i], t): i for i, t in enumerate(trials["trial_id"])}
    labelled = [
        (name, run[i], at.get((*run[i], t + shift)))
        for i, (name, t) in enumerate(zip(trials["stimulus"], trials["trial_id"], strict=True))
        if name in repeated and (*run[i], t + shift) in at
    ]
    expected = []
    for name in repeated:
        own, other = [], []
        for one, one_run, i in labelled:
            for two, two_run, j in labelled:
                if one == name and one_run != two_run:
                    (own if two == name else other).append(r[i, j])
        expected.append(np.mean(own) - np.mean(other) if own else np.nan)
    found = told_apart(unit_patterns(responses), trials_in_time(trials), shift)
    assert found == pytest.approx(np.array(expected), abs=1e-12, nan_ok=True)
    assert np.isfinite(found).sum() >= 10


def test_a_line_through_longer_lags_foretells_lag_1():
    for longest in (4, 10):
        x = np.arange(2, longest + 1)
        slope, intercept = np.polyfit(x, np.sin(x), 1)
        assert line_weights(longest) @ np.sin(x) == pytest.approx(slope + intercept)
    assert line_weights(3) is None


# --- orders of presentation -----------------------------------------------------------------------


def session(names, runs):
    size = -(-len(names) // runs)
    run = [1 + place // size for place in range(len(names))]
    return pd.DataFrame({"stimulus": list(names), "run": run})


def test_pairs_of_one_run_by_chance_are_those_of_simulation():
    rng = np.random.default_rng(0)
    names = np.array([f"i{number:02d}" for number in range(48)])
    one, drawn = session(names, 4), []
    for _ in range(1500):
        # the second session shows 12 other images too, in runs of another size
        mixed = rng.permutation([*names, *(f"o{number}" for number in range(12))])
        drawn.append(share(one, session(mixed, 5)))
    same, expected = (np.array([getattr(s, n) for s in drawn]) for n in ("same_run", "expected"))
    excess = same - expected
    spread = np.mean([s.spread for s in drawn])
    assert abs(excess.mean()) < 4 * spread / np.sqrt(1500)
    assert excess.std() == pytest.approx(spread, rel=0.1)
    assert not any(s.same_order or s.same_runs for s in drawn)
    assert {s.images for s in drawn} == {48}


def test_shared_orders_are_found_also_where_they_are_not_exact():
    names = [f"i{number:02d}" for number in range(48)]
    one = session(names, 4)
    assert share(one, session(names, 4)).same_order
    assert share(one, session(["x", "y", *names[:20], "z", *names[20:]], 3)).order == 1
    swapped = [*names[:10], *names[14:9:-1], *names[15:]]
    nearly = share(one, session(swapped, 4))
    assert 0.9 < nearly.order < 1
    assert nearly.order == pytest.approx(
        spearmanr(range(48), [swapped.index(n) for n in names]).statistic
    )
    assert nearly.same_order
    # the same runs, each in reverse, runs in another order: the order itself is another
    blocks = [names[start : start + 12][::-1] for start in (24, 0, 36, 12)]
    runs = share(one, session([n for block in blocks for n in block], 4))
    assert runs.same_run == 4 * 66
    assert runs.same_runs
    assert not runs.same_order
    # too few to judge, or shown twice in a session
    assert not share(one.iloc[:9], one.iloc[:9]).same_order
    assert share(one, pd.concat([one, one.iloc[:5]])).images == 43


def test_pairs_of_different_runs_are_those_of_a_plain_loop():
    people = planted.data_set(1, subjects=2)
    ids = sorted({n for n in planted.all_images(people) if n.startswith("c") and "_01" in n})
    run = {}
    for subject, table in people.trials.items():
        for row in table.to_dict("records"):
            run[subject, row["stimulus"]] = row["session"], row["run"]
    expected = [
        all(run[subject, a] != run[subject, b] for subject in people.trials)
        for i, a in enumerate(ids)
        for b in ids[i + 1 :]
    ]
    mask = cross_run(people.trials, ids)
    assert mask.tolist() == expected
    assert 0 < mask.sum() < len(mask)
    assert cross_run(people.trials, [*ids, "t00_01s.jpg"]) is None
    assert cross_run({}, ids) is None


# --- faulty voxels and copies ---------------------------------------------------------------------


def test_faulty_voxels_and_copies_are_found_and_nothing_else():
    rng = np.random.default_rng(0)
    # what all trials have in common must not make them copies
    responses = (
        100 + rng.standard_normal((30, 1)) + 0.01 * rng.standard_normal((30, 1200))
    ).astype(np.float32)
    trials = pd.DataFrame({"trial_id": np.arange(1200) + 5000})
    ids = [str(number) for number in range(30)]
    assert find_faulty_voxels(responses, ids) == {"not_finite": [], "constant": []}
    assert find_duplicated_trials(responses, trials) == []
    responses[:, 1100] = responses[:, 7]
    responses[:, 1150] = responses[:, 7]
    mean = responses.mean(axis=1)
    responses[:, 3] = mean + 1.5 * (responses[:, 1024] - mean)
    responses[4, 9], responses[6, 2], responses[8] = np.nan, np.inf, 0.5
    assert find_faulty_voxels(responses, ids) == {"not_finite": ["4", "6"], "constant": ["8"]}
    copies = find_duplicated_trials(responses, trials)
    assert [(one["first"], one["second"]) for one in copies] == [
        *((5003, 6024), (5007, 6100), (5007, 6150))
    ]
    assert [one["correlation"] for one in copies[1:]] == [1.0, 1.0]
    assert 0.9999 < copies[0]["correlation"] <= 1


def test_of_few_voxels_only_identical_trials_are_copies():
    rng = np.random.default_rng(0)
    responses = rng.standard_normal((3, 200))
    trials = pd.DataFrame({"trial_id": range(200)})
    # three voxels: thousands of pairs correlate above the limit by chance
    assert find_duplicated_trials(responses, trials) == []
    responses[:, 150] = responses[:, 12]
    copy = {"first": 12, "second": 150, "correlation": 1.0}
    assert find_duplicated_trials(responses, trials) == [copy]


def test_a_faulty_voxel_that_was_left_in_is_an_error(tmp_path):
    people = planted.data_set(0, subjects=1)
    path = planted.write_responses(people, tmp_path, "01", "V1")
    with edited_h5(path) as file:
        file["responses"][3] = 1.0
    with pytest.raises(DataError, match=r"sub-01_roi-V1.*constant or not finite; drop them"):
        roi_quality(path, tmp_path / "x.csv", planted.QUALITY)
    assert not (tmp_path / "x.csv").exists()
