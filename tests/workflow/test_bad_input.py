"""Bad input is named before work starts, and nothing is lost."""

import re

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.workflow


ONE_CORE = ("--cores", "1")  # jobs that check come first; a second core would start to train


def refused(run, pattern, *arguments):
    """Check that Snakemake stops with a message, and that no network was made."""
    done = run.snakemake(*arguments)
    assert done.returncode != 0, done.output
    assert re.search(pattern, done.output, re.DOTALL), done.output
    assert not list(run.folder.glob("results/*/checkpoints/*.pt"))
    return done.output


def test_a_misspelt_key_stops_the_plan_without_a_traceback(new_run):
    new_run.study["training"]["sedes"] = new_run.study["training"].pop("seeds")
    output = refused(new_run, r"training\.sedes: unknown key .*; did you mean `seeds`")
    assert "Traceback" not in output
    assert not (new_run.folder / "results").exists()


def test_two_study_files_are_refused(new_run, project):
    other = project / "studies" / "cichy92_quick.yaml"
    refused(new_run, "never merged", "--configfile", new_run.folder / "study.yaml", other)


def test_a_study_file_replaces_the_default_and_a_value_overrides_it(new_run):
    plan = new_run.snakemake("--dry-run", "--config", "training={seeds: [7]}", check=True).output
    assert "seed 7" in plan
    assert "seed 1" not in plan
    assert "LOC" not in plan
    assert "simulate" not in plan


def test_a_source_that_does_not_exist_is_named_while_planning(new_run):
    new_run.study["stimuli"]["grey"]["source"] = "cichy92-gray"
    refused(new_run, r"cichy92-gray.*cichy92-grey")
    new_run.study["stimuli"]["grey"]["source"] = "./no-such-folder"
    refused(new_run, r"no-such-folder")


def test_an_unreadable_image_stops_the_run_before_training(new_run):
    (new_run.folder / "images" / "image_03.png").write_bytes(b"no image")
    refused(new_run, r"image_03\.png")


def test_a_missing_image_stops_the_run_before_training(new_run):
    (new_run.folder / "images" / "image_03.png").unlink()
    refused(new_run, r"place 2 'image_0[34]' and 'image_0[34]'|image_03")


def test_an_image_too_many_stops_the_run_before_training(new_run):
    Image.new("RGB", (40, 40), "red").save(new_run.folder / "images" / "image_13.png")
    refused(new_run, r"has 13 ids.* has 12|has 12 ids.* has 13")


@pytest.mark.parametrize(
    ("fault", "pattern"),
    [
        (lambda rdms: rdms[:, :, :-1], r"rdms\.npz.*square"),
        (
            lambda rdms: np.where(rdms == rdms.max(), np.nan, rdms),
            r"rdms\.npz.*missing",
        ),
        (lambda rdms: rdms + np.triu(np.ones(rdms.shape[1:]), 1) * 0.1, r"rdms\.npz.*symmetric"),
        (lambda rdms: rdms[:2], r"rdms\.npz.*2.*subjects|rdms\.npz.*subjects.*2"),
    ],
)
def test_rdms_that_are_none_stop_the_run_before_training(new_run, fault, pattern):
    path = new_run.folder / "rdms.npz"
    np.savez(path, EVC=fault(np.load(path)["EVC"]))
    refused(new_run, pattern)


def test_ids_of_other_stimuli_are_told_before_any_network_is_made(new_run):
    new_run.study["brain"]["ids"] = "picture_{:02d}"
    refused(
        new_run,
        r"place 0 'picture_01' and 'image_01'.*`stimuli\.<label>\.source`.*`brain\.ids`",
        *ONE_CORE,
    )


def test_too_few_stimuli_are_told_before_any_network_is_made(new_run):
    for number in range(6, 13):
        (new_run.folder / "images" / f"image_{number:02d}.png").unlink()
    path = new_run.folder / "rdms.npz"
    np.savez(path, EVC=np.load(path)["EVC"][:, :5, :5])
    new_run.study["statistics"] |= {"bootstrap_draws": 1000}
    refused(
        new_run,
        r"sub-01_roi-EVC_rdm\.h5: 5 stimuli are too few for 1000 resamples.*Bring at least 10"
        r" stimuli, or lower statistics\.bootstrap_draws",
        *ONE_CORE,
    )


def test_an_roi_that_the_file_lacks_is_named_with_those_it_has(new_run):
    new_run.study["brain"]["rois"]["EVC"]["key"] = "V1"
    refused(new_run, r"rdms\.npz.*'V1'.*EVC")


def test_a_study_of_the_same_name_from_another_file_does_not_touch_the_results(finished):
    before = finished.results()
    (finished.folder / "other.yaml").write_text(
        (finished.folder / "study.yaml").read_text().replace("seed: 2026", "seed: 2027")
    )
    done = finished.snakemake("--configfile", finished.folder / "other.yaml")
    assert done.returncode != 0
    assert re.search(r"'small' is the name of two studies.*other\.yaml.*study\.yaml", done.output)
    assert finished.results() == before
