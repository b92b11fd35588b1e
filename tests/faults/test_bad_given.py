"""Given models: tables that do not fit the study, files that do not fit a network or run code."""

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from complete_studies import complete
from no_claims import without_claims
from rule_settings import NETWORK
from rulealign.config.given_files import given_files
from rulealign.config.load import load_study
from rulealign.errors import ConfigurationError, DataError, GuardError
from rulealign.learning.networks.own import Own
from rulealign.learning.state_files import load_state
from rulealign.learning.tables import LoggedNetwork, training_table
from rulealign.store import write_csv

HEADER = "network,rule,seed,epoch,file"
LINES = [f"cnn3,mine,{seed},{epoch},s{seed}e{epoch}.pt" for seed in (1, 2) for epoch in (0, 1)]


@pytest.fixture
def study(project):
    """Give a study of two seeds with a rule `mine` that is given."""
    study = without_claims(complete(project / "workflow_config.yaml"))
    study["training"] |= {"seeds": [1, 2], "fewer_seeds": {}, "checkpoints": [0, 1]}
    study["rules"] = {"untrained_bn": study["rules"]["untrained_bn"], "bp": study["rules"]["bp"]}
    return study


def refusal(study, folder, lines, header=HEADER, **settings):
    """Load the study with a table of these lines, and give the message."""
    for name in ("s1e0.pt", "s1e1.pt", "s2e0.pt", "s2e1.pt", "notes.txt"):
        (folder / name).write_bytes(b"")
    (folder / "models.csv").write_text("\n".join([header, *lines]))
    for label in ["mine", *settings.pop("also", [])]:
        section = {"kind": "given", "table": str(folder / "models.csv"), **settings}
        study["rules"][label] = section
    try:
        load_study(study)
    except ConfigurationError as error:
        return str(error).replace(f"{folder}/", "")
    return ""


def test_a_table_that_fits_is_taken(study, tmp_path):
    assert refusal(study, tmp_path, LINES) == ""
    loaded = load_study(study)
    assert loaded.rules["mine"].baseline is None
    file = loaded.rules["mine"].file("mine", "cnn3", 2, 1)
    assert file == str(tmp_path / "s2e1.pt")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([*LINES[:3], "cnn,mine,2,1,s2e1.pt"], "line 5: network: there is no 'cnn'; networks"),
        ([*LINES, "cnn3,mine,3,1,s2e1.pt"], "line 6: seed: there is no 3; training.seeds lists"),
        ([*LINES, "cnn3,mine,1,7,s2e1.pt"], "line 6: epoch: there is no 7; training.checkpoints"),
        (LINES[:2], "lacks network 'cnn3', seed 2, epoch 0 (and 1 more) of 'mine'; add the line"),
        ([*LINES, LINES[1]], "line 6: is of the same model as line 3; remove one"),
        ([*LINES[:3], "cnn3,mine,2,1,gone.pt"], "line 5: there is no file gone.pt"),
        ([*LINES[:3], "cnn3,mine,2,1,notes.txt"], "line 5: notes.txt is none of the files read"),
        ([*LINES[:3], "cnn3,mine,2,1,s1e1.pt"], "line 5: s1e1.pt is that of 'mine', seed 1, epoch"),
        ([*LINES[:3], "cnn3,mine,two,1,s2e1.pt"], "line 5: seed must be a whole number, not 'two'"),
        ([*LINES[:3], "cnn3,mine,2,1"], "line 5: file must be text, not ''"),
        ([line.replace("mine", "yours") for line in LINES], "has no line of 'mine'; it has ['your"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_with_the_line(study, tmp_path, lines, words):
    message = refusal(study, tmp_path, lines)
    assert "rules.mine.table: models.csv" in message
    assert words in message


def test_a_table_that_is_none_is_refused_alone(study, tmp_path):
    message = refusal(study, tmp_path, LINES, header="network,rule,seed,file")
    assert "models.csv lacks the column 'epoch'; it has ['network', 'rule', 'seed'" in message
    assert message.count("\n") == 1
    study["rules"]["mine"]["table"] = "./none.csv"
    with pytest.raises(ConfigurationError, match=r"rules\.mine\.table: there is no file ./none"):
        load_study(study)


def test_a_file_of_two_labels_is_refused(study, tmp_path):
    both = [*LINES, *(line.replace("mine", "copy") for line in LINES)]
    message = refusal(study, tmp_path, both, also=["copy"])
    assert message.count("s1e1.pt is that of 'mine', seed 1, epoch 1, too; one of them") == 1
    assert "s1e0.pt" not in message  # initial weights may be shared


def test_a_file_of_two_fixed_labels_is_refused_and_a_start_may_be_fixed_too(study, tmp_path):
    fixed = [f"cnn3,{label},{seed},0,s{seed}e0.pt" for label in ("mine", "copy") for seed in (1, 2)]
    message = refusal(study, tmp_path, fixed, also=["copy"], fixed=True)
    for seed in (1, 2):
        text = f"s{seed}e0.pt is that of 'mine', seed {seed}, epoch 0, too; one of them is wrong"
        assert message.count(text) == 1
    learned = [line.replace("mine", "copy") for line in LINES]
    refusal(study, tmp_path, [*fixed[:2], *learned], also=["copy"])
    study["rules"]["mine"]["fixed"] = True
    for _ in range(2):  # whichever comes first
        study["rules"] = dict(reversed(study["rules"].items()))
        load_study(study)


@pytest.fixture
def with_activations(study, tmp_path):
    """Give a study with a network of which activations are given, and its table."""
    np.savez(tmp_path / "clip.npz", early=np.ones((2, 2)))
    study["networks"]["clip"] = {"kind": "given", "depths": {"early": 0.25, "late": 1}}
    study["evaluation"]["layers"]["clip"] = ["early", "late"]
    study["evaluation"]["sizes"] = study["universes"]["size"] = [32]
    study["report"]["size"] = 32
    study["universes"]["network"] = ["cnn3"]
    for rule in study["rules"].values():
        rule["networks"] = ["cnn3"]
    study["levels"] = {"low": {"cnn3": "conv1", "clip": "early"}}
    study["layer_map"] = [{"layer": "low", "roi": study["layer_map"][0]["roi"]}]
    study["training"]["fewer_seeds"] = {"mine": 1}
    given = {"kind": "given_activations", "networks": ["clip"], "fixed": True}
    study["rules"]["mine"] = given | {"table": str(tmp_path / "models.csv")}
    (tmp_path / "models.csv").write_text(f"{HEADER}\nclip,mine,1,0,clip.npz")
    return study


def test_a_network_may_be_known_by_its_activations_alone(with_activations):
    study = load_study(with_activations)
    assert ("clip", "mine") in study.arms
    assert study.networks["clip"].vectors() == ["early", "late"]
    assert study.epochs("mine") == [0]
    assert not study.trains("mine")
    assert given_files(study, "mine")[1:] == [
        str(Path(study.rules["mine"].table).parent / "clip.npz")
    ]


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("rules.bp.networks", None, "rules.bp: 'bp' needs weights, and of 'clip' only layers are"),
        ("rules.mine.networks", ["cnn3"], "gives layers of networks of the kind 'given', and this"),
        ("rules.mine.fixed", False, "models.csv lacks network 'clip', seed 1, epoch 1 of 'mine'"),
        ("rules.mine.baseline", "bp", "'mine' does not train, and has no baseline"),
        ("evaluation.sizes", [32, 64], r"clip.npz must have \{size\} in its name, of which there"),
        ("evaluation.layers.clip", ["erly"], "there is no 'erly'.*did you mean 'early'"),
        ("networks.clip.depths", {"early": 2}, "networks.clip.depths.*at most 1, not 2"),
        ("encoding", {"features": ["gradient"]}, "a network of the kind 'given' has no weights"),
    ],
)
def test_what_given_activations_cannot_do_is_refused(with_activations, place, value, words):
    load_study(with_activations)
    *keys, last = place.split(".")
    section = with_activations
    for key in keys:
        section = section[key]
    section[last] = value
    with pytest.raises(ConfigurationError, match=words):
        load_study(with_activations)


