"""Claims against plain computations from the tables, closed forms and a planted truth."""

import itertools

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

import claim_files
from claim_files import DRAWS, DROP, INTERVAL, LESS, STUDY_SEED, SUBJECTS
from rulealign.claims.evaluate import evaluate
from rulealign.claims.evidence import by_corrected_variance, stimulus_p
from rulealign.claims.verdicts import judge
from rulealign.rsa.subjects import subject_counts, subject_seed


def run(folder, *claims, rules=tuple(claim_files.SEEDS), **changes):
    folder.mkdir(exist_ok=True)
    files = claim_files.write_all(folder, rules, **changes)
    made = folder / "claims.csv", folder / "summary.csv"
    evaluate(*files, claim_files.settings(*claims), *made)
    return [pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in made]


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("claims")
    return folder, *run(folder / "study", DROP, LESS)


@pytest.mark.parametrize(
    ("low", "high", "positive", "negative"),
    [
        (0.01, 0.03, "holds", "reversed"),
        (-0.03, -0.01, "reversed", "holds"),
        (-0.01, 0.03, "unresolved", "unresolved"),
        (0.0, 0.03, "unresolved", "unresolved"),
    ],
)
def test_a_verdict_is_where_the_interval_lies(low, high, positive, negative):
    assert judge(low, high, "positive", 0).word == positive
    assert judge(low, high, "negative", 0).word == negative


@pytest.mark.parametrize(
    ("low", "high", "word", "small"),
    [
        (0.021, 0.03, "holds", False),
        (0.02, 0.03, "unresolved", False),
        (-0.03, -0.021, "reversed", False),
        (-0.02, 0.02, "unresolved", True),
        (0.001, 0.019, "unresolved", True),
        (-0.021, 0.01, "unresolved", False),
        (-0.03, -0.005, "unresolved", False),
    ],
)
def test_an_effect_must_be_as_large_as_what_matters(low, high, word, small):
    verdict = judge(low, high, "positive", 0.02)
    assert verdict.word == word
    assert ("too small to matter" in verdict.reason) == small
    assert judge(-high, -low, "negative", 0.02) == verdict


def test_a_smallest_effect_decides_the_verdict_of_a_universe(tmp_path):
    # it falls by .05: more than .005 everywhere, and much less than .4
    for smallest, words in ((0.005, {"holds"}), (0.4, {"unresolved"})):
        claims, _ = run(tmp_path / str(smallest), DROP | {"smallest_effect": smallest})
        own = claims[(claims["resample"] == "stimuli") & (claims["verdict"] != "missing")]
        assert set(own["verdict"]) == words
        small = own["reason"].fillna("").str.contains("too small to matter")
        assert small.all() == (smallest == 0.4)


@pytest.mark.parametrize("direction", ["positive", "negative"])
@pytest.mark.parametrize("smallest", [0.0, 0.02])
@pytest.mark.parametrize("effect", [-0.05, -0.01, 0.01, 0.05])
def test_the_p_of_a_corrected_variance_is_that_of_the_claimed_side(effect, smallest, direction):
    rng = np.random.default_rng(6)
    drawn, left_out = effect + rng.normal(0, 0.02, 300), effect + rng.normal(0, 0.003, 30)
    found = by_corrected_variance(effect, drawn, left_out, direction, smallest, 0.95)
    spread = (found.high - found.low) / 2 / student.ppf(0.975, 29)
    p = {
        "positive": student.sf((effect - smallest) / spread, 29),
        "negative": student.cdf((effect + smallest) / spread, 29),
    }
    assert found.p == pytest.approx(p[direction])
    assert (found.low + found.high) / 2 == pytest.approx(effect)


def test_p_over_stimuli_counts_the_draws_that_deny_the_claim():
    draws = np.array([-0.1, -0.2, 0.0, 0.3, -0.5])
    assert stimulus_p(draws, "negative") == pytest.approx(3 / 6)
    assert stimulus_p(draws, "positive") == pytest.approx(5 / 6)
    assert stimulus_p(draws, "negative", 0.15) == pytest.approx(4 / 6)
    assert stimulus_p(draws, "positive", 0.3) == pytest.approx(6 / 6)


