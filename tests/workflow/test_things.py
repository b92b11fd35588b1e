"""THINGS-fMRI from end to end: three ways in, the user's images, and what must not be written."""

import hashlib
import io
import json
import os
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from changed_study import messages
from expected_jobs import shown
from rulealign.store import read_csv
from s3_site import put, s3_site
from things_forms import generated_truth, write_openneuro, write_tables, write_volumes
from workflow.conftest import Run
from zips import write_aes, write_folder

pytestmark = pytest.mark.workflow

PASSWORD = "correct-horse-7"
ROIS = ("V1", "LOC", "best")
RECORD = "results/photos/provenance.json"
TARGETS = [
    *(f"results/photos/brain/sub-{s}_roi-{roi}_responses.h5" for s in ("01", "02") for roi in ROIS),
    *(f"results/photos/brain/sub-{s}_trials.csv" for s in ("01", "02")),
]


@pytest.fixture(scope="module")
def truth():
    return generated_truth(subjects=2, concepts=14, repeated=4, sessions=2, runs=3)


@pytest.fixture
def things_study(small_study):
    return things_settings(small_study)


def things_settings(small_study):
    study = {**small_study, "study": "photos"}
    study["stimuli"] = {"shown": {"kind": "brain", "background": "noise", "as_shown": True}}
    study["calibration"] = {"others": {"kind": "brain-others", "background": "n", "as_shown": True}}
    controls = {"augment": False, "images": "others", "size": 32, "batch_size": 4}
    study["rules"] = {**study["rules"], "matched": {**study["rules"]["untrained_bn"], **controls}}
    best = {"union": ["V1", "V2"], "intersection": [], "difference": ["lLOC"]}
    best |= {"hemisphere": "left", "voxels": {"by": "nc_testset", "top": 5}}
    study["brain"] = {
        "kind": "things",
        "subjects": 2,
        "stimulus_set": "first-exemplar",
        "zscore": "all-trials",
        "distance": "correlation",
        "pairs": "cross_run",
        "faulty_voxels": "stop",
        "duplicated_trials": "stop",
        "rois": {"V1": ["V1"], "LOC": ["lLOC", "rLOC"], "best": best},
    }
    study["things"] = {"form": "tables", "root": None, "images": "./images.zip", "parallel": 2}
    study["layer_map"] = [{"layer": "conv1", "roi": "V1"}, {"layer": "fc1", "roi": "LOC"}]
    study["universes"] = {**study["universes"], "stimuli": ["shown"], "pairs": ["cross_run", "all"]}
    study["claims"] = {"bp_drop": {**study["claims"]["bp_drop"], "roi": "V1"}}
    study["report"] = {**study["report"], "stimuli": "shown"}
    return study


def write_images(path, truth):
    """Write the images of a subject as a zip with a password, or as a folder by another name."""
    files, rng = {}, np.random.default_rng(0)
    for name in sorted(set(truth.people["01"].trials["stimulus"])):
        stream = io.BytesIO()
        Image.fromarray(rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)).save(stream, "JPEG")
        files[f"object_images/{name.rpartition('_')[0]}/{name}"] = stream.getvalue()
    write = write_aes if path.suffix == ".zip" else write_folder
    write(path, files, PASSWORD.encode())


def a_run(project, folder, study, truth, **things):
    folder.mkdir(parents=True)
    write_images(folder / "images.zip", truth)
    run = Run(project, folder, study)
    run.study["things"] = {**run.study["things"], **things}
    run.environment = {**run.environment, "THINGS_IMAGES_PASSWORD": PASSWORD}
    return run


