"""A page of docs/ says what the tables of the study say."""

import os

import numpy as np
import pandas as pd
import pytest

from report_study import page_study
from rulealign.config.universes import AXES
from rulealign.errors import DataError, GuardError, StoreError
from rulealign.manifest import write_manifests
from rulealign.report.docs_page import training
from rulealign.report.docs_page.page import write_results_page
from rulealign.rerun.study_folder import study_text, write_study
from rulealign.store import write_h5

SCORES = pd.DataFrame(
    [
        ("bp", 0, "grey", 32, "conv1", "grid-8", "centred", "EVC", "per_subject", 0.1234, 0.1, 0.2),
        ("bp", 0, "grey", 32, "conv1", "grid-8", "centred", "EVC", "mean_rdm", 0.9, 0.8, 1.0),
        ("bp", 5, "grey", 32, "conv1", "grid-8", "centred", "EVC", "per_subject", -0.02, -0.1, 0.1),
        ("bp", 5, "grey", 32, "fc1", "vector", "centred", "IT", "per_subject", 0.3, 0.25, 0.35),
    ],
    columns=[
        "rule",
        "epoch",
        "stimuli",
        "size",
        "layer",
        "descriptor",
        "centring",
        "roi",
        "convention",
        "score",
        "low",
        "high",
    ],
).assign(pairs="all", network="cnn3")
CEILINGS = pd.DataFrame(
    {
        "roi": ["EVC"],
        "convention": ["per_subject"],
        "pairs": ["all"],
        "n_subjects": [15],
        "n_stimuli": [92],
        "lower": [0.23894],
        "upper": [0.38559],
        "upper_any_model": [0.39862],
        "lower_raw": [0.23894],
        "upper_raw": [0.3856],
        "null_lower_high": [0.03],
        "null_upper_mean": [0.24],
        "null_upper_high": [0.26],
        "informative": [True],
        "informative_by": ["lower bound of the noise ceiling"],
    }
)
TRAINING = pd.DataFrame(
    {
        "network": ["cnn3"] * 3,
        "rule": ["bp"] * 3,
        "seed": [1, 1, 2],
        "epoch": [0, 5, 5],
        "held_out_accuracy": [0.1, 0.7, 0.8],
    }
)
DIAGNOSTICS = pd.DataFrame(
    {
        "network": ["cnn3"] * 4,
        **{"rule": ["bp"] * 4, "kind": ["bp"] * 4, "seed": [1] * 4, "epoch": [0, 0, 5, 5]},
        "layer": ["conv1", "conv2"] * 2,
        "convolution": [True] * 4,
        "weight_change": [0, 0, 0.25, 0.004],
        "dead_units": [0, 0.1, 0.2, 0.3],
        "angle_to_bp": [0.0] * 4,
        "effective_rank": [9.0, 9.0, 7.0, 5.0],
        "trains": [True] * 4,
        "held_out_accuracy": [0.1, 0.1, 0.7, 0.7],
        "held_out_images": [1000] * 4,
        "chance": [0.1] * 4,
    }
)


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    (folder / "statistics").mkdir(parents=True)
    (folder / "figures").mkdir()
    (folder / "logs").mkdir()
    statistics = {"bootstrap_draws": 50, "interval": 0.9}
    study = page_study(
        seed=7, statistics=statistics, rules={"bp": {"kind": "bp", "baseline": None}}
    )
    write_study(folder / "study.yaml", study_text(study.model_dump(mode="json")))
    (folder / "provenance.json").write_text("{}")
    tables = {"alignment": SCORES, "ceilings": CEILINGS, "training": TRAINING}
    tables["diagnostics"] = DIAGNOSTICS
    for name, table in tables.items():
        table.to_csv(folder / "statistics" / f"{name}.csv", index=False)
    (folder / "figures" / "accuracy.svg").write_text("<svg/>")
    for name, cost in [("train_a", "wall 60.0 s, cpu 90.0 s, peak 500 MB"), ("figures", "wall 6")]:
        (folder / "logs" / f"{name}.log").write_text(f"text\ncost of train: {cost}\n")
    return folder


