"""Work on the draws of a bootstrap by several threads, each draw by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from threadpoolctl import ThreadpoolController

Spread = Callable[[Callable[[int], np.ndarray], Iterable[int]], np.ndarray]


@contextmanager
def spreading(threads: int) -> Iterator[Spread]:
    """Hold threads ready that compute something for every draw.

    Args:
        threads: draws that are worked on at a time. Matrix products within a draw are left to one
            thread, so that their rounding does not depend on this number.

    Yields:
        A function: given one that computes the array of a draw (it must release the interpreter
        for threads to be of use, and must not change what draws share), and the numbers of draws,
        it stacks the arrays along a new first axis, in their order.
    """
    blas = ThreadpoolController()
    with ThreadPoolExecutor(threads) as pool:
        place = map if threads == 1 else pool.map

        def spread(one: Callable[[int], np.ndarray], draws: Iterable[int]) -> np.ndarray:
            with blas.limit(limits=1, user_api="blas"):
                return np.stack(list(place(one, draws)))

        yield spread
