"""Work on the draws of a bootstrap by several threads, each draw by one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits


def over_draws(one: Callable[[int], np.ndarray], n_draws: int, threads: int) -> np.ndarray:
    """Compute something for every draw.

    Args:
        one: given the number of a draw, computes its array; must release the interpreter for
            threads to be of use, and must not change what draws share.
        n_draws: number of draws, at least 1.
        threads: draws that are worked on at a time. Matrix products within a draw are left to one
            thread, so that their rounding does not depend on this number.

    Returns:
        The arrays, stacked along a new first axis, in the order of the draws.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        if threads == 1:
            return np.stack([one(draw) for draw in range(n_draws)])
        with ThreadPoolExecutor(threads) as pool:
            return np.stack(list(pool.map(one, range(n_draws))))
