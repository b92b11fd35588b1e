"""Images that were replaced are shown anew, and train nothing."""

import os

import pytest
from PIL import Image

from changed_study import messages
from expected_jobs import (
    ALIGNMENT_TABLE,
    CHECKED,
    CLAIMS,
    CONTROLS_TABLE,
    COURSES,
    LOOKED_AT,
    shown,
)

pytestmark = pytest.mark.workflow
CLAIMED = (
    "bp",
    "untrained_bn",
)  # rules that the small study's claim takes, its baseline among them


@pytest.mark.parametrize("older", [False, True], ids=["newer", "older than the results"])
def test_a_replaced_image_trains_nothing(finished, older):
    path = finished.folder / "images" / "image_03.png"
    before, times = path.read_bytes(), path.stat()
    Image.new("RGB", (44, 40), "red").save(path)
    if older:
        os.utime(path, ns=(times.st_atime_ns - 10**15, times.st_mtime_ns - 10**15))
    try:
        plan = finished.snakemake("--dry-run", check=True).output
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    networks = [("untrained_bn", 0), *((rule, epoch) for rule in ("bp", "fa") for epoch in (0, 1))]
    rules = {rule for rule, _ in networks}
    expected = {shown(rule, 1, epoch) for rule, epoch in networks}
    expected |= {f"Hold cnn3 by {rule} against EVC" for rule in rules} | CHECKED | ALIGNMENT_TABLE
    expected |= {"Prepare the stimulus set grey at 32 px", "RDMs of the controls of grey at 32 px"}
    expected |= {"Hold the controls against EVC"} | CONTROLS_TABLE | COURSES | CLAIMS | LOOKED_AT
    expected |= {
        f"Score cnn3 by {rule} with EVC in every universe of the claims" for rule in CLAIMED
    }
    assert set(messages(plan)) == expected