def render(results, text):
    template = results.parent / "page.md.j2"
    template.write_text(text)
    return write_results_page(template, results).read_text()


def test_a_number_in_the_text_is_that_of_the_table(results):
    view = "stimuli='grey', size=32, descriptor='grid-8', centring='centred'"
    text = f"{{{{ score('bp', 5, 'conv1', 'EVC', {view}) }}}} seed {{{{ study.seed }}}}\n"
    assert render(results, text) == "−0.020 [−0.100, 0.100] seed 7\n"


def test_a_number_that_is_not_in_the_table_is_refused(results):
    with pytest.raises(DataError, match=r"0 rows of .*'epoch': 9"):
        render(results, "{{ score('bp', 9, 'conv1', 'EVC', size=32) }}")
    assert not (results.parent / "page.md").exists()


def test_a_table_that_was_cut_at_a_line_end_is_refused(results, tmp_path, monkeypatch):
    (tmp_path / "other/results").mkdir(parents=True)
    study = results.rename(tmp_path / "other/results/s")
    monkeypatch.chdir(tmp_path / "other")
    files = [study / "study.yaml", study / "provenance.json", *(study / "statistics").iterdir()]
    write_manifests([os.path.relpath(file) for file in files], {})
    assert render(study, "seed {{ study.seed }}") == "seed 7"
    table = study / "statistics" / "training.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(StoreError, match=r"statistics/training\.csv: was changed .* rows then"):
        render(study, "seed {{ study.seed }}")


def test_scores_are_of_the_primary_convention_only(results):
    table = render(results, "{{ scores('conv1', 'EVC', 'grey') }}").splitlines()
    assert table == [
        "| size | rule | epoch | grid-8, centred |",
        "| --- | --- | --- | --- |",
        "| 32 | bp | 0 | 0.123 [0.100, 0.200] |",
        "| 32 | bp | 5 | −0.020 [−0.100, 0.100] |",
    ]


def test_accuracy_is_the_mean_and_range_over_seeds(results):
    assert "| bp | 10.0 (10.0–10.0) | 75.0 (70.0–80.0) |" in render(results, "{{ accuracy() }}")


def test_one_accuracy_in_the_text_is_that_of_the_table(results):
    assert render(results, "{{ accuracy_of('bp', 5) }}") == "75.0 (70.0–80.0)"
    with pytest.raises(DataError, match="no rule 'fa' at epoch 5"):
        render(results, "{{ accuracy_of('fa', 5) }}")


def test_a_logged_number_is_that_of_the_checkpoints_last_epoch(results):
    (results / "checkpoints").mkdir()
    log = results / "checkpoints" / "net-cnn3_rule-bp_seed-1_epoch-5_log.csv"
    log.write_text("epoch,loss\n4,2.5\n5,1.234\n")
    assert render(results, "{{ logged('bp', 1, 5, 'loss') }}") == "1.23"
    with pytest.raises(DataError, match="has no number 'energy_0' of epoch 5"):
        render(results, "{{ logged('bp', 1, 5, 'energy_0') }}")


def test_ceilings_and_cost_are_tabled(results):
    text = render(results, "{{ ceilings() }}\n{{ cost() }}")
    lower, upper, others = "0.0300 | 0.2389", "0.3856 | 0.2400 | 0.2600", "0.3986 | 0.2389 | 0.3856"
    assert f"| EVC | all pairs | 15 | 92 | {lower} | {upper} | {others} | yes |" in text
    # a job that has no line of its whole cost has not finished and is not counted
    assert "| train | 1 | 1.0 | 1.5 | 500 |\n| all | 1 | 1.0 | 1.5 | 500 |" in text


def test_a_page_says_which_pairs_its_scores_are_over(results):
    statistics = results / "statistics"
    assert render(results, "{{ pairs() }}") == "all pairs"
    SCORES.assign(pairs="cross_run").to_csv(statistics / "alignment.csv", index=False)
    with pytest.raises(GuardError, match=r"'all', 'cross_run'"):
        render(results, "{{ ceilings() }}")
    both = pd.concat([CEILINGS, CEILINGS.assign(pairs="cross_run", lower=0.1)])
    both.to_csv(statistics / "ceilings.csv", index=False)
    text = render(results, "{{ pairs() }}\n{{ ceilings() }}")
    assert text.startswith("pairs in different runs\n")
    assert "| EVC | all pairs | 15 | 92 | 0.0300 | 0.2389 |" in text
    assert "| EVC | pairs in different runs | 15 | 92 | 0.0300 | 0.1000 |" in text


