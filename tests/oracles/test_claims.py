"""Claims against plain computations from the tables, closed forms and a planted truth."""

import itertools
from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from statsmodels.stats.weightstats import DescrStatsW

import claim_files
import universe_files
from claim_files import DRAWS, DROP, INTERVAL, LESS, STUDY_SEED, SUBJECTS
from rulealign.claims.ceilings import Ceiling, read_ceilings, uninformative
from rulealign.claims.evaluate import evaluate
from rulealign.claims.verdicts import equivalence_p, judge, too_small
from rulealign.plan.settings.scores import CeilingSettings
from rulealign.rsa.bootstrap.primary import Effect, PrimaryInterval, primary_interval, seed_variance
from rulealign.rsa.bootstrap.subjects import subject_counts, subject_seed
from rulealign.rsa.ceiling_table import roi_ceiling


def run(folder, *claims, rules=tuple(claim_files.SEEDS), goal="stimuli", **changes):
    folder.mkdir(exist_ok=True)
    files = claim_files.write_all(folder, rules, goal, **changes)
    made = [folder / f"{name}.csv" for name in ("claims", "summary", "curves")]
    evaluate(*files, claim_files.settings(*claims, goal=goal), *made)
    return [pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in made[:2]]


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
    assert judge(low, high, "positive") == positive
    assert judge(low, high, "negative") == negative


def test_an_effect_is_too_small_to_matter_by_two_one_sided_tests():
    # statsmodels' TOST of a mean, from data with just this estimate and standard error
    rng = np.random.default_rng(2)
    small = []
    for mean in (-0.03, -0.01, 0, 0.004, 0.02):
        values = rng.normal(mean, 0.05, 25)
        weighted = DescrStatsW(values)
        estimate, error = values.mean(), values.std(ddof=1) / 5
        found = PrimaryInterval(estimate, error, 24, 0, 0, 1)
        p = equivalence_p(found, 0.02)
        assert p == pytest.approx(weighted.ttost_mean(-0.02, 0.02)[0])
        low, high = weighted.tconfint_mean(alpha=0.1)
        within = low > -0.02 and high < 0.02
        assert bool(too_small(p, 0.95, 0.02)) == within == (p < 0.05)
        small.append(within)
    assert set(small) == {True, False}
    assert "the 90% interval lies within ±0.02" in too_small(0.01, 0.95, 0.02)
    nothing = PrimaryInterval(0.0, 0.0, 24, 0.0, 0.0, 1.0)
    assert equivalence_p(nothing, 0.02) == 0


@pytest.mark.parametrize(("smallest", "small"), [(0.001, False), (0.2, True)])
def test_a_smallest_effect_serves_equivalence_alone_and_in_its_own_units(
    evaluated, tmp_path, smallest, small
):
    _, plain, _ = evaluated
    sized = replace(DROP, smallest_effect=smallest, smallest_effect_reason="half of the report")
    claims, summary = run(tmp_path / "x", sized)
    plain = plain[plain["claim"] == "drop"].reset_index(drop=True)
    same = ["effect", "low", "high", "p", "verdict", "p_seeds", "cohens_d_paired"]
    pd.testing.assert_frame_equal(claims[same], plain[same])
    other = (claims["convention"] != "per_subject") | (claims["comparison"] != "spearman")
    other |= claims["control"] != "none"
    assert 0 < other.sum() < len(claims)
    assert claims.loc[other, "p_equivalence"].isna().all()
    assert claims.loc[other, "note"].str.contains("scores are in other units").all()
    assert claims.loc[other, "reason"].isna().all()
    own = claims[~other]
    room = smallest - own["effect"].abs()
    p = student.sf(room / own["standard_error"], own["degrees_of_freedom"])
    assert own["p_equivalence"].to_numpy() == pytest.approx(p)
    assert own["reason"].fillna("").str.startswith("too small to matter").all() == small
    assert summary["smallest_effect"].item() == smallest
    assert summary["smallest_effect_reason"].item() == "half of the report"


@pytest.mark.parametrize("goal", ["stimuli", "subjects", "both"])
def test_no_verdict_disagrees_with_its_p(tmp_path, goal):
    def scattered(rows, people):  # effects about 0 as well as clear of it
        rng = np.random.default_rng(4)
        return (
            people + rng.normal(0, 0.04, (len(rows), 1)) * np.array([r[2] for r in rows])[:, None]
        )

    claims, _ = run(tmp_path / "x", DROP, LESS, goal=goal, bp={"change": scattered})
    known = claims[claims["verdict"] != "missing"]
    clear = known["verdict"].isin(["holds", "reversed"])
    assert clear.nunique() == 2
    assert (clear == (known["p"] < 1 - INTERVAL)).all()