def test_a_claim_of_a_size_is_tested_against_that_size(tmp_path):
    # each seed falls by .05: clear of 0, and on either side of .05
    claim = DROP | {"smallest_effect": 0.05}
    claims, _ = run(tmp_path / "x", DROP, claim | {"label": "size"})
    first = claims[claims["primary"].astype(bool)].set_index("claim")
    by_seed, draws = expected_rows(
        tmp_path / "x", ([("bp", 1)], [("bp", 0)]), [1, 2, 3, 4, 5], first.loc["size"]
    )
    flips = np.array(list(itertools.product((1, -1), repeat=5)))
    sums = flips @ (by_seed + 0.05)
    assert first.loc["size", "p_seeds"] == pytest.approx(np.mean(sums <= sums[0] + 1e-12))
    expected = (np.sum(draws >= -0.05) + 1) / (DRAWS + 1)
    assert first.loc["size", "p_stimuli"] == pytest.approx(expected)
    assert first.loc["size", "p_seeds"] > first.loc["drop", "p_seeds"]
    assert first.loc["size", "cohens_d_paired"] == first.loc["drop", "cohens_d_paired"]


def expected_rows(folder, terms, seeds, row):
    """Recompute an effect and its draws by pandas: the sum of plus less that of minus."""
    sides, draws = [], []
    for side in terms:
        found, sampled = [], []
        for (rule, epoch), seed in itertools.product(side, seeds):
            table = pd.read_csv(folder / f"rule-{rule}_roi-V1_universes.csv", keep_default_na=False)
            nested = row["layer"] == "nested"
            wanted = {
                **{"seed": seed, "epoch": epoch, "px": row["size"]},
                **{"layer": "nested" if nested else "conv1", "choice": row["layer"]},
                **{
                    axis: row[axis]
                    for axis in ("descriptor", "convention", "comparison", "control")
                },
            }
            own = table[(table[list(wanted)] == pd.Series(wanted)).all(axis=1)]
            assert len(own) == 1
            found.append(float(own["score"].item()))
            with h5py.File(folder / f"rule-{rule}_roi-V1_d.h5") as file:
                sampled.append(file["draws"][:, own.index[0]].astype(float))
        sides.append(found)
        draws.append(sampled)
    by_seed = np.reshape(sides[0], (-1, len(seeds))).sum(axis=0)
    by_seed = by_seed - np.reshape(sides[1], (-1, len(seeds))).sum(axis=0)
    difference = np.sum(draws[0], axis=0) - np.sum(draws[1], axis=0)
    return by_seed, difference / len(seeds)


def terms_of(label, row):
    bp = "bp_normal" if row["initialisation"] == "normal" else "bp"
    if label == "drop":
        start = "untrained_bn" if row["baseline"] == "untrained_bn" else bp
        return ([(bp, 1)], [(start, 0)]), claim_files.SEEDS[bp]
    # the calibrated network stands for both starts, and its score cancels
    if row["baseline"] == "untrained_bn":
        half = [("untrained_bn", 0)]
        return ([("fa", 1), *half], [*half, ("bp", 1)]), [1, 2, 3]
    return ([("fa", 1), ("bp", 0)], [("fa", 0), ("bp", 1)]), [1, 2, 3]


@pytest.mark.parametrize(("label", "universes"), [("drop", 4 * 11), ("less", 4 * 11)])
def test_every_universe_equals_a_plain_computation(evaluated, label, universes):
    folder, claims, _ = evaluated
    rows = claims[claims["claim"] == label]
    assert len(rows) == universes
    tail = 50 * (1 - INTERVAL)
    computed = rows[(rows["verdict"] != "missing") & (rows["resample"] == "stimuli")]
    assert len(computed) == {"drop": 28, "less": 24}[label]
    for _, row in computed.iterrows():
        terms, seeds = terms_of(label, row)
        by_seed, draws = expected_rows(folder / "study", terms, seeds, row)
        assert row["effect"] == pytest.approx(by_seed.mean(), abs=1e-9)
        low, high = np.percentile(draws, [tail, 100 - tail])
        assert (row["low"], row["high"]) == (
            pytest.approx(low, abs=1e-8),
            pytest.approx(high, abs=1e-8),
        )
        assert row["n_seeds"] == len(seeds)
        sign = 1 if label == "less" else -1
        flips = itertools.product((1, -1), repeat=len(seeds))
        sums = [sign * np.dot(flip, by_seed) for flip in flips]
        assert row["p_seeds"] == np.mean([one >= sums[0] - 1e-12 for one in sums])
        assert row["p_seeds_floor"] == 1 / 2 ** len(seeds)
        denying = np.sum(sign * draws <= 0)
        assert row["p_stimuli"] == pytest.approx((denying + 1) / (DRAWS + 1), abs=1e-9)
        assert row["cohens_d_paired"] == pytest.approx(by_seed.mean() / by_seed.std(ddof=1))
        assert row["seeds_same_sign"] == np.sum(by_seed * by_seed.mean() > 0)


