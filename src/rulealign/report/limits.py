"""What a study cannot say, from its data, its networks and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from rulealign.report import select
from rulealign.report.formatting import counted

if TYPE_CHECKING:
    from rulealign.config.study import Study

FEW_SEEDS = 3
"""Below so many common seeds, their spread cannot be told from the rule's own networks."""


def limits(
    study: Study,
    tables: Mapping[str, pd.DataFrame],
    doubtful: Sequence[tuple[str, str]],
    remnants: Sequence[str] = (),
) -> list[str]:
    """Say what the study cannot say.

    Args:
        study: the study.
        tables: `alignment` and `ceilings`.
        doubtful: rules that may not have learned, with the reason.
        remnants: of layers that results rest on, those that are mostly dead, in words.

    Returns:
        Sentences, the widest limit first.
    """
    return [*_of_data(study, tables), *remnants, *_of_networks(study, doubtful)]


def _of_data(study: Study, tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    if study.brain.generated:
        yield "The brain data are simulated: nothing here is about a brain."
    images = counted(tables["alignment"]["n_stimuli"].unique(), "image", "images")
    to = study.statistics.generalise_to
    others = {
        "stimuli": "other subjects than these",
        "subjects": "other images than these",
        "both": "images and subjects of other kinds",
    }
    yield f"All scores are of {images}; intervals generalise to {to}, not to {others[to]}."
    ceilings = tables["ceilings"]
    for _, row in ceilings[~ceilings["informative"].astype(bool)].iterrows():
        pairs = select.PAIRS_WORDS[row["pairs"]]
        yield f"{row['roi']}, {pairs}: the brain data are not clear of chance (noise ceilings)."


def _of_networks(study: Study, doubtful: Sequence[tuple[str, str]]) -> Iterator[str]:
    seeds = {len(study.seeds(rule)) for rule in study.rules}
    if min(seeds) < FEW_SEEDS:
        which, fewest = "Some" if len(seeds) > 1 else "All", [min(seeds)]
        yield (
            f"{which} rules have {counted(fewest, 'seed', 'seeds')}: with fewer than {FEW_SEEDS},"
            " how far other networks of a rule would differ is borrowed from other rules, or"
            " unknown."
        )
    if doubtful:
        rules = ", ".join(f"{rule} ({words})" for rule, words in doubtful)
        yield f"Nothing follows about learning from {rules}."
    images = f"{study.training_set.train_images:,}"
    last = max(study.training.checkpoints)
    if not last:
        yield "No network was trained: nothing is said of learning."
        return
    yield (
        f"Networks learned from {images} images for {counted([last], 'epoch', 'epochs')} at most;"
        " nothing is said of larger ones, or of longer training."
    )
