"""The examples of docs/your-own-data.md and -betas.md, from files to the page and to rsatoolbox."""

import contextlib
import json
import re
import shutil

import nibabel
import numpy as np
import pytest
import rsatoolbox
import yaml
from scipy.io import loadmat
from scipy.spatial.distance import pdist, squareform
from scipy.stats import spearmanr

from helpers.bids_folder import AFFINE, inside, plain_trials, write_bids, write_images
from helpers.bids_folder import SUBJECTS as BIDS_SUBJECTS
from helpers.sensors import SENSORS, TIMES, write_sensors
from rulealign.data.init_study import main as init
from rulealign.rsa.export import main as export
from rulealign.store import open_h5, read_csv
from workflow.conftest import STIMULI, Run, write_inputs

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

TINY = [
    "networks={cnn3: {channels: [4, 6, 8], hidden_units: 16}}",
    "training_set={kind: synthetic-objects, pool_images: 300, train_images: 256}",
    "training={seeds: [1], checkpoints: [0], batch_size: 32}",
    "evaluation={sizes: [32]}",
    "statistics={bootstrap_draws: 100, null_draws: 50}",
    "controls=[]",
]
SUBJECTS = ["anna", "ben", "carl"]


def blocks(project, language, page="your-own-data.md"):
    text = (project / "docs" / page).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture(scope="module")
def from_rsatoolbox(project, tmp_path_factory):
    """Give a run of the first example: RDMs whose images are in another order."""
    tmp_path = tmp_path_factory.mktemp("own")
    with contextlib.chdir(tmp_path):
        return _run_example(project, tmp_path)


def _run_example(project, tmp_path):
    write_inputs(tmp_path)
    (tmp_path / "images").rename(tmp_path / "my_images")
    order = np.random.default_rng(5).permutation(STIMULI)
    squares = np.load(tmp_path / "rdms.npz")["EVC"]
    given = {
        "dissimilarities": np.stack([squareform(rdm[order][:, order]) for rdm in squares]),
        "names": [f"image_{place + 1:02d}" for place in order],
    }
    (code,) = blocks(project, "python")
    exec(code, given)
    page = (project / "docs" / "your-own-data.md").read_text()
    written, exported = map(str.split, re.findall(r"^python -m rulealign\S+ (.*)$", page, re.M))
    assert init([word if word != "fa" else "untrained" for word in written]) == 0
    study = yaml.safe_load((tmp_path / "studies" / "mine.yaml").read_text())
    assert len((tmp_path / "studies" / "mine.yaml").read_text().splitlines()) <= 40
    study["rules"] = {"untrained": {}}
    study["brain"] = yaml.safe_load(blocks(project, "yaml")[0])["brain"]
    study["brain"]["rois"]["LO"] = _without_ben(given["names"])
    run = Run(project, tmp_path, study)
    run.snakemake("--config", *TINY, check=True)
    assert export(exported) == 0
    run.squares = squares
    return run


def _without_ben(names):
    points = np.random.default_rng(6).random((2, STIMULI, 3))
    np.savez("lo.npz", rdm=list(map(pdist, points)), stim=names)
    return {"source": "./lo.npz", "key": "rdm", "subjects": ["anna", "carl"]}


def test_an_roi_that_a_subject_lacks_has_rows_of_the_others(from_rsatoolbox):
    table = read_csv(from_rsatoolbox.folder / "results/mine/statistics/alignment_subjects.csv")
    assert set(table.query("roi == 'LO'")["subject"]) == {"anna", "carl"}
    assert set(table.query("roi == 'V1'")["subject"]) == set(SUBJECTS)
    lo = rsatoolbox.rdm.load_rdm(str(from_rsatoolbox.folder / "exported" / "roi-LO_rdms.hdf5"))
    assert list(lo.rdm_descriptors["subject"]) == ["anna", "carl"]