def test_a_study_without_finished_jobs_has_no_cost(results):
    for log in (results / "logs").iterdir():
        log.unlink()
    with pytest.raises(StoreError, match="no logs of finished jobs"):
        render(results, "{{ cost() }}")


def test_a_figure_is_copied_beside_the_page(results):
    assert render(results, "{{ figure('accuracy.svg', 'A') }}") == "![A](page_figures/accuracy.svg)"
    assert (results.parent / "page_figures" / "accuracy.svg").read_text() == "<svg/>"


def test_claims_by_one_axis_are_those_of_the_primary_universe(results):
    first = dict.fromkeys(AXES, "a") | {"claim": "drop", "primary": True}
    numbers = {"effect": -0.0304, "low": -0.05, "high": -0.0102, "verdict": "holds"}
    none = dict.fromkeys(("effect", "low", "high")) | {"verdict": "missing"}
    unresolved = {"effect": 0.01, "low": -0.01, "high": 0.03, "verdict": "unresolved"}
    rows = [
        first | numbers,
        first | unresolved | {"control": "b", "primary": False},
        # another universe than the primary one, but for this axis
        first | numbers | {"control": "b", "size": "c", "primary": False},
        first | none | {"control": "d", "primary": False},
        first | unresolved | {"claim": "rise"},
    ]
    pd.DataFrame(rows).to_csv(results / "statistics" / "claims.csv", index=False)
    assert render(results, "{{ intervals('control') }}").splitlines() == [
        "| claim | a | b | d |",
        "| --- | --- | --- | --- |",
        "| `drop` | **−0.030 [−0.050, −0.010]** | 0.010 [−0.010, 0.030] | missing |",
        "| `rise` | 0.010 [−0.010, 0.030] | the same | the same |",
    ]
    with pytest.raises(DataError, match="no axis 'colour'; there are network, features, measure"):
        render(results, "{{ intervals('colour') }}")


def test_an_axis_that_means_nothing_to_the_primary_universe_has_its_first_value(results):
    first = dict.fromkeys(AXES, "a") | {"claim": "drop", "primary": True}
    first |= {"measure": "encoding", "comparison": "-"}
    other = {"measure": "rsa", "primary": False, "verdict": "unresolved"}
    rows = [
        first | {"effect": 0.2, "low": 0.1, "high": 0.3, "verdict": "holds"},
        first | other | {"comparison": "spearman", "effect": 0.01, "low": -0.01, "high": 0.03},
        first | other | {"comparison": "pearson", "effect": 0.02, "low": -0.01, "high": 0.05},
    ]
    pd.DataFrame(rows).to_csv(results / "statistics" / "claims.csv", index=False)
    assert render(results, "{{ intervals('measure') }}").splitlines() == [
        "| claim | encoding | rsa |",
        "| --- | --- | --- |",
        "| `drop` | **0.200 [0.100, 0.300]** | 0.010 [−0.010, 0.030] |",
    ]


