"""Where responses of single trials and their images are, or will be: for planning."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rulealign.plan.settings.brain import FormSettings


class ResponseFiles(ABC):
    """The files of brain data with single trials, told without reading any data.

    A kind says where its files are; what it does not need to fetch, unpack or check, it leaves as
    it is here.

    Attributes:
        form: the form in which responses are read.
        images: the folder or archive of the images: one path, or none while there are none.
        images_listing: what changes with the files of a folder of images; "" where `image_records`
            or the path itself tells.
        image_records: files that the pipeline makes with the images, and that change with them.
        datasets: names, in the registry, of the downloads that responses are unpacked from.
        reads_rows: whether only rows of remote files are read, after the tables of their trials.
        unpacks: whether archives have to be unpacked.
    """

    form: FormSettings
    images: Sequence[str] = ()
    images_listing: str = ""
    image_records: Sequence[str] = ()
    datasets: Sequence[str] = ()
    reads_rows: bool = False
    unpacks: bool = False

    @abstractmethod
    def folder(self, subject: str) -> Path:
        """Name the folder that one subject's responses are read from.

        Args:
            subject: label, such as "01".
        """

    @abstractmethod
    def own(self, subjects: Sequence[str]) -> dict[str, list[str] | None]:
        """List what is the user's own, for the record of inputs.

        Args:
            subjects: labels.

        Returns:
            Folder or file, as the study names it -> the files below that are read; None: all.
        """

    @abstractmethod
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

    def remote(self, _subjects: Sequence[str]) -> dict[str, str]:
        """List the remote files of which only rows are read.

        Args:
            _subjects: labels.

        Returns:
            Address of a subject's responses -> the folder that the subject's tables are fetched to,
            with a record of each; {} where nothing is read row by row.
        """
        return {}

    def fetched(self, _subjects: Sequence[str]) -> list[str]:
        """List the tables that are fetched with remote rows: their checksums are known then.

        Args:
            _subjects: labels.

        Returns:
            Paths; none where nothing is read row by row.
        """
        return []

    def check_images(self) -> None:
        """Refuse to start without images that only the user has; by default none are needed.

        Raises:
            ConfigurationError: names the key and how to get the images.
        """
        return None