def test_resampled_people_equal_plain_loops(evaluated):
    _, claims, _ = evaluated
    counts = subject_counts(SUBJECTS, DRAWS, subject_seed(STUDY_SEED, SUBJECTS))
    rows, people, draws = claim_files.scores("bp")
    for px, descriptor in itertools.product((32, 224), ("global-average", "grid-8")):
        at = [
            [
                place
                for place, key in enumerate(rows)
                if key[2] == epoch
                and key[4] == px
                and key[6] == descriptor
                and key[9:] == ("per_subject", "all", "spearman", "none", "fixed")
            ]
            for epoch in (1, 0)
        ]
        rho = people[at[0]].mean(axis=0) - people[at[1]].mean(axis=0)
        drawn = draws[:, at[0]].astype(float).mean(axis=1) - draws[:, at[1]].astype(float).mean(
            axis=1
        )
        of_people = np.var([np.average(rho, weights=count) for count in counts], ddof=1)
        both = np.var(
            [np.average(d, weights=c) for d, c in zip(drawn, counts, strict=True)], ddof=1
        )
        of_stimuli = np.var(drawn.mean(axis=1), ddof=1)
        s, m = SUBJECTS / (SUBJECTS - 1), len(claim_files.STIMULI) / (len(claim_files.STIMULI) - 1)
        crossed = s * of_people + m * of_stimuli - s * m * (both - of_people - of_stimuli)
        crossed = min(max(crossed, s * of_people, m * of_stimuli), both)
        own = claims[(claims["claim"] == "drop") & (claims["size"] == px)]
        own = own[own["descriptor"] == descriptor].set_index("resample")
        reach = student.ppf((1 + INTERVAL) / 2, SUBJECTS - 1)
        for kind, variance in (("subjects", s * of_people), ("both", crossed)):
            row = own.loc[kind]
            assert row["effect"] == pytest.approx(rho.mean(), abs=1e-9)
            assert row["low"] == pytest.approx(rho.mean() - reach * np.sqrt(variance), abs=1e-7)
            assert row["high"] == pytest.approx(rho.mean() + reach * np.sqrt(variance), abs=1e-7)
            assert "no p_stimuli" in row["note"]


def plain_rows(rows, epoch, px, descriptor):
    plain = ("per_subject", "all", "spearman", "none", "fixed")
    wanted = (epoch, px, descriptor, *plain)
    return [at for at, key in enumerate(rows) if (key[2], key[4], key[6], *key[9:]) == wanted]


