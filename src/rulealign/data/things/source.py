"""Where a study's THINGS-fMRI files are, or will be: for planning, without reading any data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from rulealign.config.brain import ThingsFiles
from rulealign.data.responses.files import ResponseFiles
from rulealign.data.things.images import check_images
from rulealign.data.things.table_files import OPENNEURO, TableFiles, find_tables, official_names
from rulealign.errors import ConfigurationError, DataError
from rulealign.plan.settings.brain import FormSettings
from rulealign.provenance import fingerprint, folder_listing

ADDRESS = "s3://openneuro.org/ds004192"
"""OpenNeuro's anonymous S3; another server of the same tree is named by AWS_ENDPOINT_URL."""

ARCHIVES = {
    "tables": ["things-tables"],
    "volumes": ["things-volumes", "things-brainmasks", "things-rois", "things-noise-ceilings"],
}
"""Form -> the datasets of the registry that hold it."""

_LINKED = ("*", "*/*", "*/*/*")
"""Where folders may lie between the user's folder of images and an image."""


class ThingsSource(ResponseFiles):
    """The files of the section `things`; see `ResponseFiles`.

    Args:
        files: the section.
        resources: the folder of downloads.

    Raises:
        ConfigurationError: `things.root` or `things.images` is not there.
    """

    def __init__(self, files: ThingsFiles, resources: Path) -> None:
        self.reads_rows = files.form == "remote-rows"
        self.form = FormSettings(
            form=files.form,
            address=ADDRESS if self.reads_rows else "",
            as_stored=files.columns == "as_stored",
        )
        self._images, self._named_root = files.images, files.root
        self._root = Path(files.root).expanduser() if files.root else None
        self._resources = Path(resources)
        if self._root is not None and not self._root.exists():
            raise ConfigurationError(f"things.root: '{files.root}': there is no such folder.")
        if files.form == "volumes" and self._root is not None and not self._root.is_dir():
            raise ConfigurationError(
                f"things.root: '{files.root}': volumes lie in several archives; unpack them, and"
                " name the folder that holds them."
            )
        for path in self.images:
            if not Path(path).exists():
                raise ConfigurationError(
                    f"things.images: '{files.images}': there is no such zip or folder; see"
                    " docs/data.md for how to get the images."
                )

    @property
    def images(self) -> list[str]:
        """Name the user's images: one path, or none while there are none."""
        return [str(Path(self._images).expanduser())] if self._images else []

    @cached_property
    def images_listing(self) -> str:
        """Fingerprint the names, sizes and times of the images of a folder; looked up once.

        A file that is overwritten leaves the time of its folder as it was. Empty while there are
        no images, and of a zip, which is one file with a size and a time of its own.
        """
        listed = []
        for folder in (Path(path).absolute() for path in self.images if Path(path).is_dir()):
            # images are read through links to folders, which a listing does not follow
            within = (path for depth in _LINKED for path in sorted(folder.glob(depth)))
            links = [path for path in within if path.is_symlink() and path.is_dir()]
            for place in (folder, *links):
                listed.append([str(place.relative_to(folder)), folder_listing(str(place))])
        return fingerprint(listed) if listed else ""

    def check_images(self) -> None:
        """Refuse to start without the user's images, or without the password of their archive.

        Raises:
            ConfigurationError: names the key, the licence and where to accept it.
        """
        check_images(self._images)

    @property
    def unpacks(self) -> bool:
        """Say whether archives have to be unpacked: those of the user, or downloaded ones."""
        return not self.reads_rows and (self._root is None or self._root.is_file())

    @property
    def archives(self) -> list[str]:
        """List what is unpacked: an archive of the user's, or the records of downloads."""
        if not self.unpacks:
            return []
        if self._root is not None:
            return [str(self._root)]
        return [f"{self._resources}/{name}/fetched.json" for name in ARCHIVES[self.form.form]]

    @property
    def datasets(self) -> list[str]:
        """List the datasets of the registry whose archives are unpacked."""
        return ARCHIVES[self.form.form] if self.unpacks and self._root is None else []

    def own(self, subjects: Sequence[str]) -> dict[str, list[str] | None]:
        """List images and root, if the study names them; see `ResponseFiles.own`.

        Args:
            subjects: labels.

        Raises:
            DataError: as in `files`.
        """
        found: dict[str, list[str] | None] = {self._images: None} if self._images else {}
        if self._named_root:
            files = [file for subject in subjects for file in self.files(subject)]
            found[self._named_root] = None if self.unpacks else files
        return found

    def remote(self, subjects: Sequence[str]) -> dict[str, str]:
        """List the remote files of which only rows are read; see `ResponseFiles.remote`."""
        if not self.reads_rows:
            return {}
        return {remote_responses(subject): str(self.folder(subject)) for subject in subjects}

    def fetched(self, subjects: Sequence[str]) -> list[str]:
        """List the tables that are fetched with remote rows; see `ResponseFiles.fetched`."""
        if not self.reads_rows:
            return []
        return [file for subject in subjects for file in self.files(subject)]

    def folder(self, subject: str) -> Path:
        """Name the folder that one subject's responses are read from.

        Args:
            subject: label, such as "01".
        """
        if self._root is not None and not self.unpacks:
            return self._root
        return self._resources / "things" / self.form.form / f"sub-{subject}"

    def files(self, subject: str, _roi: str | None = None) -> list[str]:
        """List the files that one subject's responses are read from.

        Args:
            subject: label, such as "01".

        Returns:
            Paths; those that a job of the pipeline makes, or those of the user.

        Raises:
            DataError: a file of the user's is missing; names those it may be.
        """
        folder = self.folder(subject)
        if self.reads_rows:
            return [str(path) for path in self.small_tables(subject)]
        if self.unpacks:
            return [str(path) for path in self.unpacked(subject)]
        if self.form.form == "tables":
            return [str(path) for path in find_tables(folder, subject)]
        # masks of retinotopy name the subject in their folder alone: prf/sub-01/
        named = (path for path in folder.rglob("*") if f"sub-{subject}" in _below(folder, path))
        found = sorted(str(path) for path in named if path.is_file())
        if not found:
            raise DataError(
                f"{folder}: has no files of sub-{subject}; point things.root at the folder that has"
                " betas_vol/, or lower brain.subjects."
            )
        return found

    def small_tables(self, subject: str) -> list[Path]:
        """Name the tables of voxels and trials that are fetched before any rows.

        Args:
            subject: label, such as "01".
        """
        folder = self.folder(subject)
        return [folder / official_names(kind, subject)[1] for kind in ("voxels", "stimuli")]

    def unpacked(self, subject: str) -> list[Path]:
        """Name what is unpacked for one subject: three tables, or a record of the volumes.

        Args:
            subject: label, such as "01".
        """
        folder = self.folder(subject)
        if self.form.form == "tables":
            return [folder / official_names(kind, subject)[0] for kind in TableFiles._fields]
        return [folder / "unpacked.json"]


def remote_responses(subject: str) -> str:
    """Give the address of a subject's responses below `ADDRESS`.

    Args:
        subject: label, such as "01".
    """
    return f"{ADDRESS}/{OPENNEURO.format(s=subject)}/{official_names('responses', subject)[1]}"


def _below(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
