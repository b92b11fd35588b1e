"""A page of docs/ says what the tables of the study say."""

import json

import pandas as pd
import pytest

from rulealign.errors import DataError, StoreError
from rulealign.report.results_page import write_results_page

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
        "px",
        "layer",
        "descriptor",
        "centring",
        "roi",
        "convention",
        "score",
        "low",
        "high",
    ],
)
CEILINGS = pd.DataFrame(
    {
        "roi": ["EVC"],
        "convention": ["per_subject"],
        "n_subjects": [15],
        "n_stimuli": [92],
        "lower": [0.23894],
        "upper": [0.38559],
        "null_lower_high": [0.03],
        "null_upper_mean": [0.24],
        "null_upper_high": [0.26],
        "informative": [True],
    }
)
TRAINING = pd.DataFrame(
    {
        "rule": ["bp"] * 3,
        "seed": [1, 1, 2],
        "epoch": [0, 5, 5],
        "held_out_accuracy": [0.1, 0.7, 0.8],
    }
)


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    (folder / "statistics").mkdir(parents=True)
    (folder / "figures").mkdir()
    (folder / "logs").mkdir()
    (folder / "provenance.json").write_text(json.dumps({"study": {"seed": 7}}))
    tables = {"alignment": SCORES, "ceilings": CEILINGS, "training": TRAINING}
    for name, table in tables.items():
        table.to_csv(folder / "statistics" / f"{name}.csv", index=False)
    (folder / "figures" / "accuracy.svg").write_text("<svg/>")
    for name, cost in [("train_a", "wall 60.0 s, cpu 90.0 s, peak 500 MB"), ("figures", "wall 6")]:
        (folder / "logs" / f"{name}.log").write_text(f"text\ncost: {cost}\n")
    return folder


def render(results, text):
    template = results.parent / "page.md.j2"
    template.write_text(text)
    return write_results_page(template, results).read_text()


def test_a_number_in_the_text_is_that_of_the_table(results):
    view = "stimuli='grey', px=32, descriptor='grid-8', centring='centred'"
    text = f"{{{{ score('bp', 5, 'conv1', 'EVC', {view}) }}}} seed {{{{ study.seed }}}}\n"
    assert render(results, text) == "−0.020 [−0.100, 0.100] seed 7\n"


def test_a_number_that_is_not_in_the_table_is_refused(results):
    with pytest.raises(DataError, match=r"0 rows of .*'epoch': 9"):
        render(results, "{{ score('bp', 9, 'conv1', 'EVC', px=32) }}")
    assert not (results.parent / "page.md").exists()


def test_scores_are_of_the_primary_convention_only(results):
    table = render(results, "{{ scores('conv1', 'EVC') }}").splitlines()
    assert table == [
        "| stimuli | px | rule | epoch | grid-8, centred |",
        "| --- | --- | --- | --- | --- |",
        "| grey | 32 | bp | 0 | 0.123 [0.100, 0.200] |",
        "| grey | 32 | bp | 5 | −0.020 [−0.100, 0.100] |",
    ]


def test_accuracy_is_the_mean_and_range_over_seeds(results):
    assert "| bp | 10.0 (10.0–10.0) | 75.0 (70.0–80.0) |" in render(results, "{{ accuracy() }}")


def test_ceilings_and_cost_are_tabled(results):
    text = render(results, "{{ ceilings() }}\n{{ cost() }}")
    assert "| EVC | 15 | 92 | 0.2389 | 0.3856 | 0.0300 | 0.2400 | 0.2600 | yes |" in text
    # a job that has no line of its whole cost has not finished and is not counted
    assert "| train | 1 | 1.0 | 1.5 | 500 |\n| all | 1 | 1.0 | 1.5 | 500 |" in text


def test_a_study_without_finished_jobs_has_no_cost(results):
    for log in (results / "logs").iterdir():
        log.unlink()
    with pytest.raises(StoreError, match="no logs of finished jobs"):
        render(results, "{{ cost() }}")


def test_a_figure_is_copied_beside_the_page(results):
    assert render(results, "{{ figure('accuracy.svg', 'A') }}") == "![A](page_figures/accuracy.svg)"
    assert (results.parent / "page_figures" / "accuracy.svg").read_text() == "<svg/>"