def expected_rows(folder, terms, seeds, row):
    """Recompute an effect, its draws and left-out scores, seed by seed: plus less minus."""
    seen, drawn, without = [], 0, 0
    for sign, side in zip((1, -1), terms, strict=True):
        for rule, epoch in side:
            table = pd.read_csv(folder / f"rule-{rule}_roi-V1_universes.csv", keep_default_na=False)
            axes = ("descriptor", "convention", "comparison", "control")
            wanted = {"epoch": epoch, "size": row["size"], **{axis: row[axis] for axis in axes}}
            own = table[(table[list(wanted)] == pd.Series(wanted)).all(axis=1)]
            own = own[own["seed"].isin(seeds)]
            assert list(own["seed"]) == seeds
            seen.append(sign * own["score"].to_numpy())
            with h5py.File(folder / f"rule-{rule}_roi-V1_d.h5") as file:
                drawn = drawn + sign * file["draws"][:, own.index].astype(float)
                without = without + sign * file["left_out"][:, own.index]
    return np.sum(seen, axis=0), drawn, without


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


def part_of_seeds(folder, row, label, by_seed):
    """Pool over rules where fewer than 3 seeds are left: the same fall of bp, fa and bp_normal."""
    if len(by_seed) > 2:
        return by_seed.var(ddof=1), len(by_seed) - 1
    assert label == "drop"
    total, freedom = 0, 0
    for rule in ("bp", "fa", "bp_normal"):
        seeds = claim_files.SEEDS[rule]
        start = "untrained_bn" if row["baseline"] == "untrained_bn" else rule
        fall, *_ = expected_rows(folder, ([(rule, 1)], [(start, 0)]), seeds, row)
        total += np.sum((fall - fall.mean()) ** 2)
        freedom += len(seeds) - 1
    return total / freedom, freedom


@pytest.mark.parametrize("label", ["drop", "less"])
def test_every_universe_equals_a_plain_computation(evaluated, label):
    folder, claims, _ = evaluated
    rows = claims[claims["claim"] == label]
    assert len(rows) == 24
    computed, n = rows[rows["verdict"] != "missing"], len(claim_files.STIMULI)
    assert len(computed) == {"drop": 24, "less": 20}[label]
    for _, row in computed.iterrows():
        terms, seeds = terms_of(label, row)
        by_seed, drawn, without = expected_rows(folder / "study", terms, seeds, row)
        assert row["effect"] == pytest.approx(by_seed.mean(), abs=1e-9)
        ends = np.percentile(drawn.mean(axis=1), [50 * (1 - INTERVAL), 50 * (1 + INTERVAL)])
        assert (row["percentile_low"], row["percentile_high"]) == pytest.approx(ends, abs=1e-8)
        of_seed, freedom = part_of_seeds(folder / "study", row, label, by_seed)
        # stimuli: what different seeds have in common
        jackknife = (n - 1) ** 2 / n * np.cov(without.T)
        apart = ~np.eye(len(seeds), dtype=bool)
        common = (2 * jackknife - np.cov(drawn.T))[apart].mean()
        jackknife = max(jackknife[apart].mean(), 0)
        common = min(max(common, jackknife / 2), jackknife)
        variance = of_seed / len(seeds) + common
        free = variance**2 / ((of_seed / len(seeds)) ** 2 / freedom + common**2 / (n - 1))
        reach = student.ppf((1 + INTERVAL) / 2, free) * np.sqrt(variance)
        assert row["standard_error"] == pytest.approx(np.sqrt(variance))
        assert row["degrees_of_freedom"] == pytest.approx(free)
        expected = row["effect"] - reach, row["effect"] + reach
        assert (row["low"], row["high"]) == pytest.approx(expected, abs=1e-8)
        said = "seeds" if len(seeds) > 2 else "seeds (variance pooled over rules)"
        assert row["generalises_to"] == f"stimuli, {said}"
        assert row["n_seeds"] == len(seeds)
        sign = 1 if label == "less" else -1
        flips = itertools.product((1, -1), repeat=len(seeds))
        sums = [sign * np.dot(flip, by_seed) for flip in flips]
        assert row["p_seeds"] == np.mean([one >= sums[0] - 1e-12 for one in sums])
        assert row["p_seeds_floor"] == 1 / 2 ** len(seeds)
        if len(seeds) > 2:
            assert row["cohens_d_paired"] == pytest.approx(by_seed.mean() / by_seed.std(ddof=1))
        else:
            assert np.isnan(row["cohens_d_paired"])
            assert "no cohens_d_paired: a standard deviation over seeds needs 3" in row["note"]
        assert row["seeds_same_sign"] == np.sum(by_seed * by_seed.mean() > 0)