def test_one_claim_in_the_text_is_that_of_the_tables(results):
    first = dict.fromkeys(AXES, "a") | {"claim": "drop", "primary": True}
    numbers = {"effect": -0.0304, "low": -0.05, "high": -0.0102, "verdict": "holds"}
    other = {"effect": 0.01, "low": -0.01, "high": 0.03, "verdict": "unresolved"}
    rows = [first | numbers, first | other | {"network": "deep", "primary": False}]
    pd.DataFrame(rows).to_csv(results / "statistics" / "claims.csv", index=False)
    cells = [
        {**row, "p_adjusted": p, "verdict": verdict, "reason": reason}
        for row, p, verdict, reason in zip(
            rows, (0.0121, None), ("holds", "missing"), ("", "no seeds"), strict=True
        )
    ]
    pd.DataFrame(cells).to_csv(results / "statistics" / "specification_curves.csv", index=False)
    assert render(results, "{{ effect('drop') }}") == "**−0.030 [−0.050, −0.010]**"
    assert render(results, "{{ effect('drop', network='deep') }}") == "0.010 [−0.010, 0.030]"
    assert render(results, "{{ verdict('drop') }}") == "holds (0.012)"
    assert render(results, "{{ verdict('drop', network='deep') }}") == "missing: no seeds"
    for text, message in (
        ("{{ effect('rise') }}", "no 'rise'"),
        ("{{ effect('drop', size=9) }}", "has 0 rows of"),
        ("{{ verdict('drop', network='x') }}", "has 0 rows of"),
    ):
        with pytest.raises(DataError, match=message):
            render(results, text)


def test_a_course_says_why_it_has_no_number(results):
    where = {"network": "cnn3", "rule": "bp", "layer": "conv1", "roi": "EVC", "size": 32}
    row = where | {"convention": "per_subject", "reason": ""}
    half = {"measure": "epoch_of_half_decay", "value": None, "low": None, "high": None}
    rows = [
        row | {"measure": "net_change", "value": -0.1, "low": -0.2, "high": 0.0},
        row | {"measure": "net_change", "value": 9, "low": 9, "high": 9, "convention": "mean_rdm"},
        row | half | {"rule": "dfa", "value": 0.74, "low": 0.39, "reason": "the upper end is open"},
        row | half | {"low": 2.25, "reason": "the score never falls to half of .1 by epoch 5"},
        row | half | {"rule": "oja", "reason": "another reason"},
        row | half | {"rule": "fa", "reason": "a share of a baseline that may be 0 or below"},
    ]
    pd.DataFrame(rows).to_csv(results / "statistics" / "trajectories.csv", index=False)

    def course(measure, rule):
        return render(results, f"{{{{ course('{measure}', '{rule}', 'conv1', 'EVC', size=32) }}}}")

    assert course("net_change", "bp") == "−0.100 [−0.200, 0.000]"
    assert course("epoch_of_half_decay", "bp") == "not by the last epoch, from 2.2 on"
    assert course("epoch_of_half_decay", "dfa") == "0.74 [0.39, open]"
    assert course("epoch_of_half_decay", "oja") == "missing: another reason"
    assert course("epoch_of_half_decay", "fa") == "none: epoch 0 may be 0"
    with pytest.raises(DataError, match=r"trajectories.csv has 0 rows of .*'rule': 'dfa'"):
        course("net_change", "dfa")
    of = "rule='bp', measure='net_change', convention='per_subject'"
    assert render(results, f"{{{{ cell('trajectories', 'value', {of}) }}}}") == course(
        "net_change", "bp"
    )
    assert render(results, f"{{{{ cell('trajectories', 'low', {of}) }}}}") == "−0.200"
    gone = "rule='fa', measure='epoch_of_half_decay'"
    found = render(results, f"{{{{ cell('trajectories', 'value', {gone}) }}}}")
    assert found == "missing: a share of a baseline that may be 0 or below"


def test_a_diagnostic_is_the_mean_and_range_over_seeds(results):
    rows = [
        {
            "network": "cnn3",
            "rule": "bp",
            "epoch": 1,
            "layer": "conv1",
            "seed": seed,
            "dead_units": n,
        }
        for seed, n in ((1, 2.0), (2, 4.0), (3, None))
    ]
    table = pd.DataFrame(rows)
    assert training.diagnosed(table, "dead_units", "bp", 1, "conv1") == "3.0 (2.0–4.0)"
    with pytest.raises(DataError, match="no dead_units of bp at epoch 2, conv1"):
        training.diagnosed(table, "dead_units", "bp", 2, "conv1")


MADE_WITH = {"study_seed": 7, "bootstrap_draws": 50, "interval": 0.9, "pairs": "all"}