def test_rdms_of_rsatoolbox_come_to_a_report_and_go_back(from_rsatoolbox):
    folder = from_rsatoolbox.folder
    brain = rsatoolbox.rdm.load_rdm(str(folder / "exported" / "roi-V1_rdms.hdf5"))
    assert list(brain.rdm_descriptors["subject"]) == SUBJECTS
    ids = [f"image_{number:02d}" for number in range(1, STIMULI + 1)]
    assert list(brain.pattern_descriptors["stimulus"]) == ids
    np.testing.assert_allclose(brain.get_matrices(), from_rsatoolbox.squares, atol=1e-12)

    models = rsatoolbox.rdm.load_rdm(str(folder / "exported" / "net-cnn3_rule-untrained_rdms.hdf5"))
    scores = rsatoolbox.inference.load_results(
        str(folder / "exported" / "net-cnn3_rule-untrained_roi-V1_scores.hdf5")
    )
    drawn = rsatoolbox.inference.load_results(
        str(folder / "exported" / "net-cnn3_rule-untrained_roi-V1_draws.hdf5")
    )
    expected = spearmanr(models.dissimilarities.T, brain.dissimilarities.T).statistic
    expected = expected[: models.n_rdm, models.n_rdm :]
    np.testing.assert_allclose(scores.evaluations[0], expected, atol=2e-4)
    assert scores.get_means() == pytest.approx(expected.mean(axis=1), abs=2e-4)
    assert drawn.evaluations.shape == (100, models.n_rdm)
    assert "V1" in scores.models[0].name
    assert "untrained" in drawn.summary()


def test_every_column_of_every_table_is_described(from_rsatoolbox):
    statistics = from_rsatoolbox.folder / "results" / "mine" / "statistics"
    page = (statistics / "README.md").read_text()
    assert "|  |" not in page
    for path in statistics.glob("*.csv"):
        section = page.partition(f"## {path.stem}.csv")[2].partition("\n## ")[0]
        assert re.findall(r"^\| `(\S+)` \|", section, re.MULTILINE) == list(read_csv(path)), path


@pytest.fixture(scope="module")
def from_betas(project, tmp_path_factory):
    """Give a run of the example of betas: dora lacks an ROI, and ben a trial of an image."""
    folder = tmp_path_factory.mktemp("betas")
    write_images(folder / "my_stimuli")
    write_bids(folder / "bids")
    events = folder / "bids/sub-ben/func/sub-ben_task-objects_run-2_events.tsv"
    rows = events.read_text()
    events.write_text(rows.replace("object\tobjects/object_5.", "target\tobjects/object_5."))
    study = yaml.safe_load(blocks(project, "yaml", "your-own-betas.md")[0])
    study["brain"]["lacking"] = {"LO": ["dora"]}
    study["encoding"] = {"folds": 4, "inner_folds": 3, "voxels": {}}
    (folder / "bids/derivatives/rois/sub-dora_LO_mask.nii.gz").unlink()
    run = Run(project, folder, study)
    run.snakemake("--config", *TINY, check=True)
    return run


def test_betas_come_to_a_report(from_betas):
    results = from_betas.folder / "results" / "betas"
    table = read_csv(results / "statistics" / "alignment_subjects.csv")
    assert set(table.query("roi == 'LO'")["subject"]) == {"anna", "ben", "carl"}
    assert set(table.query("roi == 'V1'")["subject"]) == set(BIDS_SUBJECTS)
    encoding = read_csv(results / "statistics" / "encoding.csv")
    assert set(encoding["roi"]) == {"V1", "LO"}
    quality = read_csv(results / "statistics" / "quality.csv")
    runs = quality.query("check == 'trials' and item == 'runs'")["value"]
    assert runs.tolist() == [3] * len(BIDS_SUBJECTS)
    averaged = quality.query("item == 'averaged per stimulus' and roi == 'V1'")
    assert averaged["value"].tolist() == pytest.approx([3, 59 / 20, 3, 3])
    assert not averaged["flagged"].any()
    ceilings = read_csv(results / "statistics" / "ceilings.csv").set_index("roi")
    assert ceilings.loc["V1", "repetitions"] == pytest.approx((3 + 59 / 20 + 3 + 3) / 4)
    record = json.loads((results / "provenance.json").read_text())
    own = {one["source"]: one["files"] for one in record["inputs"]}
    assert own["bids/derivatives/rois"] == 7
    assert own["bids/derivatives/glm"] == own["bids"] == 3 * len(BIDS_SUBJECTS)
    assert (results / "report.html").stat().st_size > 10_000