def test_where_no_rules_have_seeds_enough_it_is_of_these_seeds_only(tmp_path):
    two = {"views": claim_files.VIEWS[:1]}
    grid = claim_files.GRID | {"size": [32], "descriptor": ["global-average"]}
    grid |= {"initialisation": {"default": {}}}
    claim = claim_files.claim("drop", [("bp_normal", 1)], [("bp_normal", 0)])
    files = claim_files.write_all(tmp_path, ("bp_normal",), bp_normal=two)
    made = [tmp_path / f"{name}.csv" for name in ("claims", "summary", "curves")]
    grid |= {"baseline": ["own"], "crossed": []}
    evaluate(*files, claim_files.settings(claim, universes=grid), *made)
    claims = pd.read_csv(made[0])
    assert set(claims["generalises_to"]) == {"stimuli, these seeds only"}
    n = len(claim_files.STIMULI)
    for _, row in claims.iterrows():
        row["size"] = 32
        terms = ([("bp_normal", 1)], [("bp_normal", 0)])
        _, drawn, without = expected_rows(tmp_path, terms, [1, 2], row)
        jackknife = (n - 1) ** 2 / n * np.var(without.mean(axis=1), ddof=1)
        variance = 2 * jackknife - np.var(drawn.mean(axis=1), ddof=1)
        variance = min(max(variance, jackknife / 2), jackknife)
        assert row["standard_error"] == pytest.approx(np.sqrt(variance))
        assert row["degrees_of_freedom"] == pytest.approx(n - 1)


@pytest.mark.parametrize("goal", ["subjects", "both"])
def test_subjects_are_in_the_interval_where_the_study_generalises_to_them(tmp_path, goal):
    claims, _ = run(tmp_path / "x", DROP, rules=("bp", "untrained_bn", "bp_normal"), goal=goal)
    rows, people, draws = claim_files.scores("bp")
    left_out = claim_files.without_each("bp", people)
    lost = claims[claims["convention"] == "mean_rdm"]
    assert set(lost["verdict"]) == {"missing"}
    assert lost["reason"].str.contains("no scores of single subjects").all()
    own = claims[claims["comparison"] == "spearman"]
    own = own[(own["control"] == "none") & (own["convention"] == "per_subject")]
    own = own[(own["baseline"] == "own") & (own["initialisation"] == "default")]
    counts = subject_counts(SUBJECTS, DRAWS, subject_seed(STUDY_SEED, SUBJECTS))
    assert len(own) == 4
    for _, row in own.iterrows():
        one, other = (plain_rows(rows, e, row["size"], row["descriptor"]) for e in (1, 0))
        effect = Effect(
            people[one] - people[other],
            draws[:, one].astype(float) - draws[:, other].astype(float),
            left_out[:, one] - left_out[:, other],
        )
        by_seed = effect.scores.mean(axis=1)
        found = primary_interval(effect, goal, INTERVAL, seed_variance(by_seed))
        names = ["effect", "standard_error", "degrees_of_freedom", "low", "high", "p"]
        assert row[names].to_list() == pytest.approx(list(found), abs=1e-7)
        said = {"both": "stimuli, subjects, seeds", "subjects": "subjects, seeds"}
        assert row["generalises_to"] == said[goal]
        if goal == "subjects":
            assert np.isnan(row["crossed_low"])
            continue
        rho, drawn = effect.scores.mean(axis=0), effect.drawn.mean(axis=1)
        of_people = np.var([np.average(rho, weights=count) for count in counts], ddof=1)
        pairs = zip(drawn, counts, strict=True)
        both = np.var([np.average(d, weights=c) for d, c in pairs], ddof=1)
        of_stimuli = np.var(drawn.mean(axis=1), ddof=1)
        s, m = SUBJECTS / (SUBJECTS - 1), len(claim_files.STIMULI) / (len(claim_files.STIMULI) - 1)
        crossed = s * of_people + m * of_stimuli - s * m * (both - of_people - of_stimuli)
        crossed = min(max(crossed, s * of_people, m * of_stimuli), both)
        reach = student.ppf((1 + INTERVAL) / 2, SUBJECTS - 1) * np.sqrt(crossed)
        ends = rho.mean() - reach, rho.mean() + reach
        assert (row["crossed_low"], row["crossed_high"]) == pytest.approx(ends, abs=1e-7)


