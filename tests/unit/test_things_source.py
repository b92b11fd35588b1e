"""What a plan knows of a study's THINGS images, without reading any."""

import os

import pytest

from rulealign.config.brain import ThingsFiles
from rulealign.data import inputs
from rulealign.data.things.source import ThingsSource


def source_of(images, resources="resources", **changed):
    values = {"form": "remote-rows", "root": None, "images": images, "parallel": 1, **changed}
    return ThingsSource(ThingsFiles(**values), resources)


@pytest.fixture
def images(tmp_path):
    image = tmp_path / "images" / "object_images" / "dog" / "dog_12s.jpg"
    image.parent.mkdir(parents=True)
    image.write_bytes(b"the dog")
    return tmp_path / "images"


def overwrite(path, content, seconds):
    """Give a file of a folder other bytes and a time relative to its own."""
    times = path.stat()
    path.write_bytes(content)
    shifted = times.st_mtime_ns + seconds * 10**9
    os.utime(path, ns=(shifted, shifted))


@pytest.mark.parametrize("seconds", [60, -60], ids=["newer", "older"])
@pytest.mark.parametrize("linked", [False, True], ids=["folder", "folders behind a link"])
def test_an_overwritten_image_changes_the_listing_of_its_folder(
    images, tmp_path, monkeypatch, seconds, linked
):
    monkeypatch.chdir(tmp_path)
    image = images / "object_images" / "dog" / "dog_12s.jpg"
    if linked:
        (images / "object_images").rename(tmp_path / "elsewhere")
        (images / "object_images").symlink_to(tmp_path / "elsewhere")
    before = source_of("images").images_listing
    folder = image.parent.stat().st_mtime_ns
    assert before
    assert source_of(f"{images}/").images_listing == before
    overwrite(image, b"a cat's", seconds)
    assert image.parent.stat().st_mtime_ns == folder
    assert source_of("images").images_listing != before


def test_a_folder_is_listed_once_in_a_plan(images):
    source = source_of(str(images))
    before = source.images_listing
    overwrite(images / "object_images" / "dog" / "dog_12s.jpg", b"another", 60)
    assert source.images_listing == before


def test_no_images_and_a_zip_have_no_listing(tmp_path):
    (tmp_path / "images.zip").write_bytes(b"PK")
    assert source_of(None).images_listing == ""
    assert source_of(str(tmp_path / "images.zip")).images_listing == ""


def test_how_columns_are_taken_is_told_to_the_jobs_that_read_them(tmp_path):
    assert not source_of(None, form="tables").form.as_stored
    for form in ("tables", "volumes"):
        told = source_of(None, form=form, root=str(tmp_path), columns="as_stored").form
        assert (told.form, told.as_stored) == (form, True)


def test_what_is_recorded_of_each_form(tmp_path):
    root = tmp_path / "data"
    retinotopy = root / "rois" / "prf" / "sub-02" / "resampled_varea.nii.gz"
    retinotopy.parent.mkdir(parents=True)
    retinotopy.touch()
    (root / "sub-01_nc_n-1.nii.gz").touch()
    (root / "sub-03_nc_n-1.nii.gz").touch()
    volumes = source_of(None, form="volumes", root=str(root))
    assert volumes.own(["01", "02"]) == {
        str(root): [str(root / "sub-01_nc_n-1.nii.gz"), str(retinotopy)]
    }
    assert (volumes.datasets, volumes.fetched(["01"]), volumes.remote(["01"])) == ([], [], {})

    published = source_of(None, form="tables")
    assert published.datasets == ["things-tables"]
    assert inputs.first_used(inputs.published(published.datasets)) == ["things-tables"]
    assert published.own(["01"]) == {}

    remote = source_of(str(tmp_path))
    assert remote.own(["01"]) == {str(tmp_path): None}
    ((address, folder),) = remote.remote(["01"]).items()
    assert address.startswith("s3://openneuro.org/ds004192/derivatives/ICA-betas/sub-01/")
    assert [path.startswith(f"{folder}/") for path in remote.fetched(["01"])] == [True, True]
