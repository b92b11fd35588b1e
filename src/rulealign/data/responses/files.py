"""Where responses of single trials and their images are, or will be: for planning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from rulealign.plan.settings.brain import FormSettings


class ResponseFiles(Protocol):
    """The files of brain data with single trials, told without reading any data.

    Attributes:
        form: the form in which responses are read.
        images: the folder or archive of the images: one path, or none while there are none.
        images_listing: what changes with the files of a folder of images; "" where `image_records`
            or the path itself tells.
        image_records: files that the pipeline makes with the images, and that change with them.
    """

    form: FormSettings
    images: Sequence[str]
    images_listing: str
    image_records: Sequence[str]

    def folder(self, subject: str) -> Path:
        """Name the folder that one subject's responses are read from.

        Args:
            subject: label, such as "01".
        """

    def own(self, subjects: Sequence[str]) -> dict[str, list[str] | None]:
        """List what is the user's own, for the record of inputs.

        Args:
            subjects: labels.

        Returns:
            Folder or file, as the study names it -> the files below that are read; None: all.
        """

    def files(self, subject: str, roi: str | None = None) -> list[str]:
        """List the files that one subject's responses are read from.

        Args:
            subject: label.
            roi: whose voxels are read, where each ROI has files of its own; None for trials.

        Returns:
            Paths; those that a job of the pipeline makes, or those of the user.

        Raises:
            DataError: a file of the user's is missing; names those it may be.
        """