def write_alignment(results, rule, seeds, level=None):
    """Write scores and draws of one layer: per_subject, and mean_rdm in between."""
    rng = np.random.default_rng(len(rule))
    keys = [(seed, convention) for seed in seeds for convention in ("mean_rdm", "per_subject")]
    rows = pd.DataFrame(keys, columns=["seed", "convention"])
    rows = rows.assign(
        network="cnn3", rule=rule, epoch=5, stimuli="grey", size=32, layer="conv1", roi="EVC"
    )
    rows["pairs"] = "all"
    rows = rows.assign(descriptor="grid-8", centring="centred", score=rng.random(len(rows)))
    draws = rng.random((50, len(rows))).astype(np.float32)
    if level is not None:
        rows["score"] = level
        draws = level + np.linspace(-0.1, 0.1, draws.size, dtype=np.float32).reshape(draws.shape)
    (results / "alignment").mkdir(exist_ok=True)
    rows.to_csv(results / "alignment" / f"net-cnn3_rule-{rule}_roi-EVC.csv", index=False)
    write_draws(results, rule, draws, row_names(rule, keys))
    return rows["score"].to_numpy(), draws.astype(float)


def row_names(rule, keys):
    return [
        f"cnn3_{rule}_{seed}_5_grey_32_conv1_grid-8_centred_EVC_{name}_all" for seed, name in keys
    ]


def write_draws(results, rule, draws, rows, stimuli=("a", "b"), pairs="all", **made_with):
    write_h5(
        results / "alignment" / f"net-cnn3_rule-{rule}_roi-EVC_draws.h5",
        {"draws": draws},
        ids={"row": rows, "stimulus": stimuli},
        settings=MADE_WITH | made_with,
        attributes={"pairs_hash": pairs},
    )


def test_a_difference_is_taken_on_the_same_draws_over_shared_seeds(results):
    (ours, our_draws), (theirs, their_draws) = (
        write_alignment(results, "fa", [1, 2, 3]),
        write_alignment(results, "stdp", [2, 3]),
    )
    # per_subject rows: seeds 2 and 3 are rows 3 and 5 of fa, and rows 1 and 3 of stdp
    score = (ours[3] + ours[5]) / 2 - (theirs[1] + theirs[3]) / 2
    draws = (our_draws[:, 3] + our_draws[:, 5] - their_draws[:, 1] - their_draws[:, 3]) / 2
    low, high = np.quantile(draws, [0.05, 0.95])
    text = render(
        results, "{{ difference(('fa', 5), ('stdp', 5), 'conv1', 'EVC', size=32) }}"
    ).replace("−", "-")
    # bold where the interval excludes zero
    assert text.startswith("**") == (low > 0 or high < 0)
    numbers = text.strip("*").replace("[", "").replace("]", "").split()
    found = [float(number.strip(",")) for number in numbers]
    assert found == pytest.approx([score, low, high], abs=6e-4)


def test_a_difference_without_a_shared_seed_or_row_is_refused(results):
    write_alignment(results, "fa", [1])
    write_alignment(results, "stdp", [2])
    with pytest.raises(DataError, match="share no seed"):
        render(results, "{{ difference(('fa', 5), ('stdp', 5), 'conv1', 'EVC', size=32) }}")
    with pytest.raises(DataError, match=r"net-cnn3_rule-fa_roi-EVC\.csv has not one row a seed"):
        render(results, "{{ difference(('fa', 9), ('stdp', 5), 'conv1', 'EVC', size=32) }}")


DIFFERENCE = "{{ difference(('fa', 5), ('stdp', 5), 'conv1', 'EVC', size=32) }}"


def test_draws_whose_columns_are_in_another_order_than_the_table_are_refused(results):
    _, draws = write_alignment(results, "fa", [1, 2])
    write_alignment(results, "stdp", [1, 2])
    keys = [(seed, convention) for convention in ("mean_rdm", "per_subject") for seed in (1, 2)]
    write_draws(results, "fa", draws, row_names("fa", keys))
    with pytest.raises(DataError, match=r"rule-fa.*_draws\.h5 have different ids: at place 1"):
        render(results, DIFFERENCE)