def test_volumes_of_rois_are_exported(from_betas, tmp_path):
    assert export([str(from_betas.folder / "results" / "betas"), str(tmp_path)]) == 0
    rois = nibabel.load(tmp_path / "sub-anna_rois.nii.gz")
    np.testing.assert_array_equal(rois.affine, AFFINE)
    counted = rois.get_fdata()
    ceilings = nibabel.load(tmp_path / "sub-anna_roi-LO_ceiling.nii.gz").get_fdata()
    assert (counted[inside("V1")] == 1).all()
    assert counted[inside("LO")].sum() == np.isfinite(ceilings).sum() == 30
    assert np.isfinite(ceilings[inside("LO")]).sum() == 30
    images, _, betas = plain_trials(from_betas.folder / "bids", "anna")
    one = np.argwhere(np.isfinite(ceilings))[7]
    values = betas[:, *one].astype(np.float32).astype(float)
    values = (values - values.mean()) / values.std()
    noise = np.mean([values[np.array(images) == name].var(ddof=1) for name in set(images)])
    assert ceilings[tuple(one)] == pytest.approx(100 * (1 - noise) / (1 - noise + noise / 3), 1e-4)
    assert not (tmp_path / "sub-dora_roi-LO_ceiling.nii.gz").exists()


# rsatoolbox turns NaN into integers when it sorts an RDM by its descriptor
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
def test_rdms_of_betas_are_crossnobis_distances_between_runs(from_betas):
    images, runs, betas = plain_trials(from_betas.folder / "bids", "carl")
    values = betas[:, inside("V1")].astype(np.float32).astype(np.float64)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    ids = [f"object_{number}" for number in range(1, 21)]
    of_runs = [
        [
            values[[image == name and of == run for image, of in zip(images, runs, strict=True)]][0]
            for name in ids
        ]
        for run in (1, 2, 3)
    ]
    data = rsatoolbox.data.Dataset(
        np.concatenate(of_runs),
        obs_descriptors={"image": ids * 3, "run": np.repeat([1, 2, 3], len(ids))},
    )
    expected = rsatoolbox.rdm.calc_rdm(
        data, method="crossnobis", descriptor="image", cv_descriptor="run"
    )
    order = [list(expected.pattern_descriptors["image"]).index(name) for name in ids]
    square = expected.get_matrices()[0][order][:, order]
    with open_h5(from_betas.folder / "results/betas/brain/sub-carl_roi-V1_rdm.h5") as file:
        assert file["ids/stimulus"].asstr()[()].tolist() == ids
        # ours are normalised by the noise, which has no structure here
        assert spearmanr(file["rdm"][()], square[np.triu_indices(20, 1)]).statistic > 0.9


def test_responses_of_sensors_come_to_a_table_over_time(project, tmp_path):
    write_images(tmp_path / "my_stimuli")
    patterns = np.random.default_rng(8).standard_normal((20, SENSORS, len(TIMES)))
    patterns[:, :, 0] = 0  # before the image, nothing
    held, names = write_sensors(tmp_path / "meg", SUBJECTS, patterns=patterns, noise=0.3)
    study, other = (
        yaml.safe_load(blocks(project, "yaml", "your-own-betas.md")[place]) for place in (0, 1)
    )
    run = Run(project, tmp_path, study | other)
    run.snakemake("--config", *TINY, check=True)
    assert "Nothing to be done" in run.snakemake("--config", *TINY, check=True).output
    results = tmp_path / "results" / "betas"
    table = read_csv(results / "statistics" / "over_time.csv").query("layer == 'fc1'")
    table = table[table["centring"] == "centred"]
    scores = table.query("statistic == 'score'").set_index("time")["value"]
    assert scores.index.tolist() == TIMES
    assert table.query("statistic == 'peak'")["value"].item() == scores.idxmax()
    with open_h5(results / "rdms/net-cnn3_rule-untrained_seed-1_epoch-0_stim-shown_px-32.h5") as f:
        model = f["fc1/vector/centred"][()]
    ids = [f"object_{number}" for number in range(1, 21)]
    for place, time in enumerate(TIMES[1:], start=1):
        found = []
        for subject in SUBJECTS:
            values = held[subject, "MEG"][:, :, place].astype(float)
            values = (values - values.mean(axis=0)) / values.std(axis=0)
            means = [values[np.array(names) == name].mean(axis=0) for name in ids]
            found.append(spearmanr(model, pdist(means, "sqeuclidean")).statistic)
        assert scores[time] == pytest.approx(np.mean(found), abs=0.05)  # not cross-validated
    reliable = read_csv(results / "statistics" / "ceilings.csv")
    assert reliable["roi"].unique().tolist() == ["MEG"]
    assert '<section id="over-time">' in (results / "report.html").read_text()


