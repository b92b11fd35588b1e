"""Images that are missing, ambiguous, locked or broken: each is named, and no password ever is."""

import io
import itertools
import zipfile

import numpy as np
import pytest
from PIL import Image

import shown_stimuli
import zips
from helpers.told import told
from rulealign.data.images import zipped_images
from rulealign.data.images.stimulus_images import write_stimuli
from rulealign.data.things.images import check_images, open_images
from rulealign.errors import ConfigurationError, DataError
from rulealign.job import job

PASSWORD = "the-secret-of-THINGS"
KEY = PASSWORD.encode()
IDS = ["dog_12s.jpg", "dog_01b.jpg"]
VARIABLE = "THINGS_IMAGES_PASSWORD"
WRITERS = {"folder": zips.write_folder, "zip": zips.write_plain, "zipcrypto": zips.write_zipcrypto}
LOCKED = {
    "aes": zips.write_aes,
    "zipcrypto": zips.write_zipcrypto,
    "zipcrypto, stored": lambda *rest: zips.write_zipcrypto(*rest, deflate=False),
    "zipcrypto, streamed": lambda *rest: zips.write_zipcrypto(*rest, streamed=True),
}
LICENCE = r"academic use only.*https://osf\.io/jum2f.*password.*THINGSplus"


def png(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


FILES = {"dog/dog_12s.jpg": png(1), "dog/dog_01b.jpg": png(2), "cat/cat_01b.jpg": png(3)}


def refused(source, match, ids=IDS, password=PASSWORD):
    with pytest.raises(DataError, match=match) as caught:
        list(open_images(source, ids, password))
    assert source.name in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("near", ["dog_12n.jpg", "dog_13s.jpg", "Dog_12s.jpg", "dog_12s.jpeg"])
def test_a_missing_image_is_named_and_no_near_one_takes_its_place(tmp_path, form, near):
    files = {"dog/dog_01b.jpg": png(2), f"dog/{near}": png(1), "cat/dog_12s.jpg": png(4)}
    WRITERS[form](tmp_path / "images", files, KEY)
    message = refused(tmp_path / "images", r"1 of 2 images are missing: \['dog_12s\.jpg'\]\. Each")
    assert "<concept>/<stimulus>" in message


@pytest.mark.parametrize(("missing", "more"), [(20, r"\]\."), (25, r"\] and 5 more\.")])
def test_of_many_missing_images_twenty_are_named(tmp_path, missing, more):
    zips.write_plain(tmp_path / "x.zip", FILES)
    absent = [f"emu_{number:02d}s.jpg" for number in range(missing)]
    listed = r"'emu_00s\.jpg', .*'emu_19s\.jpg'"
    refused(tmp_path / "x.zip", rf"{missing} of {missing + 2} .*\[{listed}{more}", IDS + absent)


@pytest.mark.parametrize("form", WRITERS)
def test_an_image_that_is_there_twice_with_other_contents_is_refused(tmp_path, form):
    files = {**FILES, "white/dog/dog_12s.jpg": png(8)}
    WRITERS[form](tmp_path / "images", files, KEY)
    refused(
        tmp_path / "images",
        "'dog_12s.jpg' appears twice with different contents, at"
        " 'dog/dog_12s.jpg' and 'white/dog/dog_12s.jpg'",
    )


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_two_members_of_one_name_are_told_apart(tmp_path):
    zips.write_plain(tmp_path / "x.zip", FILES)
    with zipfile.ZipFile(tmp_path / "x.zip", "a") as archive:
        archive.writestr("dog/dog_12s.jpg", png(8))
    refused(tmp_path / "x.zip", "'dog_12s.jpg' appears twice with different contents")


@pytest.mark.parametrize("form", LOCKED)
def test_an_encrypted_zip_without_a_password_is_refused(tmp_path, form):
    LOCKED[form](tmp_path / "x.zip", FILES, KEY)
    match = rf"'dog/dog_12s\.jpg' is encrypted, and .*{VARIABLE} is not set.*{LICENCE}"
    refused(tmp_path / "x.zip", match, password=None)


@pytest.mark.parametrize("form", LOCKED)
def test_a_wrong_password_is_refused(tmp_path, form):
    LOCKED[form](tmp_path / "x.zip", FILES, KEY)
    match = rf"'dog/dog_12s\.jpg' does not open with the password in {VARIABLE}.*{LICENCE}"
    message = refused(tmp_path / "x.zip", match, password="not-the-one")
    assert "not-the-one" not in message


@pytest.mark.parametrize("form", ["zipcrypto", "zipcrypto, stored"])
def test_a_wrong_password_that_passes_zipcryptos_check_is_refused(tmp_path, form):
    content = FILES["dog/dog_12s.jpg"]
    passing = next(
        wrong
        for wrong in map("wrong-{}".format, itertools.count())
        if zips.passes_check_byte(content, KEY, wrong.encode())
    )
    LOCKED[form](tmp_path / "x.zip", FILES, KEY)
    match = rf"'dog/dog_12s\.jpg' does not open with the password in {VARIABLE}.*{LICENCE}"
    refused(tmp_path / "x.zip", match, ["dog_12s.jpg"], passing)


@pytest.mark.parametrize("form", ["zip", *LOCKED])
def test_a_damaged_member_is_named(tmp_path, form):
    (WRITERS | LOCKED)[form](tmp_path / "x.zip", FILES, KEY)
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        member = archive.getinfo("dog/dog_01b.jpg")
    content = bytearray((tmp_path / "x.zip").read_bytes())
    content[member.header_offset + 100] ^= 255
    (tmp_path / "x.zip").write_bytes(content)
    refused(tmp_path / "x.zip", r"'dog/dog_01b\.jpg' .*damaged")
    content[member.header_offset : member.header_offset + 4] = b"xxxx"
    (tmp_path / "x.zip").write_bytes(content)
    refused(tmp_path / "x.zip", r"'dog/dog_01b\.jpg'")


@pytest.mark.parametrize("form", ["zip", *LOCKED])
def test_a_truncated_zip_is_refused(tmp_path, form):
    (WRITERS | LOCKED)[form](tmp_path / "x.zip", FILES, KEY)
    content = (tmp_path / "x.zip").read_bytes()
    for length in (len(content) // 2, len(content) - 20, 40):
        (tmp_path / "x.zip").write_bytes(content[:length])
        refused(tmp_path / "x.zip", "is a zip whose end is missing or damaged .* get it again")


@pytest.mark.parametrize("content", [b"", b"<html>please log in</html>"])
def test_what_is_no_zip_is_refused(tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)
    refused(tmp_path / "x.zip", "is no zip .* get it again")
    with pytest.raises(ConfigurationError, match="x.zip': is neither a folder nor a zip"):
        check_images(str(tmp_path / "x.zip"))


def test_an_absent_path_is_refused(tmp_path):
    refused(tmp_path / "nowhere", f"there is no such file or folder.*{LICENCE}")


@pytest.mark.parametrize("form", ["folder", "zip", "zipcrypto"])
def test_a_file_that_is_no_picture_is_named(tmp_path, form):
    WRITERS[form](tmp_path / "images", {**FILES, "dog/dog_12s.jpg": b"no picture"}, KEY)
    refused(tmp_path / "images", "dog/dog_12s.jpg': cannot be read as an image")


def test_a_file_far_too_large_is_not_unpacked(tmp_path, monkeypatch):
    zips.write_zipcrypto(tmp_path / "x.zip", {**FILES, "dog/dog_12s.jpg": bytes(5000)}, KEY)
    monkeypatch.setattr(zipped_images, "LARGEST_FILE", 4999)
    refused(tmp_path / "x.zip", "'dog/dog_12s.jpg' has 0 MB; that is no stimulus")


def test_planning_stops_without_images_or_without_their_password(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    for source, match in (
        (None, "not set"),
        (str(tmp_path / "nowhere.zip"), "nowhere.zip': is neither a folder nor a zip"),
    ):
        with pytest.raises(ConfigurationError, match=rf"things\.images.*{match}.*{LICENCE}"):
            check_images(source)
    for form, write in LOCKED.items():
        write(tmp_path / form, {"a/": b"", **FILES}, KEY)
        match = rf"things\.images.*is encrypted, and .*{VARIABLE} is not set.*{LICENCE}"
        with pytest.raises(ConfigurationError, match=match):
            check_images(str(tmp_path / form))


@pytest.mark.parametrize("form", LOCKED)
@pytest.mark.parametrize("fault", ["none", "wrong", "damaged", "missing", "no picture"])
def test_the_password_is_in_nothing_that_is_written(tmp_path, form, fault, monkeypatch, capfd):
    secret = "wrong-secret" if fault == "wrong" else PASSWORD
    monkeypatch.setenv(VARIABLE, secret)
    files = {**FILES, "dog/dog_01b.jpg": b"no picture"} if fault == "no picture" else FILES
    LOCKED[form](tmp_path / "x.zip", files, KEY)
    if fault == "damaged":
        content = bytearray((tmp_path / "x.zip").read_bytes())
        content[100] ^= 255
        (tmp_path / "x.zip").write_bytes(content)
    ids = [*IDS, "emu_01b.jpg"] if fault == "missing" else IDS
    said, paths = "", (tmp_path / "x.zip", tmp_path / "out.h5")
    try:
        with job(told(tmp_path / "log.txt")):
            check_images(str(tmp_path / "x.zip"))
            write_stimuli(shown_stimuli.told("brain"), 8, *paths, shown_stimuli.one_each(ids))
    except SystemExit as error:
        said = str(error)
    assert (said == "") == (fault == "none")
    assert (tmp_path / "out.h5").exists() == (fault == "none")
    assert ("Traceback" in (tmp_path / "log.txt").read_text()) == (fault != "none")
    written = [path.read_bytes() for path in tmp_path.iterdir()]
    written += [said.encode(), *(text.encode() for text in capfd.readouterr())]
    for content in written:
        assert secret.encode() not in content
