"""Captions of the figures: what is drawn, and how many stimuli, subjects and seeds it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from rulealign.learning.verdict import STILL
from rulealign.report import select
from rulealign.report.formatting import counted, plain

if TYPE_CHECKING:
    from rulealign.config.evaluation import View
    from rulealign.config.study import Study


def trajectory(study: Study, alignment: pd.DataFrame, view: View) -> str:
    """Caption alignment over training.

    Args:
        study: the study.
        alignment: the table `statistics/alignment.csv`.
        view: what is shown.

    Returns:
        Plain text.
    """
    rows = select.at_view(alignment, view)
    return (
        f"Alignment over training: {select.words(view)}. Mean over subjects of Spearman's ρ"
        f" (per_subject, {select.pairs_words(rows)}), mean over seeds; bars: {_interval(study)},"
        " side by side for legibility."
        " Dashed horizontal lines: rules that do not train, measured at epoch 0. Grey: noise"
        f" ceiling over the same pairs, {_null(study)}; ↑: it lies above the axis."
        f" {_numbers(rows)}"
    )


def final(study: Study, alignment: pd.DataFrame, view: View) -> str:
    """Caption each rule's last checkpoint; arguments and result as in `trajectory`."""
    rows = select.at_view(alignment, view)
    return (
        f"Last checkpoint of each rule: {select.words(view)}. Mean over subjects of Spearman's ρ"
        f" (per_subject, {select.pairs_words(rows)}), mean over seeds; lines: {_interval(study)};"
        " ticks: lowest and highest seed; pale dots: subjects, mean over seeds. Grey:"
        f" noise ceiling over the same pairs, {_null(study)}. {_numbers(rows)}"
    )


def layers(study: Study, alignment: pd.DataFrame) -> str:
    """Caption the tiles of every layer with every ROI; arguments and result as in `trajectory`."""
    rows = select.at_view(alignment, study.report.view)
    return (
        "Every layer with every ROI, at the last checkpoint of each rule:"
        f" {select.words(study.report.view)}. Mean over subjects of Spearman's ρ"
        f" (per_subject, {select.pairs_words(rows)}), mean over seeds; the darker, the higher, on"
        f" one scale. Framed: the pairs named before the run. {_numbers(rows)}"
    )


def accuracy(training: pd.DataFrame) -> str:
    """Caption held-out accuracy.

    Args:
        training: the table `statistics/training.csv`.

    Returns:
        Plain text.
    """
    images = training["held_out_images"].unique()
    seeds = training.groupby(["network", "rule"])["seed"].nunique().unique()
    return (
        f"Accuracy on {counted(images, 'held-out image', 'held-out images')}, in evaluation mode."
        f" Mean over {counted(seeds, 'seed', 'seeds')}; bars: lowest and highest seed. Dotted:"
        " chance."
        " Dashed horizontal lines: rules that do not train."
    )


def learning(diagnostics: pd.DataFrame) -> str:
    """Caption the diagnostics of learning.

    Args:
        diagnostics: the table `statistics/diagnostics.csv`.

    Returns:
        Plain text.
    """
    trained = diagnostics[diagnostics["trains"]]
    seeds = trained.groupby(["network", "rule"])["seed"].nunique().unique()
    return (
        "Whether each rule learned, per layer: |W − W₀| / |W₀|, with W₀ the weights of epoch 0"
        f" (dotted: {STILL:.0%}, below which a conv layer counts as not moved; linear below,"
        " logarithmic above); angle between the update that a rule proposes and that of"
        " backpropagation, for the same weights and batch (dotted: 90°, no relation); effective"
        " rank of the error signal of that batch, at most its number of images (Roy & Vetterli"
        f" 2007). Mean over {counted(seeds, 'seed', 'seeds')}; bars: lowest and highest seed. A"
        " rule has no line where it proposes nothing or has no error signal; rules that do not"
        " train are left out."
    )


def _interval(study: Study) -> str:
    statistics = study.statistics
    coverage = plain(100 * statistics.interval, 0)
    return f"{coverage}% interval of {statistics.bootstrap_draws} resamples of the stimuli"


def _null(study: Study) -> str:
    quantile = plain(50 * (1 + study.statistics.interval), 1)
    return (
        "a dashed frame where it is not informative; dotted: what its upper bound reaches by chance"
        f" ({quantile}th percentile of the permutation null)"
    )


def _numbers(rows: pd.DataFrame) -> str:
    names = {"stimuli": "stimulus", "pairs": "pair", "subjects": "subject", "seeds": "seed"}
    counts = (counted(rows[f"n_{many}"].unique(), one, many) for many, one in names.items())
    return f"{', '.join(counts)}."