@pytest.mark.parametrize("smallest", [0.0, 0.045])
def test_the_corrected_interval_equals_its_formula(tmp_path, smallest):
    claims, _ = run(tmp_path / "x", DROP | {"smallest_effect": smallest})
    rows, people, draws = claim_files.scores("bp")
    left_out = claim_files.without_each("bp", people.mean(axis=1))
    n = len(claim_files.STIMULI)
    for px, descriptor in itertools.product((32, 224), ("global-average", "grid-8")):
        one, other = (plain_rows(rows, epoch, px, descriptor) for epoch in (1, 0))
        effect = people[one].mean() - people[other].mean()
        drawn = draws[:, one].astype(float).mean(axis=(1, 2))
        drawn = drawn - draws[:, other].astype(float).mean(axis=(1, 2))
        without = left_out[:, one].mean(axis=1) - left_out[:, other].mean(axis=1)
        jackknife = (n - 1) / n * np.sum((without - without.mean()) ** 2)
        variance = 2 * jackknife - np.sum((drawn - drawn.mean()) ** 2) / (DRAWS - 1)
        spread = np.sqrt(min(max(variance, jackknife / 2), jackknife))
        reach = student.ppf((1 + INTERVAL) / 2, n - 1) * spread
        own = claims[(claims["size"] == px) & (claims["descriptor"] == descriptor)]
        row = own[(own["resample"] == "stimuli_corrected")].iloc[0]
        assert row["effect"] == pytest.approx(effect, abs=1e-9)
        assert (row["low"], row["high"]) == pytest.approx((effect - reach, effect + reach))
        # claimed: below minus the smallest effect
        assert row["p_stimuli"] == pytest.approx(student.cdf((effect + smallest) / spread, n - 1))


def test_the_corrected_interval_over_people_too_is_made_of_covariances_between_people(evaluated):
    _, claims, _ = evaluated
    rows, people, draws = claim_files.scores("bp")
    left_out = claim_files.people_without_each("bp", people)
    n, s = len(claim_files.STIMULI), SUBJECTS
    for px, descriptor in itertools.product((32, 224), ("global-average", "grid-8")):
        one, other = (plain_rows(rows, epoch, px, descriptor) for epoch in (1, 0))
        rho = people[one].mean(axis=0) - people[other].mean(axis=0)
        drawn = draws[:, one].astype(float).mean(axis=1) - draws[:, other].astype(float).mean(1)
        without = left_out[:, one].mean(axis=1) - left_out[:, other].mean(axis=1)
        # of every two people: twice the jackknife's covariance less the bootstrap's
        between = 2 * (n - 1) ** 2 / n * np.cov(without.T) - np.cov(drawn.T)
        common = np.mean([between[i, j] for i in range(s) for j in range(s) if i != j])
        of_people, common = rho.var(ddof=1) / s, max(common, 0)
        freedom = (of_people + common) ** 2 / (of_people**2 / (s - 1) + common**2 / (n - 1))
        reach = student.ppf((1 + INTERVAL) / 2, freedom) * np.sqrt(of_people + common)
        own = claims[(claims["claim"] == "drop") & (claims["size"] == px)]
        own = own[own["descriptor"] == descriptor].set_index("resample")
        row = own.loc["both_corrected"]
        assert row["effect"] == pytest.approx(rho.mean(), abs=1e-9)
        ends = rho.mean() - reach, rho.mean() + reach
        assert (row["low"], row["high"]) == pytest.approx(ends, abs=1e-7)
        assert "no p_stimuli" in row["note"]


def chosen(layer, epochs=(0, 1)):
    """Plant another choice: this layer in 19 of 20 folds, after these epochs."""

    def change(table):
        table, own = table.astype({"chosen": float}), table["epoch"].isin(epochs)
        table.loc[own, "chosen"] = np.where(table.loc[own, "layer"] == layer, 0.95, 0.05)
        return table

    return change


@pytest.mark.parametrize(
    ("planted", "names", "reason"),
    [
        # fc1 fits best before training, conv1 after it: their difference is no fall of conv1
        (chosen("fc1", [0]), ["conv1"], r"different layers, .* fc1 for bp at epoch 0 \(in 95% of"),
        (chosen("fc1"), ["conv1"], "claim names conv1; chosen was fc1 for bp at epoch"),
        (chosen("fc1"), ["conv1", "fc1"], ""),
        (chosen("conv1"), ["conv1"], ""),
    ],
)
def test_a_nested_layer_counts_where_all_terms_chose_one_that_the_claim_names(
    tmp_path, planted, names, reason
):
    files = claim_files.write_all(tmp_path)
    for path in files[3]:
        planted(pd.read_csv(path)).to_csv(path, index=False)
    made = tmp_path / "claims.csv", tmp_path / "summary.csv"
    evaluate(*files, claim_files.settings(DROP | {"layer": names}), *made)
    claims = pd.read_csv(made[0], keep_default_na=False)
    nested = claims[claims["layer"] == "nested"]
    assert len(nested) == 4
    assert nested["reason"].str.contains(reason).all()
    assert (nested["verdict"] == "missing").all() == bool(reason)
    if not reason:
        assert nested["note"].str.contains(r"chosen: \w+ for bp at epoch \d \(in 95% of").all()
    fixed = claims[claims["layer"] == "fixed"]
    assert not fixed["note"].str.contains("chosen").any()
    assert not fixed["reason"].str.contains("chose").any()


