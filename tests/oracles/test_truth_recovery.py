"""Many simulated data sets with a known truth; and faults that must show in what they give.

Few sets, so limits are binomial: a share is refused where so far a one has a probability of less
than one in a thousand (two-sided) if the promise holds.
"""

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, chi2, kstest, norm, spearmanr, t, ttest_1samp

from rulealign.errors import ConfigurationError, DataError
from rulealign.rsa.bootstrap.jackknife import jackknife_variance, left_out_counts
from rulealign.rsa.bootstrap.spearman import resample_counts
from rulealign.rsa.bootstrap.subjects import crossed_interval, subject_counts
from validation import (
    corrected,
    data_sets,
    measuring,
    new_networks,
    other_settings,
    page,
    silence,
    tables,
    truths,
    verdicts,
    world,
)
from validation.__main__ import main
from validation.families import family_rejections, null_claims
from validation.other_settings import (
    METHODS,
    OTHERS,
    OtherSetting,
    measured_others,
    met_of_others,
    met_of_primary,
    other_lines,
    other_table,
    primary_table,
)
from validation.world import OF_BOTH, OF_SUBJECTS, Setting

SMALL = Setting(stimuli=48, subjects=5, cells=100, networks=7, rules=4, draws=120, null_draws=39)
SETS = 32
RARE = 1e-3
STIMULI = ("true", "other", "difference", "network", "null")


def rows_of(kind, folder, sets=SETS, setting=SMALL):
    return pd.DataFrame([kind(setting, number, folder) for number in range(sets)])


@pytest.fixture(scope="module")
def found():
    # 40 batches have standard errors of a sixth of those of a data set's score or less
    return measuring.find_truths(SMALL, batches=40, large=0, crowd=100)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    return pd.concat([rows_of(kind, folder) for kind in data_sets.KINDS.values()], axis=1)


def limits(share, sets=SETS):
    return binom.ppf(RARE / 2, sets, share), binom.ppf(1 - RARE / 2, sets, share)


def fewest(sets=SETS):
    return limits(0.95, sets)[0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["percentile", "corrected"])
@pytest.mark.parametrize("name", STIMULI)
def test_intervals_over_stimuli_cover_the_truth(rows, found, kind, name):
    assert verdicts.covered(rows, f"{kind} {name}", found["fixed subjects"][name]) >= fewest()


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_BOTH)
@pytest.mark.parametrize("kind", ["crossed", "crossed corrected"])
def test_intervals_over_stimuli_and_subjects_cover_the_truth(rows, found, kind, name):
    assert verdicts.covered(rows, f"{kind} {name}", found["new subjects"][name]) >= fewest()


@pytest.mark.slow
@pytest.mark.parametrize(("goal", "seeds"), new_networks.INTERVALS)
def test_primary_intervals_cover_a_true_null_of_networks_that_differ(rows, goal, seeds):
    assert verdicts.covered(rows, f"{goal} {seeds}", 0.0) >= fewest()


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_SUBJECTS)
def test_intervals_over_subjects_cover_the_truth(rows, found, name):
    assert verdicts.covered(rows, f"subjects {name}", found["same stimuli"][name]) >= fewest()


