"""Guard 4: did two subjects, or one subject twice, see the same images in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr, t

from rulealign.rsa.quality.rows import entry

LEAST = 10
"""Fewest shared images that are judged: fewer may be in the same order by chance."""

_RARE = 1e-6  # THINGS-fMRI has over a thousand pairs of sessions
_FAR = 8  # standard deviations; pairs of a run come in cliques, so the tail is heavier than normal


@dataclass(frozen=True)
class Shared:
    """What two sessions have in common.

    Attributes:
        images: how many images both show (once each).
        order: Spearman's rho between their places in the two sessions; NaN for fewer than 3.
        same_run: pairs of these images that are in one run in both sessions.
        expected: as many by chance.
        spread: their standard deviation by chance, by the hypergeometric distribution.
    """

    images: int
    order: float
    same_run: int
    expected: float
    spread: float

    @property
    def same_order(self) -> bool:
        """Whether the order is the same or nearly so, far beyond chance."""
        if self.images < LEAST or not self.order > 0:
            return False
        if self.order > 1 - 1e-12:
            return True
        free = self.images - 2
        return bool(t.sf(self.order * np.sqrt(free / (1 - self.order**2)), free) < _RARE)

    @property
    def same_runs(self) -> bool:
        """Whether far more pairs share a run in both sessions than by chance."""
        enough = self.images >= LEAST and self.spread > 0
        return bool(enough and self.same_run - self.expected > _FAR * self.spread)


def share(one: pd.DataFrame, other: pd.DataFrame) -> Shared:
    """Compare the presentation of two sessions.

    By chance means: images are dealt anew to the places of the second session. The expected number
    of pairs of images that are in one run in both is then a b / n, with a and b the pairs in one
    run in each session and n all pairs of shared images.

    Args:
        one: stimulus and run of a session's trials, in order of time.
        other: the same of another session.

    Returns:
        What they share.
    """
    (at, run), (other_at, other_run) = _once(one), _once(other)
    names = sorted(set(at) & set(other_at))
    if len(names) < 3:
        return Shared(len(names), float("nan"), 0, 0.0, 0.0)
    order = spearmanr([at[name] for name in names], [other_at[name] for name in names]).statistic
    first, second = (np.array([of[name] for name in names]) for of in (run, other_run))
    together = np.stack([first, second])
    n, both = _pairs(len(names)), _pairs_within(together)
    a, b = _pairs_within(first), _pairs_within(second)
    spread = np.sqrt(a * b * (n - a) * (n - b) / (n - 1)) / n
    return Shared(len(names), float(order), both, a * b / n, float(spread))


def _pairs_within(groups: np.ndarray) -> int:
    return int(_pairs(np.unique(groups, axis=-1, return_counts=True)[1]).sum())


def _pairs(count: Any) -> Any:
    count = np.asarray(count)
    return count * (count - 1) // 2


def _once(session: pd.DataFrame) -> tuple[dict[str, int], dict[str, int]]:
    # images shown twice in a session have no one place in it
    single = ~session["stimulus"].duplicated(keep=False).to_numpy()
    names = session["stimulus"].to_numpy()[single].tolist()
    places = np.flatnonzero(single).tolist()
    runs = session["run"].to_numpy()[single].tolist()
    return dict(zip(names, places, strict=True)), dict(zip(names, runs, strict=True))


def order_rows(trials: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Compare every two sessions, of one subject or of two, images shown once apart from repeated.

    Args:
        trials: subject -> its trials in order of time: stimulus, trial_type, session, run.

    Returns:
        Per two sessions and trial_type three rows: images shared, the correlation of their places
        (flagged where it is far beyond chance), and pairs within one run in both (flagged where
        they are, while the order is not).
    """
    rows = []
    for (one, a, kind), (other, b, _), shared in _compared(trials):
        item = f"sessions {a} and {b}, {kind}"
        about = {"guard": 4, "subject": one, "other": other}
        who = f"{one} (session {a}) and {other} (session {b}) saw"
        runs = f"{shared.same_run} pairs share a run in both, {shared.expected:.0f} by chance"
        words = _order_words(shared, kind)
        order = {"flagged": shared.same_order, "expected": 0}
        order["finding"] = f"{who} {words} ({runs})" if shared.same_order else ""
        alone = shared.same_runs and not shared.same_order
        same = {"flagged": alone, "expected": shared.expected}
        what = f"{shared.images} shared {kind} images in the same runs"
        same["finding"] = f"{who} many of the {what}: {runs}" if alone else ""
        rows.append(entry("order_shared", item, shared.images, **about))
        rows.append(entry("order_correlation", item, shared.order, **about, **order))
        rows.append(entry("order_same_run", item, shared.same_run, **about, **same))
    return rows


def _order_words(shared: Shared, kind: str) -> str:
    if shared.order > 1 - 1e-12:
        return f"the same {shared.images} {kind} images in the same order"
    return (
        f"{shared.images} shared {kind} images in nearly the same order (places correlate"
        f" {shared.order:.2f})"
    )


Session = tuple[str, int, str]


def _compared(
    trials: Mapping[str, pd.DataFrame],
) -> Iterator[tuple[Session, Session, Shared]]:
    for kind in ("train", "test"):
        sessions = {
            (subject, int(session), kind): rows
            for subject, table in trials.items()
            for session, rows in table[table["trial_type"] == kind].groupby("session")
        }
        for one, other in combinations(sessions, 2):
            shared = share(sessions[one], sessions[other])
            if shared.images:
                yield one, other, shared
