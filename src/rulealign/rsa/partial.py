"""Partial correlation of RDMs: what models share with brains besides control RDMs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rulealign.errors import DataError

# The share of an RDM's rank variance that controls must leave. RDMs are kept in single precision,
# and correlations are exact to 1e-16: of less than this share, neither leaves ten digits.
_LEAST_LEFT = 1e-6


def partial_correlations(
    correlate: Callable[[np.ndarray, np.ndarray], np.ndarray],
    models: np.ndarray,
    brains: np.ndarray,
    controls: np.ndarray,
    *,
    model_names: Sequence[str] | None = None,
    brain_names: Sequence[str] | None = None,
    control_names: Sequence[str] | None = None,
) -> np.ndarray:
    """Turn any correlation of RDMs into a partial one, such as the draws of a bootstrap.

    The same numbers as regressing model and brain on the controls (least squares with an intercept)
    and correlating what is left. Of Spearman's rho, only what is linear in the controls' ranks is
    removed: a control that has another, bent relation to both leaves some of what they share.
    For draws, let `correlate` be `Comparison.sampled` with its `counts` and `mask` given.

    Args:
        correlate: given RDMs (n_rdms, n_pairs) and others (n_others, n_pairs), makes all
            correlations, float64, shape (..., n_rdms, n_others); always over the same pairs, or
            the same resamples of them.
        models: shape (n_models, n_pairs); condensed RDMs.
        brains: shape (n_brains, n_pairs).
        controls: shape (n_controls, n_pairs).
        model_names: what to call each model RDM in an error.
        brain_names: what to call each brain RDM in an error.
        control_names: what to call each control RDM in an error.

    Returns:
        float64, shape (..., n_models, n_brains).

    Raises:
        DataError: there is no control, or as in `partial_from_products`.
    """
    if not len(controls):
        raise DataError("a partial correlation needs at least one control; there is none.")
    others = np.vstack([np.atleast_2d(brains), np.atleast_2d(controls)])
    of_models, of_controls = correlate(models, others), correlate(controls, others)
    split = of_models.shape[-1] - of_controls.shape[-2]
    return partial_from_products(
        of_models[..., :split],
        of_models[..., split:],
        np.swapaxes(of_controls[..., :split], -1, -2),
        of_controls[..., split:],
        model_names=model_names,
        brain_names=brain_names,
        control_names=control_names,
    )


def partial_from_products(
    model_brain: np.ndarray,
    model_control: np.ndarray,
    brain_control: np.ndarray,
    control_control: np.ndarray,
    *,
    model_names: Sequence[str] | None = None,
    brain_names: Sequence[str] | None = None,
    control_names: Sequence[str] | None = None,
) -> np.ndarray:
    """Compute partial correlations from correlations, without any residuals.

    A residual's products with others follow from the correlations alone, so that nothing of the
    length of an RDM is needed in a draw. Controls are removed one by one: with one control c it is
    (r_mb - r_mc r_bc) / sqrt((1 - r_mc^2) (1 - r_bc^2)).

    Args:
        model_brain: float64, shape (..., n_models, n_brains); for example one matrix per draw.
        model_control: float64, shape (..., n_models, n_controls).
        brain_control: float64, shape (..., n_brains, n_controls).
        control_control: float64, shape (..., n_controls, n_controls); 1 on the diagonal.
        model_names: what to call each model in an error.
        brain_names: what to call each brain in an error.
        control_names: what to call each control in an error.

    Returns:
        float64, shape (..., n_models, n_brains); from -1 to 1.

    Raises:
        DataError: a model or brain is a combination of the controls, or a control of those before
            it; names it, and the draw.
    """
    shared = model_brain.astype(np.float64)
    models, brains = model_control.astype(np.float64), brain_control.astype(np.float64)
    controls = control_control.astype(np.float64)
    model_left, brain_left = np.ones(models.shape[:-1]), np.ones(brains.shape[:-1])
    for place in range(controls.shape[-1]):
        left = np.diagonal(controls, axis1=-2, axis2=-1)[..., place : place + 1]
        _require_left(left, "control", control_names, place)
        model, brain, control = (
            rest[..., place] / np.sqrt(left) for rest in (models, brains, controls)
        )
        shared -= _outer(model, brain)
        models -= _outer(model, control)
        brains -= _outer(brain, control)
        controls -= _outer(control, control)
        model_left -= model**2
        brain_left -= brain**2
    _require_left(model_left, "model", model_names)
    _require_left(brain_left, "brain", brain_names)
    return shared / np.sqrt(_outer(model_left, brain_left))


def _outer(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return one[..., :, np.newaxis] * other[..., np.newaxis, :]


def _require_left(left: np.ndarray, kind: str, names: Sequence[str] | None, first: int = 0) -> None:
    faulty = ~(left >= _LEAST_LEFT)
    if not faulty.any():
        return
    *draw, place = np.argwhere(faulty)[0]
    name = f"{kind} RDM {first + place}" if names is None else names[first + place]
    where = f", in draw {', '.join(map(str, draw))}" if draw else ""
    which = "those before it" if kind == "control" else "the controls"
    share = max(float(left[*draw, place]), 0)
    raise DataError(
        f"{name}{where}: {which} leave {share:.1e} of its rank variance, so there is nothing to"
        f" correlate: in ranks it is a combination of {which}. Leave it out, or the controls that"
        " make it up."
    )
