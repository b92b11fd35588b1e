"""The object against its background: where, and of what outline, but nothing of its inside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rulealign.controls.control import Control, Images, at_most
from rulealign.reasons import MissingValue


def features(images: Images) -> np.ndarray:
    """Take the share of each place that the object covers.

    Objects were cut out of the pictures at their own size, before these were resized (see
    `data.images.cutouts`). Holes are not filled: what has the background's colour inside an object
    counts as background. Means over cells where images are larger than 64 px (see `at_most`).

    Args:
        images: the stimuli.

    Returns:
        float64, shape (n_stimuli, side * side), 0 (background) to 1 (object).

    Raises:
        MissingValue: there is no uniform background, as in photographs of scenes: the stimuli
            have no silhouette. Names the first such image and counts them.
    """
    if images.silhouettes is None:
        raise MissingValue(images.no_silhouettes)
    return replace(images, pixels=images.silhouettes).mean_features(at_most)


CONTROL = Control(
    features,
    distance="correlation",
    words="mask of the object on a uniform background",
)