def test_files_with_places_in_their_names_are_looked_for(with_activations, tmp_path):
    with_activations["evaluation"]["sizes"] = [32, 64]
    (tmp_path / "models.csv").write_text(f"{HEADER}\nclip,mine,1,0,clip_{{size}}.npz")
    (tmp_path / "clip_32.npz").write_bytes(b"")
    with pytest.raises(ConfigurationError, match=r"line 2: there is no file .*clip_64\.npz"):
        load_study(with_activations)
    (tmp_path / "models.csv").write_text(f"{HEADER}\nclip,mine,1,0,clip_{{size}}.npy")
    with pytest.raises(ConfigurationError, match=r"clip_\{size\}\.npy must have \{layer\} in its"):
        load_study(with_activations)


def test_a_study_without_any_weights_is_refused(with_activations):
    for rule in ("bp", "untrained_bn"):
        del with_activations["rules"][rule]
    del with_activations["networks"]["cnn3"], with_activations["levels"]["low"]["cnn3"]
    del with_activations["evaluation"]["layers"]["cnn3"]
    with_activations["universes"] |= {"network": ["clip"], "baseline": ["own"]}
    with pytest.raises(ConfigurationError, match="rules: none has networks with weights"):
        load_study(with_activations)


# --- files ----------------------------------------------------------------------------------------


@pytest.fixture
def state():
    """Give weights and statistics of a network, none of which is as drawn."""
    return {
        name: torch.rand_like(one.float()) for name, one in NETWORK.build(3).state_dict().items()
    }


def saved(path, held):
    torch.save(held, path)
    return path


def require_loaded(network, state):
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value.float(), state[name].to(value.dtype).float())


def test_every_weight_and_statistic_is_taken_from_the_file(tmp_path, state):
    network = NETWORK.build(3)
    load_state(network, saved(tmp_path / "a.pt", state))
    require_loaded(network, state)
    save_file(state, tmp_path / "a.safetensors")
    network = NETWORK.build(3)
    load_state(network, tmp_path / "a.safetensors")
    require_loaded(network, state)