@pytest.mark.slow
def test_tables_volumes_an_archive_and_remote_rows_give_the_same_bytes(
    project, things_study, truth, tmp_path
):
    write_tables(tmp_path / "tables", truth)
    write_volumes(tmp_path / "volumes", truth)
    write_openneuro(tmp_path / "remote", truth)
    with zipfile.ZipFile(tmp_path / "betas.zip", "w") as archive:
        for path in (tmp_path / "tables").iterdir():
            archive.write(path, f"betas_csv/{path.name}")
    forms = {
        "tables": {"form": "tables", "root": str(tmp_path / "tables")},
        "archive": {"form": "tables", "root": str(tmp_path / "betas.zip")},
        "volumes": {"form": "volumes", "root": str(tmp_path / "volumes")},
        "remote": {"form": "remote-rows", "root": None},
    }
    found, recorded = {}, {}
    with s3_site() as site:
        for path in (tmp_path / "remote").rglob("*.*"):
            put(site, path.relative_to(tmp_path / "remote").as_posix(), path.read_bytes())
        for name, things in forms.items():
            run = a_run(project, tmp_path / f"run-{name}", things_study, truth, **things)
            run.environment |= {"AWS_ENDPOINT_URL": site.url}
            run.snakemake(*TARGETS, RECORD, check=True)
            inputs = json.loads((run.folder / RECORD).read_text())["inputs"]
            recorded[name] = {row["source"]: row for row in inputs}
            found[name] = {target: (run.folder / target).read_bytes() for target in TARGETS}
    for name in forms:
        for target in TARGETS:
            assert found[name][target] == found["tables"][target], (name, target)
    assert not any((tmp_path / "tables").glob("*.tmp*"))
    check_inputs(recorded, forms, tmp_path)


def check_inputs(recorded, forms, folder):
    """Hold the records of what was read in every form against the files themselves."""
    for name, rows in recorded.items():
        images = hashlib.sha256((folder / f"run-{name}" / "images.zip").read_bytes()).hexdigest()
        assert rows["./images.zip"]["checksum"] == f"sha256:{images}"
    archive = hashlib.sha256((folder / "betas.zip").read_bytes()).hexdigest()
    assert recorded["archive"][forms["archive"]["root"]]["checksum"] == f"sha256:{archive}"
    for name in ("tables", "volumes"):
        row = recorded[name][forms[name]["root"]]
        files = {
            path.relative_to(folder / name).as_posix(): hashlib.sha256(path.read_bytes())
            for path in (folder / name).rglob("*")
            if path.is_file()
        }
        lines = "".join(f"sha256:{files[path].hexdigest()}  {path}\n" for path in sorted(files))
        assert row["files"] == len(files)
        assert row["checksum"] == f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"
    for path in (folder / "remote").rglob("*.*"):
        row = recorded["remote"][f"s3://openneuro.org/{path.relative_to(folder / 'remote')}"]
        checksum = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        rows_only = path.suffix == ".h5"
        assert row["checksum"] == (None if rows_only else checksum)
        assert ("only the rows" if rows_only else "first download") in row["note"]


@pytest.mark.slow
def test_a_study_of_tables_ends_in_a_report_and_the_password_is_nowhere(
    project, things_study, truth, tmp_path
):
    write_tables(tmp_path / "tables", truth)
    run = a_run(project, tmp_path / "run", things_study, truth, root=str(tmp_path / "tables"))
    done = run.snakemake(check=True)
    root = run.folder / "results/photos"
    scores = read_csv(root / "statistics/alignment.csv")
    assert set(scores["pairs"]) == {"cross_run"}
    apart = 0
    tables = [person.trials for person in truth.people.values()]
    runs = [table.set_index("stimulus")[["session", "run"]] for table in tables]
    names = sorted(table.groupby("concept")["stimulus"].min() for table in tables[:1])[0]
    for one in range(len(names)):
        for other in range(one):
            apart += all(
                tuple(run.loc[names.iloc[one]]) != tuple(run.loc[names.iloc[other]]) for run in runs
            )
    assert set(scores["n_pairs"]) == {apart}
    assert "Brain data quality" in (root / "report.html").read_text()
    assert isinstance(read_csv(root / "statistics/quality.csv"), pd.DataFrame)
    assert PASSWORD not in done.output
    for path in [*run.folder.rglob("*")]:
        if path.is_file() and path.name != "images.zip":
            assert PASSWORD.encode() not in path.read_bytes(), path


