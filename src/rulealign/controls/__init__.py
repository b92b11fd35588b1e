"""Controls: what images alone, without any network, make of the stimuli.

Mean luminance alone can score as high as a network does, so controls are scored, drawn and
partialled out like layers. A control is one file with one `CONTROL`, and one line in this registry.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from rulealign.errors import ConfigurationError

if TYPE_CHECKING:
    from rulealign.controls.control import Control

REGISTRY: dict[str, str] = {
    "pixels": "rulealign.controls.pixels",
    "silhouette": "rulealign.controls.silhouette",
    "mean-luminance": "rulealign.controls.mean_luminance",
    "contrast": "rulealign.controls.contrast",
    "mean-rgb": "rulealign.controls.mean_rgb",
    "colour-histogram": "rulealign.controls.colour_histogram",
    "gabor-pooled": "rulealign.controls.gabor_pooled",
    "gabor-grid": "rulealign.controls.gabor_grid",
}


def require_control(name: str) -> str:
    """Refuse the name of a control that does not exist; loads no numerical library.

    Args:
        name: the name of a control.

    Returns:
        The name.

    Raises:
        ConfigurationError: there is no such control; lists those there are.
    """
    if name not in REGISTRY:
        raise ConfigurationError(f"there is no control '{name}'; there are: {list(REGISTRY)}")
    return name


def find_control(name: str) -> Control:
    """Find a control.

    Args:
        name: a key of `REGISTRY`.

    Returns:
        The control.

    Raises:
        ConfigurationError: there is no such control; lists those there are.
    """
    return import_module(REGISTRY[require_control(name)]).CONTROL