@pytest.mark.parametrize(
    ("key", "value"), [("study_seed", 8), ("bootstrap_draws", 60), ("interval", 0.95)]
)
def test_a_difference_of_draws_with_other_settings_is_refused(results, key, value):
    write_alignment(results, "fa", [1])
    _, draws = write_alignment(results, "stdp", [1])
    rows = row_names("stdp", [(1, "mean_rdm"), (1, "per_subject")])
    write_draws(results, "stdp", draws, rows, **{key: value})
    with pytest.raises(GuardError, match=rf"rule-stdp.*{key} = {value}, but .*rule-fa.*has "):
        render(results, DIFFERENCE)


def test_a_difference_of_draws_of_other_stimuli_or_pairs_is_refused(results):
    write_alignment(results, "fa", [1])
    _, draws = write_alignment(results, "stdp", [1])
    rows = row_names("stdp", [(1, "mean_rdm"), (1, "per_subject")])
    write_draws(results, "stdp", draws, rows, stimuli=("b", "a"))
    with pytest.raises(DataError, match="different ids: at place 0 'a' and 'b'"):
        render(results, DIFFERENCE)
    write_draws(results, "stdp", draws, rows, pairs="0123456789abcdef")
    with pytest.raises(GuardError, match=r"rule-fa.*rule-stdp.*over different pairs"):
        render(results, DIFFERENCE)


def test_whether_rules_learned_is_tabled_with_the_layer_that_did_not_move(results):
    row = render(results, "{{ learned() }}").splitlines()[-1]
    assert row.startswith("| bp | ⚠")
    assert "conv2" in row
    assert "70.0%" in row


def test_a_difference_whose_interval_excludes_zero_is_bold(results):
    write_alignment(results, "fa", [1], level=0.5)
    write_alignment(results, "stdp", [1], level=0.1)
    assert render(results, DIFFERENCE).startswith("**0.400 [")
    assert not render(results, DIFFERENCE.replace("'stdp'", "'fa'")).startswith("**")


def test_claims_are_those_of_the_tables_of_claims(results):
    rows = {
        "claim": ["drop", "gain"],
        "statement": ["It falls", "It | rises"],
        "cell_verdict": ["unresolved", "missing"],
        "cell_reason": [None, "no control"],
        "cell_universes": [8, 0],
        "cell_p_holm": [0.1255, None],
        "claimed_side": [0.75, None],
        "verdict": ["holds", "missing"],
        "effect": [-0.05, None],
        "low": [-0.08, None],
        "high": [-0.02, None],
        "reason": [None, "no control"],
        "summary": ["holds in 2 of 3", "missing in 3"],
        "p_holm": [0.0625, None],
        "p_seeds_holm": [None, None],
        "p_reason": [None, "no control"],
        "p_seeds_reason": ["no p_seeds: a single seed", "no control"],
    }
    folder = results / "statistics"
    pd.DataFrame(rows).to_csv(folder / "claims_summary.csv", index=False)
    lines = render(results, "{{ claims() }}").splitlines()
    assert lines[2] == (
        "| It falls (`drop`) | unresolved | 0.126 | 75% of 8"
        " | holds | −0.050 [−0.080, −0.020] | holds in 2 of 3 | 0.062"
        " | missing: no p_seeds: a single seed |"
    )
    assert lines[3] == (
        "| It \\| rises (`gain`) | missing | missing: no control | "
        " | missing | no control | missing in 3 | missing: no control"
        " | missing: no control |"
    )
    universes = {"claim": ["drop"] * 3, "size": [224, 32, 32]}
    universes["verdict"] = ["holds", "reversed", "holds"]
    pd.DataFrame(universes).to_csv(folder / "claims.csv", index=False)
    lines = render(results, "{{ verdicts('drop', 'size') }}").splitlines()
    assert lines[2:] == ["| 224 | 1 | 1 | 0 | 0 | 0 | 0 |", "| 32 | 2 | 1 | 1 | 0 | 0 | 0 |"]
    for wrong in ("verdicts('rise', 'size')", "verdicts('drop', 'px')"):
        with pytest.raises(DataError, match="the table of claims has no"):
            render(results, "{{ " + wrong + " }}")