def test_nothing_starts_without_the_images_but_a_plan_can_be_made(
    project, things_study, truth, tmp_path
):
    write_tables(tmp_path / "tables", truth)
    run = a_run(project, tmp_path / "run", things_study, truth, root=str(tmp_path / "tables"))
    run.study["things"]["images"] = None
    assert run.snakemake("--dry-run").returncode == 0
    done = run.snakemake()
    assert done.returncode != 0
    assert "things.images: not set" in done.output
    assert "https://osf.io/jum2f" in done.output
    assert not list((run.folder / "results").rglob("*.h5"))


@pytest.mark.parametrize(
    ("things", "message"),
    [
        ({"root": "./nowhere"}, "things.root: './nowhere'"),
        ({"form": "remote-rows", "root": "./tables"}, "is not read by form 'remote-rows'"),
        ({"root": "."}, "no table of responses of sub-01"),
        ({"form": "volumes", "root": "."}, "has no files of sub-01"),
        ({"form": "volumes", "root": "./images.zip"}, "unpack them"),
        ({"images": "./elsewhere.zip"}, "things.images: './elsewhere.zip'"),
    ],
)
def test_a_wrong_place_is_named_before_anything_starts(
    project, things_study, truth, tmp_path, things, message
):
    run = a_run(project, tmp_path / "run", things_study, truth, **things)
    done = run.snakemake("--dry-run")
    assert done.returncode != 0
    assert message in done.output


def test_a_list_of_images_that_is_not_there_is_refused_and_a_changed_one_is_noticed(
    project, things_study, truth, tmp_path
):
    write_tables(tmp_path / "tables", truth)
    run = a_run(project, tmp_path / "run", things_study, truth, root=str(tmp_path / "tables"))
    run.study["brain"]["stimulus_set"] = "./mine.txt"
    done = run.snakemake("--dry-run")
    assert done.returncode != 0
    assert "brain.stimulus_set: 'mine.txt': there is no such file" in done.output
    once = truth.people["01"].trials.query("trial_type == 'train'")["stimulus"].tolist()
    target = "results/photos/brain/sub-01_roi-V1_rdm.h5"
    for names in (once[:20], once[5:20]):
        (run.folder / "mine.txt").write_text("\n".join(names) + "\n")
        run.snakemake(target, check=True)
        with h5py.File(run.folder / target) as file:
            assert file["ids/stimulus"].asstr()[()].tolist() == sorted(names)


@pytest.mark.parametrize("images", ["./photographs", "./images.zip"])
def test_replaced_images_are_prepared_and_shown_anew_and_nothing_is_trained(
    project, things_study, truth, tmp_path, images
):
    write_tables(tmp_path / "tables", truth)
    run = a_run(project, tmp_path / "run", things_study, truth, root=str(tmp_path / "tables"))
    run.study["things"]["images"] = images
    write_images(run.folder / "photographs", truth)
    target = "results/photos/rdms/net-cnn3_rule-bp_seed-1_epoch-1_stim-shown_px-32.h5"
    run.snakemake(target, check=True)
    assert messages(run.snakemake(target, "--dry-run", check=True).output) == []

    place = run.folder / images
    replaced = place if place.is_file() else sorted(place.rglob("*.jpg"))[0]
    folder, written = replaced.parent.stat().st_mtime_ns, replaced.stat().st_mtime_ns
    replaced.write_bytes(replaced.read_bytes() + b"more")
    assert replaced.parent.stat().st_mtime_ns == folder
    for seconds in (10**6, -(10**6)):
        os.utime(replaced, ns=(written + seconds * 10**9,) * 2)
        plan = run.snakemake(target, "--dry-run", check=True).output
        expected = {"Prepare the stimulus set shown at 32 px", shown("bp", 1, 1)}
        assert set(messages(plan)) == expected, seconds