def plain_rows(rows, epoch, size, descriptor):
    plain = ("per_subject", "all", "spearman", "none")
    wanted = (epoch, size, descriptor, *plain)
    return [at for at, key in enumerate(rows) if (key[3], key[5], key[7], *key[10:]) == wanted]


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
    # they are in no denominator
    assert summary["universes"].item() == len(claims) - 4
    assert summary["summary"].item().endswith(" universes; 4 more do not exist)")


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
    first = primary[["size", "baseline", "control"]].drop_duplicates()
    assert first.to_numpy().tolist() == [[224, "own", "none"]]
    for p in ("p_seeds", "p"):
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
    own = claims[claims["verdict"] != "missing"]
    assert own.loc[own["claim"] == "drop", "effect"].mean() == pytest.approx(-0.05, abs=0.01)
    assert own.loc[own["claim"] == "less", "effect"].mean() == pytest.approx(0.05, abs=0.01)
    assert set(own["verdict"]) <= {"holds", "unresolved"}
    assert (own["verdict"] == "holds").mean() > 0.9


ALONE = {"n_subjects": 1, "lower": np.nan, "null_lower_high": np.nan, "reliability": 0.03}
ALONE |= {"null_reliability_high": 0.05, "informative_by": "reliability over 2 sessions"}
"""What the table of ceilings says of an ROI of one subject."""


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        (
            {"informative": False},
            "uninformative",
            "the lower bound of the noise ceiling of V1 over all pairs, 0.200, is not clear of",
        ),
        (
            {"informative": False, "informative_by": "", "reason": "shuffle 3 is constant"},
            "holds",
            "ceiling unknown of V1",
        ),
        ({"pairs": "cross_run"}, "holds", "ceiling unknown of V1 over all pairs: none is computed"),
        (
            ALONE | {"informative": False},
            "uninformative",
            "the reliability over 2 sessions of V1 over all pairs, 0.030, is not clear of chance",
        ),
        (ALONE, "holds", ""),
        (
            ALONE | {"informative": False, "informative_by": "", "reason": "there is 1 subject"},
            "holds",
            "ceiling unknown of V1 over all pairs: there is 1 subject",
        ),
        ({}, "holds", ""),
    ],
)
def test_a_brain_that_tells_nothing_makes_claims_uninformative(tmp_path, changes, verdict, words):
    *files, ceilings = claim_files.write_all(tmp_path)
    claim_files.write_ceilings(tmp_path, **changes)
    if "pairs" in changes:
        pd.read_csv(ceilings[0]).iloc[:1].to_csv(ceilings[0], index=False)
    made = [tmp_path / f"{name}.csv" for name in ("claims", "summary", "curves")]
    evaluate(*files, ceilings, claim_files.settings(DROP), *made)
    claims, summary = (pd.read_csv(path, keep_default_na=False) for path in made[:2])
    assert claims["effect"].min() < -0.03  # it stays, with its interval
    own = claims[claims["initialisation"] == "default"]
    assert (own["verdict"] == verdict).all()
    said = own["reason" if verdict == "uninformative" else "note"]
    assert said.str.contains(words).all()
    assert (summary["p_holm"] == "").all() == (verdict == "uninformative")
    if verdict == "uninformative":
        words = "uninformative everywhere (holds in none of 24 universes)"
        assert summary["summary"].item() == words


def test_one_uninformative_roi_is_enough_whatever_is_known_of_the_others():
    noisy = Ceiling("lower bound", 0.01, 0.05, False, "")
    unknown = Ceiling("", np.nan, np.nan, False, "1 subject without sessions")
    ceilings = {("V1", "all"): unknown, ("IT", "all"): noisy}
    for rois in (["V1", "IT"], ["IT", "V1"], ["LOC", "IT"]):
        why, note = uninformative(rois, "all", ceilings)
        assert why.startswith("the lower bound of IT over all pairs, 0.010, is not clear")
        assert note == ""
    assert uninformative(["V1"], "all", ceilings)[0] == ""
    assert "V1 over all pairs: 1 subject without" in uninformative(["V1"], "all", ceilings)[1]


def test_ceilings_of_noise_are_uninformative_and_of_a_signal_not(tmp_path):
    rng = np.random.default_rng(3)
    found = {}
    for roi, signal in (("noise", 0), ("V1", 1)):
        rdms = signal * rng.normal(size=435) + rng.normal(size=(4, 435))
        files = [universe_files.brain_file(tmp_path, s, roi, rdm=rdm) for s, rdm in enumerate(rdms)]
        settings = CeilingSettings(study_seed=1, null_draws=40, interval=0.95, pairs="all")
        roi_ceiling(files, roi, settings, tmp_path / f"{roi}.csv")
        ceilings = read_ceilings([tmp_path / f"{roi}.csv"])
        found[roi] = uninformative([roi], "all", ceilings)[0] != ""
    assert found == {"noise": True, "V1": False}