def test_the_unpaired_d_is_that_of_both_sides(evaluated):
    _, claims, _ = evaluated
    rows, people, _ = claim_files.scores("bp")
    one, other = (people[plain_rows(rows, epoch, 224, "global-average")] for epoch in (1, 0))
    one, other = one.mean(axis=1), other.mean(axis=1)
    pooled = np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2)
    row = claims[(claims["claim"] == "drop") & claims["primary"].astype(bool)].iloc[0]
    assert row["cohens_d_unpaired"] == pytest.approx((one.mean() - other.mean()) / pooled)


def test_what_cannot_be_computed_is_missing_with_its_reason(evaluated):
    _, claims, _ = evaluated
    missing = claims[claims["verdict"] == "missing"]
    assert missing[["effect", "low", "high", "p_seeds"]].isna().all().all()
    reasons = missing.groupby("claim")["reason"].unique().map(list).to_dict()
    assert reasons == {"less": ["initialisation 'normal' names no rule in place of fa"]}
    assert len(missing) == 4
    assert claims.loc[claims["verdict"] != "missing", "effect"].notna().all()


def test_a_score_that_is_missing_makes_its_universes_missing_and_no_others(tmp_path):
    changes = {"bp": {"reasons": {"pixels": "stimuli grey have no pixels"}}}
    claims, summary = run(
        tmp_path / "x", DROP, rules=("bp", "untrained_bn", "bp_normal"), **changes
    )
    missing = claims[claims["verdict"] == "missing"]
    assert set(missing["control"]) == {"pixels"}
    assert set(missing["reason"]) == {"stimuli grey have no pixels"}
    assert summary["missing"].item() == len(missing) == 4


def test_verdicts_are_counted_claim_by_claim(evaluated):
    _, claims, summary = evaluated
    counts = claims.groupby(["claim", "verdict"]).size().unstack(fill_value=0)
    found = summary.set_index("claim")
    for verdict in ("holds", "reversed", "unresolved", "missing"):
        own = counts[verdict] if verdict in counts else 0 * counts.sum(axis=1)
        assert found[verdict].to_dict() == own.to_dict()
    assert found["holds"].nunique() == 2  # so that counts over both claims would differ


def test_p_values_are_adjusted_within_the_family_of_the_primary_universe(evaluated):
    _, claims, summary = evaluated
    primary = claims[claims["primary"].astype(bool)].set_index("claim")
    first = primary[["size", "baseline", "resample"]].drop_duplicates()
    assert first.to_numpy().tolist() == [[224, "own", "stimuli"]]
    for p in ("p_seeds", "p_stimuli"):
        low, high = np.sort(primary[p])
        order = primary[p].sort_values().index
        found = summary.set_index("claim")
        assert found.loc[order[0], f"{p}_holm"] == pytest.approx(min(2 * low, 1))
        assert found.loc[order[1], f"{p}_holm"] == pytest.approx(max(2 * low, high))
        assert found.loc[order[0], f"{p}_bh"] == pytest.approx(min(2 * low, high))
        assert found.loc[order[1], f"{p}_bh"] == pytest.approx(high)
    assert set(summary["family_size"]) == {2}


def test_the_claims_true_in_the_simulation_hold(evaluated):
    # bp falls by .05 and fa by nothing: so does the difference of the falls
    _, claims, _ = evaluated
    own = claims[(claims["resample"] == "stimuli") & (claims["verdict"] != "missing")]
    assert own.loc[own["claim"] == "drop", "effect"].mean() == pytest.approx(-0.05, abs=0.01)
    assert own.loc[own["claim"] == "less", "effect"].mean() == pytest.approx(0.05, abs=0.01)
    assert set(own["verdict"]) == {"holds"}
