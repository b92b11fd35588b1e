"""What the licence of the THINGS images asks of a user; and their password, from one place."""

from __future__ import annotations

import os

PASSWORD_VARIABLE = "THINGS_IMAGES_PASSWORD"

LICENCE = (
    "THINGS images are copyrighted, for academic use only: accept their licence at"
    " https://osf.io/jum2f, which gives you images_THINGS.zip and its password. The free images of"
    " THINGSplus are others than subjects saw in the scanner and cannot take their place."
)
"""Said in every error about images that are not there or do not open."""


def images_password() -> str | None:
    """Read the password of the THINGS images from the environment; the only place that does.

    Returns:
        The password, or None when the variable is not set or empty. It is never to be written:
        not into messages, logs, settings or results.
    """
    return os.environ.get(PASSWORD_VARIABLE) or None
