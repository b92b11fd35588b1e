"""Mixed models of claims against statsmodels, closed forms, and planted variance components."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp
from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

import claim_files
from rulealign.claims.mixed_models import mixed_effect, mixed_models_table
from rulealign.errors import DataError
from rulealign.plan.settings.claims import MixedModelsSettings


def planted(n_seeds, n_subjects, of_seeds, of_subjects, rest, seed):
    rng = np.random.default_rng(seed)
    effects = 0.05 + of_seeds * rng.normal(size=(n_seeds, 1))
    effects = effects + of_subjects * rng.normal(size=(1, n_subjects))
    return effects + rest * rng.normal(size=(n_seeds, n_subjects))


def crossed_model(effects):
    n_seeds, n_subjects = effects.shape
    of_seed = np.repeat(np.eye(n_seeds), n_subjects, axis=0)
    of_subject = np.tile(np.eye(n_subjects), (n_seeds, 1))
    names = [
        [[f"{kind}{n}" for n in range(k)]] for kind, k in zip("su", effects.shape, strict=True)
    ]
    parts = VCSpec(["seeds", "subjects"], names, [[of_seed], [of_subject]])
    values, ones = effects.ravel(), np.ones((effects.size, 1))
    return MixedLM(values, ones, groups=np.zeros(effects.size), exog_vc=parts)


@pytest.mark.parametrize("shape", [(10, 15), (5, 3), (6, 8)])
def test_it_is_the_fit_of_statsmodels(shape):
    effects = planted(*shape, 0.8, 1.5, 1.0, seed=2)
    found = mixed_effect(effects, 0.95)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = crossed_model(effects).fit(reml=True)
    assert fit.converged
    assert found.effect == pytest.approx(fit.fe_params[0])
    variances = [found.sd_seeds**2, found.sd_subjects**2, found.sd_rest**2]
    assert variances == pytest.approx([*fit.vcomp, fit.scale], rel=2e-3)
    half = (found.high - found.low) / 2
    assert fit.bse_fe[0] * 1.95 < half  # t, not z


@pytest.mark.parametrize("seed", [0, 2, 10])
def test_where_a_variance_is_0_nothing_is_more_likely(seed):
    effects = planted(4, 6, 0.0, 0.0, 1.0, seed)
    found = mixed_effect(effects, 0.95)
    scaled = np.array([found.sd_seeds**2, found.sd_subjects**2]) / found.sd_rest**2
    assert (scaled == 0).any()

    def likelihood(at):
        # restricted, with the variance of the rest profiled out
        (n, u), one = effects.shape, np.ones(effects.size)
        cov = np.eye(n * u) + at[0] * np.kron(np.eye(n), np.ones((u, u)))
        inverse = np.linalg.inv(cov + at[1] * np.kron(np.ones((n, n)), np.eye(u)))
        left = effects.ravel() - one @ inverse @ effects.ravel() / (one @ inverse @ one)
        value = (n * u - 1) * np.log(left @ inverse @ left) - np.linalg.slogdet(inverse)[1]
        return -(value + np.log(one @ inverse @ one)) / 2

    best = likelihood(scaled)
    for other in itertools.product(np.linspace(0, 1, 12), repeat=2):
        assert likelihood(np.array(other)) <= best + 1e-9


def test_without_subjects_of_their_own_it_is_the_t_test_over_seeds():
    # rows that differ by a constant each, and a rest that is the same in no two: MS of subjects
    # is pooled with the rest, and the variance of the mean is that of the seeds' means
    rng = np.random.default_rng(1)
    effects = 3 * rng.normal(size=(7, 1)) + rng.normal(size=(7, 5))
    effects = effects - effects.mean(axis=0) + effects.mean()
    found, test = mixed_effect(effects, 0.9), ttest_1samp(effects.mean(axis=1), 0)
    assert found.sd_subjects == 0
    assert found.p == pytest.approx(test.pvalue)
    assert [found.low, found.high] == pytest.approx(list(test.confidence_interval(0.9)))
    assert found.degrees_of_freedom == pytest.approx(6)


def test_planted_variances_are_recovered():
    fits = [mixed_effect(planted(12, 15, 0.02, 0.03, 0.01, seed), 0.95) for seed in range(400)]
    squares = np.mean([[f.sd_seeds**2, f.sd_subjects**2, f.sd_rest**2] for f in fits], axis=0)
    assert squares == pytest.approx([0.0004, 0.0009, 0.0001], rel=0.06)
    covered = np.mean([fit.low < 0.05 < fit.high for fit in fits])
    assert covered == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize(
    ("effects", "message"),
    [
        (np.ones((1, 5)), "two seeds and two subjects, not 1 and 5"),
        (np.full((3, 3), 0.1), "the same with every seed and subject"),
        (np.array([[1.0, np.nan], [2, 3]]), "not finite"),
    ],
)
def test_what_has_no_fit_says_why(effects, message):
    with pytest.raises(DataError, match=message):
        mixed_effect(effects, 0.95)


ONE = {"crossed": [], "initialisation": {"default": {}}}


def subject_rows(rules=tuple(claim_files.SEEDS)):
    keys = [
        "network",
        "rule",
        "seed",
        "epoch",
        "stimuli",
        "size",
        "layer",
        "descriptor",
        "centring",
        "roi",
    ]
    for rule in rules:
        rows, people, _ = claim_files.scores(rule)
        for row, scores in zip(rows, people, strict=True):
            if row[10:] == ("per_subject", "all", "spearman", "none"):
                for subject, score in enumerate(scores):
                    about = dict(zip(keys, row, strict=False)) | {"pairs": "all"}
                    yield about | {"subject": subject, "score": score}


def primary(*claims):
    grid = {axis: values[:1] for axis, values in claim_files.grid().values.items()}
    told = claim_files.settings(*claims, universes=claim_files.GRID | grid | ONE)
    return told.narrowed(MixedModelsSettings)


def test_the_table_fits_the_claims_effects_with_each_seed_and_subject(tmp_path):
    table = pd.DataFrame(subject_rows())
    table.to_csv(tmp_path / "subjects.csv", index=False)
    mixed_models_table(
        tmp_path / "subjects.csv",
        primary(claim_files.DROP, claim_files.LESS),
        tmp_path / "mixed.csv",
    )
    found = pd.read_csv(tmp_path / "mixed.csv").set_index("claim")
    own = table.query("size == 224 and descriptor == 'global-average'")
    own = own.set_index(["rule", "epoch", "seed", "subject"])["score"]
    effects = {"drop": own["bp"][1] - own["bp"][0]}
    effects["less"] = (own["fa"][1] - own["fa"][0] - effects["drop"]).dropna()
    for label, n_seeds in (("drop", 5), ("less", 3)):
        row, whole = found.loc[label], effects[label].unstack()
        assert (row["n_seeds"], row["n_subjects"]) == whole.shape == (n_seeds, 6)
        expected = mixed_effect(whole.to_numpy(), 0.9)
        assert row[list(expected._fields)].astype(float).tolist() == pytest.approx(list(expected))


def test_subjects_who_lack_the_roi_of_a_claim_are_left_out_of_it(tmp_path):
    own = pd.DataFrame(subject_rows())
    others = own.assign(roi="IT", subject="other " + own["subject"].astype(str))
    found = []
    for name, table in (("own", own), ("both", pd.concat([own, others]))):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        mixed_models_table(
            tmp_path / f"{name}.csv", primary(claim_files.DROP), tmp_path / f"mixed_{name}.csv"
        )
        found.append((tmp_path / f"mixed_{name}.csv").read_text())
    assert found[0] == found[1]


def test_rois_of_different_subjects_have_no_fit_and_the_table_says_why(tmp_path):
    own = pd.DataFrame(subject_rows(["bp"]))
    # as many subjects, so that their scores would fit together
    others = own.assign(roi="IT", subject="other " + own["subject"].astype(str))
    pd.concat([own, others]).to_csv(tmp_path / "subjects.csv", index=False)
    across = claim_files.claim("across", [("bp", 1, "conv1", "IT")], [("bp", 1)], roi=["V1", "IT"])
    mixed_models_table(tmp_path / "subjects.csv", primary(across), tmp_path / "mixed.csv")
    (row,) = pd.read_csv(tmp_path / "mixed.csv").to_dict("records")
    assert np.isnan(row["effect"])
    assert row["reason"] == "the claim's ROIs are of different subjects"


def test_a_network_that_a_claim_lacks_stops_the_run(tmp_path):
    table = pd.DataFrame(subject_rows(["bp"]))
    lost = table[(table["seed"] != 3) | (table["epoch"] != 1)]
    lost.to_csv(tmp_path / "subjects.csv", index=False)
    with pytest.raises(DataError, match="24 rows of .*not one for each of 5 seeds and 6 subjects"):
        mixed_models_table(
            tmp_path / "subjects.csv", primary(claim_files.DROP), tmp_path / "mixed.csv"
        )
    assert not (tmp_path / "mixed.csv").exists()


def test_a_primary_universe_over_other_pairs_has_no_fit_and_says_why(tmp_path):
    pd.DataFrame(subject_rows(["bp"])).assign(pairs="cross_run").to_csv(
        tmp_path / "subjects.csv", index=False
    )
    mixed_models_table(tmp_path / "subjects.csv", primary(claim_files.DROP), tmp_path / "mixed.csv")
    (row,) = pd.read_csv(tmp_path / "mixed.csv").to_dict("records")
    assert np.isnan(row["effect"])
    assert row["reason"] == "of scores over cross_run pairs only, not over all"
