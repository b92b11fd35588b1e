"""Kernel ridge regression as a linear smoother: what each training response does to predictions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Smoother(NamedTuple):
    """Kernel ridge regression with an intercept, as what it does to responses.

    Attributes:
        weights: float64, shape (n_test, n_fit); of the responses, less their mean, in predictions.
        without: shape (n_fit, n_fit); times the same, the residual of every training stimulus in
            the fit without it.
    """

    weights: np.ndarray
    without: np.ndarray

    @classmethod
    def of(cls, kernel: np.ndarray, penalty: float, fit: np.ndarray, test: np.ndarray) -> Smoother:
        """Solve it.

        Args:
            kernel: shape (n_stimuli, n_stimuli); of features without their mean over `fit`.
            penalty: above 0.
            fit: bool, shape (n_stimuli,); the training stimuli.
            test: likewise, those that are predicted.
        """
        n = int(fit.sum())
        inverse = np.linalg.inv(kernel[np.ix_(fit, fit)] + penalty * np.eye(n))
        left = penalty * inverse
        without = left / (np.diag(left) - 1 / n)[:, None]
        return cls(kernel[np.ix_(test, fit)] @ inverse, without)