def test_an_entry_is_found_and_names_are_changed(tmp_path, state):
    held = {"epoch": 3, "state": {f"module.{name}": one for name, one in state.items()}}
    path, network = saved(tmp_path / "a.pt", held), NETWORK.build(3)
    load_state(network, path, entry="state", keys={"module.": ""})
    require_loaded(network, state)
    with pytest.raises(DataError, match=r"a.pt: 'epoch' is a int, and no tensor; .* `entry`"):
        load_state(network, path)
    with pytest.raises(DataError, match=r"has no entry 'model'; it has \['epoch', 'state'\]"):
        load_state(network, path, entry="model")


def test_names_of_a_network_of_ones_own_are_its_own(project, tmp_path):
    file = str(project / "tests/helpers/own_network.py")
    own = Own(kind="own", file=file, network_class="Small", nodes=["first"])
    state = {name: one + 1 for name, one in own.made(3).state_dict().items()}
    assert "first.weight" in state
    built = own.build(3)
    load_state(built, saved(tmp_path / "a.pt", state))
    require_loaded(built.network, state)


def test_a_state_that_does_not_fit_is_refused_with_the_first_names(tmp_path, state):
    def refused(change, words):
        with pytest.raises(DataError, match=words):
            load_state(NETWORK.build(3), saved(tmp_path / "a.pt", state | change))

    renamed = {"fc2.w": state.pop("fc2.weight"), "fc2.b": state.pop("fc2.bias")}
    refused(renamed, r"lacks 'fc2.weight' \(and 1 more\) and has 'fc2.w' \(and 1 more\), which")
    whole = {"fc2.weight": renamed["fc2.w"], "fc2.bias": renamed["fc2.b"]}
    refused(whole | {"extra": torch.ones(1)}, "it has 'extra', which the network lacks. Choose")
    refused(whole | {"fc2.bias": torch.ones(5)}, r"'fc2.bias' has the shape \(5,\), and \(3,\) in")
    broken = whole["fc2.bias"].clone()
    broken[1] = torch.nan
    refused(whole | {"fc2.bias": broken}, "'fc2.bias' holds NaN or infinity")


class Malicious:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("as_torch", [True, False])
def test_a_file_that_would_run_code_is_refused_and_not_run(tmp_path, state, as_torch):
    path, made = tmp_path / "a.pt", tmp_path / "made"
    held = state | {"extra": Malicious(str(made))}
    if as_torch:
        torch.save(held, path)
    else:
        path.write_bytes(pickle.dumps(held))
    with pytest.raises(DataError, match=r"a.pt: cannot be read as tensors alone .* may run code"):
        load_state(NETWORK.build(3), path)
    assert not made.exists()
    if as_torch:
        torch.load(path, weights_only=False)
        assert made.exists()  # it would have run


def test_a_damaged_file_is_refused(tmp_path, state):
    path = saved(tmp_path / "a.pt", state)
    with zipfile.ZipFile(path) as parts:
        largest = max(parts.infolist(), key=lambda part: part.file_size)
    content = bytearray(path.read_bytes())
    content[largest.header_offset + len(largest.filename) + 200] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as tensors alone"):
        load_state(NETWORK.build(3), path)
    (tmp_path / "a.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(DataError, match="cannot be read as tensors alone"):
        load_state(NETWORK.build(3), tmp_path / "a.safetensors")


def test_labels_of_the_same_states_are_refused_and_no_loss_is_asked_for(tmp_path):
    log = tmp_path / "log.csv"
    row = {"epoch": 1, "loss": None, "held_out_accuracy": 0.5, "held_out_images": 10}
    write_csv(log, pd.DataFrame([row | {"initial_hash": "a", "state_hash": "b"}]))
    given = [
        LoggedNetwork("cnn3", rule, "given", "default", 1, 1, True, False)
        for rule in ("mine", "copy")
    ]
    training_table([log], given[:1], tmp_path / "table.csv")
    assert "made_here" not in (tmp_path / "table.csv").read_text()
    with pytest.raises(GuardError, match="rule 'mine'.*rule 'copy'.*have the same state b"):
        training_table([log, log], given, tmp_path / "table.csv")
    start = tmp_path / "start.csv"
    write_csv(start, pd.DataFrame([row | {"epoch": 0, "initial_hash": "a", "state_hash": "b"}]))
    begun = [one._replace(epoch=0) for one in given]
    training_table([start, start], begun, tmp_path / "table.csv")  # the weights they started from
    fixed = [one._replace(trains=False) for one in begun]
    training_table([start, start], [fixed[0], begun[1]], tmp_path / "table.csv")
    with pytest.raises(GuardError, match="rule 'mine'.*rule 'copy'.*have the same state b"):
        training_table([start, start], fixed, tmp_path / "table.csv")
    with pytest.raises(DataError, match="the loss of epoch 1 is nan"):
        training_table([log], [given[0]._replace(made_here=True)], tmp_path / "table.csv")