def test_given_rdms_that_lack_pairs_come_to_a_report(project, small_study, tmp_path):
    write_inputs(tmp_path)
    rdms = np.load(tmp_path / "rdms.npz")["EVC"]
    for subject, one, other in ((0, 1, 5), (2, 1, 5), (2, 7, 8)):
        rdms[subject, one, other] = rdms[subject, other, one] = np.nan
    np.savez(tmp_path / "rdms.npz", EVC=rdms)
    run = Run(project, tmp_path, small_study)
    run.study["training"]["checkpoints"] = [0, 1]
    refused = run.snakemake()
    assert refused.returncode == 1
    assert "Set brain.pairs to 'present'" in refused.output
    run.study["brain"]["pairs"] = "present"
    run.study["universes"]["pairs"] = ["present"]
    run.snakemake(check=True)
    results = tmp_path / "results" / "small"
    ceilings = read_csv(results / "statistics" / "ceilings.csv")
    assert ceilings[["pairs", "n_pairs"]].to_numpy().tolist() == [["present", 64]]
    lacking = read_csv(results / "statistics" / "quality.csv").query("check == 'missing_pairs'")
    assert lacking["value"].tolist() == [1, 2]
    page = (results / "report.html").read_text()
    assert "over pairs that every RDM has" in page
    assert "2 of 66 pairs of stimuli are missing" in page
    scores = read_csv(results / "statistics" / "alignment_subjects.csv")
    assert set(scores["pairs"]) == {"present"}
    assert (results / "figures").is_dir()


@pytest.mark.mirror
def test_human_it_of_four_subjects_in_two_sessions(project, mirror, tmp_path):
    shutil.copy(mirror / "rsatoolbox" / "92_brainRDMs.mat", tmp_path)
    run = Run(project, tmp_path, yaml.safe_load(blocks(project, "yaml")[1]))
    run.environment["RULEALIGN_DATA_MIRRORS"] = str(mirror)
    run.snakemake("--config", *TINY, check=True)
    statistics = tmp_path / "results" / "hit92" / "statistics"
    ceiling = read_csv(statistics / "ceilings.csv").iloc[0]
    assert ceiling[["lower_raw", "upper_raw"]].tolist() == pytest.approx([0.379, 0.661], abs=5e-4)
    quality = read_csv(statistics / "quality.csv").query("check == 'reliability'")
    records = loadmat(tmp_path / "92_brainRDMs.mat")["RDMs"][0]["RDM"]
    upper = np.triu_indices(92, 1)
    rho = [spearmanr(one[upper], other[upper]).statistic for one, other in records]
    assert quality["value"].tolist() == pytest.approx(rho, abs=1e-5)
    assert rho == pytest.approx([0.277, 0.095, 0.382, 0.120], abs=5e-4)  # as the page has them
    assert quality["subject"].tolist() == ["sub-BE", "sub-KO", "sub-SN", "sub-TI"]
    mean = np.stack([rdm for own in records for rdm in own]).mean(axis=0)[upper]
    cichy = np.load(mirror / "cichy92" / "fmri_IT_RDMs.npz")["Net_RDM"].mean(axis=0)[upper]
    assert spearmanr(mean, cichy).statistic == pytest.approx(0.557, abs=5e-4)
