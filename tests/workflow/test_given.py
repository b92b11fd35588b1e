"""Networks that were trained elsewhere: the guide's example, from the table to the page."""

import json
import re
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
import torch
import yaml
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

from changed_study import counts
from interrupted import kill_in
from rulealign.store import read_csv
from workflow.conftest import STIMULI, Run, write_inputs

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

TABLES = ("training", "diagnostics", "alignment", "layers", "trajectories")
"""Tables in which a given network has rows."""


def blocks(project, language):
    text = (project / "docs/your-own-network.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def small(project, folder, place):
    """Give a run of one of the guide's examples, made one of seconds: inputs, and no results."""
    examples = blocks(project, "yaml")
    write_inputs(folder)
    (folder / "images").rename(folder / "my_images")
    np.save(folder / "my_V1.npy", np.load(folder / "rdms.npz")["EVC"])
    study = yaml.safe_load(examples[0]) | yaml.safe_load(examples[place])
    del study["rules"]["bp"]
    study["training"] |= {"seeds": [1], "batch_size": 32}
    study["training_set"] |= {"pool_images": 300, "train_images": 256}
    study["statistics"] = {"bootstrap_draws": 100, "null_draws": 50}
    study["brain"]["subjects"] = 3
    return Run(project, folder, study)


def killed_and_ended(run, stages):
    """Kill a run in some stages, and let the same command end it."""
    for stage in stages:
        assert kill_in(run, stage, 0.5)
        run.snakemake("--unlock", check=True)
    run.snakemake(check=True)


@pytest.fixture(scope="module")
def given(project, tmp_path_factory):
    """Give a run of the guide's example with weights, one seed of it, that was killed once."""
    folder = tmp_path_factory.mktemp("given")
    run = small(project, folder, 2)
    network, training, _ = blocks(project, "python")
    (folder / "my_network.py").write_text(network)
    (folder / "elsewhere.py").write_text(training.replace("(1, 2, 3)", "(1,)"))
    subprocess.run([sys.executable, "elsewhere.py"], cwd=folder, check=True)
    killed_and_ended(run, ["given"])
    return run


def planned(run):
    return dict(counts(run.snakemake("--dry-run", check=True).output))


def test_a_given_network_comes_to_the_page_with_its_own_features(given):
    root = given.folder / "results" / "my_network"
    for name in TABLES:
        rows = read_csv(root / f"statistics/{name}.csv").query("rule == 'elsewhere'")
        assert len(rows), name
    training = read_csv(root / "statistics/training.csv").query("rule == 'elsewhere'")
    assert training["epoch"].tolist() == [0, 1]
    assert training["loss"].isna().all()
    assert "elsewhere" in (root / "report.html").read_text()
    inputs = json.loads((root / "provenance.json").read_text())["inputs"]
    (read,) = [one["files"] for one in inputs if one["source"] == "."]
    assert read == 3  # the table, and two states
    made = read_features(root, 1)
    expected = plain_features(given.folder, root, "states/seed-1_epoch-1.pt")
    for layer, values in expected.items():
        np.testing.assert_allclose(made[layer], values, atol=1e-5)
    assert not np.allclose(read_features(root, 0)["stem"], made["stem"], atol=1e-3)


def read_features(root, epoch):
    name = f"net-mixer_rule-elsewhere_seed-1_epoch-{epoch}_stim-shown_px-32.h5"
    with h5py.File(root / "activations" / name) as file:
        return {layer: file[layer]["global-average"][()] for layer in ("stem", "blocks.1")}


def plain_features(folder, root, state):
    """Compute the means over positions with nothing but torch and the file."""
    space = {}
    exec((folder / "my_network.py").read_text(), space)
    network = space["Mixer"](10, width=48).eval()
    network.load_state_dict(torch.load(folder / state, weights_only=True))
    with h5py.File(root / "stimuli/stim-shown_px-32_images.h5") as file:
        images = torch.from_numpy(file["images"][()]).permute(0, 3, 1, 2) / 255
    mean, std = [0.4914, 0.4822, 0.4465], [0.247, 0.243, 0.261]
    images = (images - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    with torch.no_grad():
        stem = network.stem(images)
        below = torch.relu(stem)
        below = below + network.blocks[0](below)
        last = network.blocks[1](below)
    return {"stem": stem.mean((2, 3)).numpy(), "blocks.1": last.mean((2, 3)).numpy()}


def test_a_replaced_file_makes_its_descendants_anew_and_nothing_else(given, tmp_path):
    assert planned(given) == {}
    first = given.folder / "states/seed-1_epoch-1.pt"
    kept = shutil.copy2(first, tmp_path)
    state = torch.load(first, weights_only=True)
    torch.save(state | {"head.bias": state["head.bias"] + 1}, first)
    expected = {"given": 1, "activations": 1, "diagnostics": 1, "alignment": 1, "provenance": 1}
    tables = ("training", "diagnostics", "alignment", "layers", "trajectories")
    expected |= {f"{name}_table": 1 for name in tables}
    expected |= dict.fromkeys(("shown_rdms", "figures", "report", "cost"), 1)
    assert planned(given) == expected
    shutil.copy2(kept, first)
    assert planned(given) == {}
    table = given.folder / "models.csv"
    text = table.read_text()
    shutil.copy(first, given.folder / "states/renamed.pt")
    table.write_text(text.replace("seed-1_epoch-1", "renamed"))
    assert planned(given) == expected
    table.write_text(text)
    # a line of another rule
    table.write_text(f"{text}mixer,another,1,0,states/none.pt\n")
    assert set(planned(given)) <= {"provenance", "report", "cost"}
    table.write_text(text)


def test_the_same_states_under_two_labels_are_refused(given):
    shutil.copytree(given.folder / "states", given.folder / "copies")
    table = given.folder / "models.csv"
    text = table.read_text()
    lines = text.replace("elsewhere", "again").replace("states", "copies").splitlines()[1:]
    table.write_text("\n".join([text.strip(), *lines]))
    given.study["rules"]["again"] = given.study["rules"]["elsewhere"]
    stopped = given.snakemake("results/my_network/statistics/training.csv")
    assert stopped.returncode == 1
    assert "have the same state" in stopped.output
    assert "rule 'again'" in stopped.output
    del given.study["rules"]["again"]
    table.write_text(text)


def with_rdms(run, held):
    """Give the study a rule of which RDMs are given: of the same model, its features squared."""
    for layer in ("early", "late"):
        for centring, rdm in rdms_of(held[layer] ** 2).items():
            np.save(run.folder / f"{layer}_{centring}.npy", rdm)
    (run.folder / "ids.txt").write_text("\n".join(held["ids"]))
    line = "mine,compared,1,0,{layer}_{centring}.npy"
    (run.folder / "rdms.csv").write_text(f"network,rule,seed,epoch,file\n{line}\n")
    section = {"table": "./rdms.csv", "networks": ["mine"], "fixed": True, "ids": "./ids.txt"}
    run.study["rules"]["compared"] = {"kind": "given_rdms", **section}
    run.study["training"]["fewer_seeds"]["compared"] = 1


def rdms_of(features):
    centred = features - features.mean(axis=0)
    return {
        name: pdist(one, "correlation")
        for name, one in (("uncentred", features), ("centred", centred))
    }


def test_given_activations_and_rdms_come_to_the_page_with_the_scores_of_scipy(project, tmp_path):
    run = small(project, tmp_path, 3)
    (tmp_path / "mine.py").write_text(blocks(project, "python")[2])
    subprocess.run([sys.executable, "mine.py"], cwd=tmp_path, check=True)
    held = dict(np.load(tmp_path / "mine.npz"))
    with_rdms(run, held)
    killed_and_ended(run, ["given_activations", "given_rdms"])
    root = tmp_path / "results" / "my_network"
    upper = np.triu_indices(STIMULI, 1)
    brain = [rdm[upper] for rdm in np.load(tmp_path / "my_V1.npy")]
    table = read_csv(root / "statistics/alignment.csv").query("convention == 'per_subject'")
    for rule, power in (("pretrained", 1), ("compared", 2)):
        for layer in ("early", "late"):
            for centring, rdm in rdms_of(held[layer] ** power).items():
                expected = np.mean([spearmanr(rdm, one).statistic for one in brain])
                row = table.query(f"rule == '{rule}' and layer == '{layer}'")
                score = row.query(f"centring == '{centring}'")["score"].item()
                assert score == pytest.approx(expected, abs=2e-4)
    assert set(read_csv(root / "statistics/training.csv")["rule"]) == {"untrained_bn"}
    assert "pretrained" in (root / "report.html").read_text()
    shares = read_csv(root / "statistics/layers.csv").groupby("rule")["mean_vector_share"]
    assert shares.count().eq(0).to_dict() == {
        "untrained_bn": False,
        "pretrained": False,
        "compared": True,
    }
    assert planned(run) == {}
    np.savez(tmp_path / "mine.npz", **(held | {"late": held["late"] ** 2}))
    expected = ("given_activations", "alignment", "provenance", "check_inputs")
    expected += ("alignment_table", "layers_table", "shown_rdms", "figures", "report", "cost")
    assert planned(run) == dict.fromkeys(expected, 1)
