"""The comparisons of model and brain RDMs that a study may choose from, by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rulealign.rsa.compare import spearman_matrix
from rulealign.rsa.similarity import cosine_matrix, kendall_tau_a_matrix, pearson_matrix
from rulealign.rsa.whitened import whitened_cosine_matrix, whitened_pearson_matrix

COMPARISONS: dict[str, Callable[..., np.ndarray]] = {
    "spearman": spearman_matrix,
    "kendall_tau_a": kendall_tau_a_matrix,
    "pearson": pearson_matrix,
    "cosine": cosine_matrix,
    "whitened_cosine": whitened_cosine_matrix,
    "whitened_pearson": whitened_pearson_matrix,
}
"""Name -> function of models (n_models, n_pairs), brains (n_brains, n_pairs) and, by keyword,
`mask`, `model_names` and `brain_names`, which gives float64 (n_models, n_brains)."""