# Against a normal interval of the scores' own standard deviation over data sets. Percentiles count
# noise of pairs three times, 5 subjects have the t of 4 degrees of freedom or a smaller one, and
# published crossed intervals have both.
SUBJECTS = t.ppf(0.975, SMALL.subjects - 1) / norm.ppf(0.975)
WIDEST = {
    "percentile": (3**0.5, STIMULI),
    "corrected": (1.1, STIMULI),
    "crossed": (3**0.5 * SUBJECTS, OF_BOTH),
    "crossed corrected": (SUBJECTS, OF_BOTH),
    "subjects": (SUBJECTS, OF_SUBJECTS),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", WIDEST)
def test_no_interval_is_far_wider_or_narrower_than_the_scores_scatter(rows, kind):
    widest, names = WIDEST[kind]
    # how far scores of so few sets may seem to scatter by chance
    least, most = np.sqrt(chi2.ppf([RARE / 2, 1 - RARE / 2], SETS - 1) / (SETS - 1))
    for name in names:
        width = (rows[f"{kind} {name} high"] - rows[f"{kind} {name} low"]).mean()
        ratio = width / (2 * norm.ppf(0.975) * rows[f"{kind} {name} score"].std(ddof=1))
        assert 1 / most < ratio < widest / least, f"{kind} {name}: {ratio:.2f}"


@pytest.mark.slow
def test_variances_of_null_differences_are_right_when_corrected_and_too_large_when_not(rows):
    (_, bootstrap, fixed), *_ = verdicts.variance_ratios(
        rows, ["null"], ["percentile", "corrected"]
    )
    # a variance over 32 sets has a relative standard error of .25
    assert 0.5 < fixed < 1.8 < bootstrap
    assert bootstrap > 1.5 * fixed


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sign-flip", "primary", "lower bound", "upper bound"])
def test_p_values_of_true_nulls_are_uniform(rows, name):
    assert kstest(rows[f"p {name}"], "uniform").pvalue > RARE


@pytest.mark.slow
def test_families_of_true_nulls_seldom_reject(rows):
    for family in ("sign-flip", "primary"):
        for how in ("holm", "benjamini-hochberg"):
            assert rows[f"family {family} {how}"].sum() <= limits(0.05)[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["percentile", "primary", "crossed", "crossed corrected", "primary both"]
)
def test_claims_about_true_nulls_seldom_get_a_verdict(rows, kind):
    assert rows[f"verdict {kind}"].sum() <= limits(0.05)[1]
    ends = (rows[f"{kind} null {end}"] for end in ("low", "high"))
    outside = sum(low > 0 or high < 0 for low, high in zip(*ends, strict=True))
    assert rows[f"verdict {kind}"].sum() == outside


@pytest.mark.slow
def test_the_ceiling_lies_around_the_true_model(rows, found):
    truth = found["fixed subjects"]["true"]
    assert rows["lower"].mean() < truth < rows["upper"].mean()
    assert (rows["upper"] >= rows["percentile true score"]).all()


@pytest.mark.slow
def test_run_order_raises_agreement_over_all_pairs_only(rows):
    # the model of time is one subject's order, so that this subject's score is raised at any rate
    for raised in ("agreement shared all", "time shared all", "time own all"):
        assert ttest_1samp(rows[raised], 0, alternative="greater").pvalue < 1e-6
    quiet = (
        "agreement own all",
        *(f"{m} {o} cross_run" for m in ("agreement", "time") for o in ("own", "shared")),
    )
    for name in quiet:
        assert ttest_1samp(rows[name], 0).pvalue > RARE


def test_what_cells_answer_to_a_stimulus_does_not_depend_on_the_others():
    # else stimuli are no independent draws, as intervals over stimuli suppose
    quiet = Setting(network_noise=0.0)
    scenes = world.draw_scenes(quiet, 30, "some")
    some = replace(scenes, **{f.name: getattr(scenes, f.name)[:12] for f in fields(scenes)})
    for cells in (
        lambda seen: world.signals(quiet, seen, "somebody"),
        lambda seen: world.model_features(quiet, seen, "other"),
        lambda seen: world.network_features(quiet, seen)[0, 0],
    ):
        np.testing.assert_allclose(cells(scenes)[:12], cells(some), rtol=1e-9, atol=1e-9)
        assert 0.6 < cells(scenes).std() < 1.5


def test_the_truth_of_scores_is_that_of_a_plain_simulation():
    # without noise, subjects differ from the model by the cells they have, and by z-scored patterns
    quiet = Setting(noise=0.0, stimuli=100, subjects=2, voxels=1000, cells=1000)
    values, errors = truths.truth(quiet, "quiet", 100, 3, new_subjects=False)
    assert values[0] > 0.92 > 0.88 > values[1]
    assert (errors >= 0).all()
    assert values[2] == pytest.approx(values[0] - values[1])


# Planted faults: each must show.


def self_pairs_kept(models, brains, counts, *, combine=None):
    """Write resamples out, and keep the pairs of a stimulus with itself, all 0."""
    n = counts.shape[1]
    squares = np.zeros((len(models) + len(brains), n, n))
    first, second = np.triu_indices(n, 1)
    squares[:, first, second] = squares[:, second, first] = np.vstack([models, brains])
    drawn = np.empty((len(counts), len(models), len(brains)))
    for draw, count in enumerate(counts):
        at = np.repeat(np.arange(n), count)
        upper = np.triu_indices(len(at), 1)
        rho = spearmanr(squares[:, at][:, :, at][:, *upper], axis=1)[0]
        drawn[draw] = rho[: len(models), len(models) :]
    return drawn if combine is None else drawn @ combine


FEW = Setting(stimuli=48, subjects=5, cells=100, networks=2, rules=2, draws=100)


@pytest.mark.slow
def test_a_bootstrap_that_keeps_self_pairs_misses_the_truth(monkeypatch, tmp_path):
    monkeypatch.setattr(data_sets, "bootstrap_spearman", self_pairs_kept)
    values, _ = truths.truth(FEW, "fixed subjects", FEW.stimuli, 40, new_subjects=False)
    faulty = rows_of(data_sets.fixed_subjects, tmp_path, 6, FEW)
    truth = tables.named_truths(values)["network"]
    assert verdicts.covered(faulty, "percentile network", truth) < fewest(6)


def test_pairs_that_are_not_left_out_show_the_artefact(monkeypatch, tmp_path):
    monkeypatch.setattr(silence, "cross_run_pairs", lambda *_: None)
    faulty = rows_of(data_sets.nothing_seen, tmp_path, 6)
    line = verdicts.artefact_line(faulty, "agreement shared cross_run", "", raised=False)
    assert line.verdict == "missed"


@pytest.mark.parametrize(
    ("rule", "effect", "found"), [(1, 0.2, 1), (1, -0.2, 0), (2, -0.2, 1), (2, 0.2, 0)]
)
def test_a_family_finds_effects_of_the_claimed_side_only(rule, effect, found):
    # rule 1 is claimed to be better than rule 0, rule 2 to be worse
    rng = np.random.default_rng(4)
    scores = rng.normal(0, 1e-3, (3, 6))
    scores[rule] += effect
    spread = [rng.normal(0, 0.02, (count, 3, 6)) for count in (200, 40)]
    made = null_claims(scores, scores + spread[0], scores + spread[1] / 40, 0.95, rng)
    assert made["family sign-flip holm"] == made["family sign-flip benjamini-hochberg"] == found
    assert made["family primary holm"] == 1  # two-sided: it finds effects of either side
    assert rule == 2 or (made["p sign-flip"] < 0.02) == found
    assert made["verdict percentile"] == made["verdict primary"] == float(rule == 1)


def test_families_reject_by_their_own_adjustments():
    # Holm: 2 x .03 and 1 x .04; Benjamini-Hochberg: 2/2 x .04 for both
    assert family_rejections("f", {"a": 0.03, "b": 0.04}) == {
        "holm": 0.0,
        "benjamini-hochberg": 1.0,
        "unadjusted": 1.0,
    }


def test_every_interval_is_judged_by_the_truth_of_its_kind():
    kinds = {"fixed subjects": 1.0, "new subjects": 2.0, "same stimuli": 3.0}
    kinds |= {"fixed subjects, many": 4.0, "new subjects, many": 5.0}
    of = {kind: dict.fromkeys(STIMULI, value) for kind, value in kinds.items()}
    methods = {"percentile": 1.0, "corrected": 1.0, "subjects": 3.0}
    methods |= {"crossed": 2.0, "crossed corrected": 2.0}
    methods |= {"primary": 1.0, "primary both": 2.0}
    ends = {"low": -0.1, "high": 0.1}
    rows = {
        f"{method} {name} {end}": [value + by] * 10
        for method, value in methods.items()
        for name in STIMULI
        for end, by in ends.items()
    }
    for line in tables.interval_lines(pd.DataFrame(rows), of):
        assert line.seen.startswith("100.0%"), line.quantity
    many = {name: [value[0] + 3] * 10 for name, value in rows.items()}
    for line in tables.many_lines(pd.DataFrame(many), of):
        assert line.seen.startswith("100.0%"), line.quantity


@pytest.mark.slow
def test_a_p_that_is_halved_once_more_is_not_uniform(rows):
    halved = rows.assign(**{"p sign-flip": rows["p sign-flip"] / 2})
    assert verdicts.uniform_line(halved, "p sign-flip", "").verdict == "too often small"


@pytest.mark.slow
def test_a_lower_bound_that_includes_the_person_shows(monkeypatch, tmp_path, found):
    def including(subjects, mask=None):
        upper = np.mean([spearmanr(one, subjects.mean(axis=0))[0] for one in subjects])
        return upper, upper, upper

    monkeypatch.setattr(data_sets, "nili_bounds", including)
    faulty = rows_of(data_sets.fixed_subjects, tmp_path, 3)
    lower = verdicts.bound_lines(faulty, found["fixed subjects"]["true"])[0]
    assert lower.verdict == "missed"


# Verdicts, on numbers whose verdict is known.


@pytest.mark.parametrize(
    ("hits", "verdict"), [(183, "too narrow"), (184, "met"), (196, "met"), (197, "too wide")]
)
def test_coverage_is_judged_by_its_share(hits, verdict):
    low = np.where(np.arange(200) < hits, -1.0, 0.5)
    table = pd.DataFrame({"x low": low, "x high": 1.0})
    line = verdicts.coverage_line(table, "x", 0.0, "x")
    assert (line.verdict, line.sets) == (verdict, 200)
    assert line.seen.startswith(f"{hits / 200:.1%}")


@pytest.mark.parametrize(("hits", "verdict"), [(10, "met"), (15, "met"), (25, "too many")])
def test_families_may_reject_by_chance_alone(hits, verdict):
    table = pd.DataFrame({"f": (np.arange(200) < hits).astype(float)})
    assert verdicts.error_line(table, "f", "").verdict == verdict
    assert verdicts.error_line(table, "f", "", promised=False).verdict == ""


def test_a_number_that_is_missing_or_not_finite_is_named():
    with pytest.raises(DataError, match="'f'; measure them anew"):
        verdicts.error_line(pd.DataFrame({"g": [1.0]}), "f", "")
    with pytest.raises(DataError, match="data set 1: 'f' is nan"):
        verdicts.error_line(pd.DataFrame({"f": [1.0, np.nan]}), "f", "")


@pytest.mark.slow
def test_the_command_writes_the_page_and_measures_nothing_twice(rows, found, tmp_path, monkeypatch):
    kept = tmp_path / "sets.csv"
    monkeypatch.setattr(measuring, "measured", lambda _s, n, _f, _k: rows.iloc[n].to_dict())
    made = measuring.measured_sets(SMALL, 3, 1, kept)
    monkeypatch.setattr(measuring, "measured", None)
    again = measuring.measured_sets(SMALL, 3, 1, kept)
    pd.testing.assert_frame_equal(made, again)
    with pytest.raises(DataError, match=r"sets.csv: is of another setting"):
        measuring.measured_sets(Setting(), 3, 1, kept)
    table = pd.read_csv(kept)
    table.assign(setting="measured by code of last year").to_csv(kept, index=False)
    with pytest.raises(DataError, match=r"sets.csv: is .* or of other code; delete it"):
        measuring.measured_sets(SMALL, 3, 1, kept)
    many = {f"{name}, many": found[name] for name in ("fixed subjects", "new subjects")}
    many |= {f"{name}, error": found["fixed subjects, error"] for name in many}
    others = [OtherSetting("fewer stimuli", SMALL, rows, found)]
    for output in (tmp_path / "a.md", tmp_path / "b.md"):
        page.write_page(rows, found | many, SMALL, others, output)
    text = (tmp_path / "a.md").read_text()
    assert other_table(others) in text
    assert text == (tmp_path / "b.md").read_text()
    assert f"{SETS} data sets of each of five kinds" in text
    for line in tables.null_lines(rows):
        assert f"| {line.quantity} | {line.target} | {line.seen} | {SETS} |" in text


def test_other_settings_are_measured_by_their_own_truth_and_kept_apart(monkeypatch, tmp_path):
    few = Setting(stimuli=20, subjects=3, voxels=20, cells=30, rules=2, networks=2, units=10)
    few = replace(few, draws=100)
    asked = []

    def truth_of(setting):
        asked.append(setting)
        truth = dict.fromkeys(STIMULI, float(setting.stimuli))
        return {"fixed subjects": truth, "fixed subjects, error": truth}

    def measured(setting, _number, _folder, kinds):
        assert kinds == ("fixed subjects", "new networks")
        ends = {"low": setting.stimuli - 1, "high": setting.stimuli + 1, "score": 0, "variance": 1}
        # the second quantity is missed by percentiles, in one setting
        off = 9.0 * (setting.stimuli == 40)
        networks = {
            f"{goal} {seeds} {end}": float(value) + off * (goal == "both")
            for goal, seeds in new_networks.INTERVALS
            for end, value in {"low": -1, "high": 1}.items()
        }
        return networks | {
            f"{kind} {name} {end}": float(value) + off * (kind == "percentile" and name == "other")
            for kind in METHODS
            for name in STIMULI
            for end, value in ends.items()
        }

    monkeypatch.setattr(other_settings, "find_truth_of_fixed_subjects", truth_of)
    monkeypatch.setattr(measuring, "measured", measured)
    monkeypatch.setattr(other_settings, "variance_ratios", lambda *_: [("x", 1.0, 1.0)] * 5)
    others = measured_others(few, 12, 1, tmp_path)
    assert [replace(few, **differs) for differs in OTHERS.values()] == asked
    assert len({each.stem for each in tmp_path.iterdir()}) == 2 * len(OTHERS)
    for other in others:
        lines = other_lines(other)
        assert [line.verdict for line in lines["corrected"]] == ["too wide"] * 5  # 12 of 12
        missed = [line.quantity for line in lines["percentile"] if line.verdict == "too narrow"]
        assert missed == ([tables.WORDS["other"]] if other.setting.stimuli == 40 else [])
    assert met_of_others(others) == {"percentile": "0 of 20", "corrected": "0 of 20"}
    fine = pd.concat([others[0].rows] * 2, ignore_index=True)
    fine.loc[0, "corrected true high"] = fine.loc[0, "corrected true low"]
    met = met_of_others([replace(others[0], rows=fine)])  # 23 of 24 data sets, of one quantity
    assert met == {"percentile": "0 of 5", "corrected": "1 of 5"}
    primary = primary_table(others).splitlines()
    assert primary[0].startswith("| quantity | weak noise (noise 0.5, network noise 0.5) |")
    assert len(primary) == 2 + len(new_networks.INTERVALS)
    shares = [line.split(" | ")[3] for line in primary[2:]]  # of fewer stimuli
    assert [share.startswith("**0.0%") for share in shares] == [
        "both" in line for line in primary[2:]
    ]
    # 12 of 12 are too wide, but for what is there to compare with
    assert met_of_primary(others) == f"0 of {4 * (len(new_networks.INTERVALS) - 1)}"
    body = other_table(others).splitlines()[2:]
    assert len(body) == 5 * len(OTHERS)
    assert body[11].startswith("| fewer stimuli (stimuli 40) | score of another model | **0.0% [")


def test_methods_are_counted_by_their_own_lines():
    wide, fine = "too wide", verdicts.MET
    lines = [
        verdicts.Line(f"{method}: {name}", "", "", 10, wide if place < skipped else fine)
        for skipped, method in enumerate(tables.METHODS)
        for place, name in enumerate(("x", "y", "z", "subjects: w"))
    ]
    body = page.method_table(lines).splitlines()[2:]
    for skipped, (method, called) in enumerate(tables.METHODS.items()):
        assert body[skipped] == f"| {method} | {called} | 4 | {max(4 - skipped, 0)} |"


def test_too_few_data_sets_are_refused():
    message = r"--sets \d+ --others \d+ --jobs 1: at least 10 data sets"
    for few in ("--sets", "--others"):
        with pytest.raises(ConfigurationError, match=message):
            main([few, "5"])


# The corrected variance, against closed forms and a plain loop.


def pair_means(values, counts):
    """Weight a mean over pairs by products of counts."""
    first, second = np.triu_indices(counts.shape[1], 1)
    weights = counts[:, first] * counts[:, second]
    return (weights @ values / weights.sum(axis=1))[:, None]


@pytest.mark.parametrize("own", [0.0, 0.15, 1.0])
def test_the_corrected_variance_is_that_of_stimuli_and_pairs(own):
    # a pair's value is a_i + a_j + e_ij: the mean's variance is 4 own^2 / n + 2 / (n (n - 1))
    n, rng = 80, np.random.default_rng(0)
    first, second = np.triu_indices(n, 1)
    true = 4 * own**2 / n + 2 / (n * (n - 1))
    sizes = []
    for seed in range(60):
        a = own * rng.standard_normal(n)
        values = a[first] + a[second] + rng.standard_normal(len(first))
        drawn = pair_means(values, resample_counts(n, 200, seed))
        left_out = pair_means(values, left_out_counts(n))
        each = corrected.corrected_variance(drawn, left_out), drawn.var(axis=0, ddof=1)
        sizes.append([*each, jackknife_variance(left_out)])
    fixed, bootstrap, jackknife = np.mean(sizes, axis=0)[:, 0] / true
    pairs = 2 / (n * (n - 1)) / true
    assert bootstrap == pytest.approx(1 + 2 * pairs, rel=0.1)
    assert jackknife == pytest.approx(1 + pairs, rel=0.1)
    # the limits make it err on the careful side where pairs are all of the variance
    assert 0.9 < fixed < 1.1 + 0.2 * pairs


@pytest.mark.parametrize("shared", [0.0, 0.3])
def test_the_corrected_variance_over_subjects_too_is_that_of_all_parts(shared):
    # a subject's pair is a_i + a_j + e_ij, shared by all, and own parts b_i + b_j + f_ij + p
    n, subjects, rng = 40, 8, np.random.default_rng(3)
    first, second = np.triu_indices(n, 1)
    pairs, own, apart = n * (n - 1) / 2, 0.1, 0.03
    single = 4 * own**2 / n + 1 / pairs + apart**2
    true = shared**2 * (4 / n + 1 / pairs) + single / subjects
    sizes = []
    for seed in range(120):
        a = shared * rng.standard_normal(n)
        common = a[first] + a[second] + shared * rng.standard_normal(len(first))
        b = own * rng.standard_normal((subjects, n))
        values = common + b[:, first] + b[:, second] + rng.standard_normal((subjects, len(first)))
        values += apart * rng.standard_normal((subjects, 1))
        counts = np.vstack([resample_counts(n, 200, seed), left_out_counts(n)])
        drawn = np.stack([pair_means(one, counts) for one in values], axis=2)
        rho = values.mean(axis=1)[None]
        crossed = corrected.corrected_crossed_interval(rho, drawn[:200], drawn[200:], 0.95)
        plain = crossed_interval(rho, drawn[:200], subject_counts(subjects, 200, seed), n, 0.95)
        common = corrected.common_variance(drawn[:200], drawn[200:])
        sizes.append([crossed.variance, plain.variance, common])
    fixed, published, common = np.mean(sizes, axis=0)[:, 0]
    assert common == pytest.approx(shared**2 * (4 / n + 1 / pairs), abs=0.1 * true)
    # what is below 0 is taken as 0, which errs on the careful side where nothing is in common
    assert 0.9 * true < fixed < (1.1 if shared else 1.3) * true
    assert shared or published > 1.3 * fixed


def test_the_jackknife_equals_a_plain_loop():
    values = np.random.default_rng(1).normal(size=(7, 2))
    mean = values.sum(axis=0) / 7
    loop = sum((values[place] - mean) ** 2 for place in range(7)) * 6 / 7
    np.testing.assert_allclose(jackknife_variance(values), loop)


def test_draws_that_allow_no_interval_are_refused():
    rng = np.random.default_rng(2)
    drawn, left_out = rng.normal(size=(100, 2)), rng.normal(size=(9, 2))
    with pytest.raises(DataError, match="needs 100 draws or more, not 99; raise statistics"):
        corrected.corrected_variance(drawn[:99], left_out)
    with pytest.raises(DataError, match=r"\(2,\) scores do not fit \(1,\)"):
        corrected.corrected_variance(drawn, left_out[:, :1])
    with pytest.raises(DataError, match="not finite in some sample without a stimulus"):
        corrected.corrected_variance(drawn, np.full((9, 2), np.nan))
    with pytest.raises(DataError, match="score 0 is the same in every resample"):
        corrected.corrected_variance(np.ones((100, 2)), left_out)
    of_subjects = rng.normal(size=(100, 2, 4)), rng.normal(size=(9, 2, 4))
    still = of_subjects[0].copy()
    still[:, 1, 3] = 0.2
    with pytest.raises(DataError, match=r"score 1 of subject 3 \(from 0\) is the same in every"):
        corrected.common_variance(still, of_subjects[1])
    for rho, words in (
        (np.zeros((2, 2)), "at least 3 of them .* not 2; use the bootstrap over stimuli"),
        (np.zeros((2, 3)), r"shape \(2, 3\) do not fit draws of \(2, 4\)"),
        (np.zeros((1, 4)), r"shape \(1, 4\) do not fit draws of \(2, 4\)"),
    ):
        with pytest.raises(DataError, match=words):
            corrected.corrected_crossed_interval(rho, *of_subjects, 0.95)
    with pytest.raises(DataError, match="subject's score is not finite"):
        corrected.corrected_crossed_interval(np.full((2, 4), np.nan), *of_subjects, 0.95)
    with pytest.raises(DataError, match="at least 3 of them .* not 1"):
        corrected.common_variance(of_subjects[0][..., :1], of_subjects[1][..., :1])
    # subjects who do not differ, and draws that say that they have nothing in common
    apart = np.array([1, -1, 1, -1]) * rng.normal(0, 1e-6, (100, 1, 1)), np.zeros((9, 1, 4))
    apart[1][0] = [1e-3, -1e-3, 1e-3, -1e-3]
    with pytest.raises(DataError, match="score 0 is the same in all subjects and has nothing"):
        corrected.corrected_crossed_interval(np.full((1, 4), 0.1), *apart, 0.95)
    with pytest.raises(DataError, match="not finite in some resample"):
        corrected.corrected_crossed_interval(
            np.zeros((2, 4)), np.full_like(of_subjects[0], np.inf), of_subjects[1], 0.95
        )
    with pytest.raises(DataError, match="3 stimuli leaves too few pairs"):
        left_out_counts(3)
