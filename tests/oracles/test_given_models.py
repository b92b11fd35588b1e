"""Given activations: rows in the order of the stimuli, RDMs as scipy's, every fault named."""

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat
from scipy.spatial.distance import pdist, squareform

from rulealign.arm import Arm
from rulealign.errors import DataError, GuardError
from rulealign.plan.settings.activations import GivenActivationSettings, GivenModelRdmSettings
from rulealign.plan.settings.scores import ModelRdmSettings
from rulealign.rsa.given_models import require_distinct, take_activations, take_rdms
from rulealign.rsa.model_rdms import read_model_rdms
from rulealign.rsa.rdm import write_model_rdms
from rulealign.store import read_ids, write_h5

IDS = [f"image_{number:02d}" for number in range(1, 9)]
LAYERS = ("early", "late")


@pytest.fixture
def stimuli(tmp_path):
    """Give a file of stimuli."""
    path = tmp_path / "stim-grey_px-32_images.h5"
    write_h5(path, {"images": np.zeros((8, 2, 2, 3))}, ids={"stimulus": IDS}, settings={})
    return path


@pytest.fixture
def features():
    """Give features of the stimuli, in their order."""
    rng = np.random.default_rng(0)
    return {layer: rng.random((8, 5)) for layer in LAYERS}


def as_npz(path, held, ids):
    np.savez(path, **held, **({"ids": ids} if ids else {}))


def as_hdf5(path, held, ids):
    with h5py.File(path, "w") as file:
        for name, values in (held | {"ids": ids}).items():
            if values is not None:
                file[name] = values


def as_mat(path, held, ids):
    savemat(path, held | {"ids": np.array(ids, dtype=object)})


def taken(file, stimuli, ids=None, layers=LAYERS, seed=1, epoch=0):
    output = stimuli.parent / f"activations_{seed}_{epoch}_stim-grey_px-32.h5"
    settings = GivenActivationSettings(layers=list(layers), ids=ids and str(ids))
    arm = Arm("clip", "mine")
    take_activations(str(file), stimuli, output, settings, arm=arm, seed=seed, epoch=epoch, size=32)
    return output


@pytest.mark.parametrize(("write", "ending"), [(as_npz, "npz"), (as_hdf5, "h5"), (as_mat, "mat")])
def test_rows_in_another_order_make_the_rdms_of_scipy(tmp_path, stimuli, features, write, ending):
    order = np.random.default_rng(1).permutation(8)
    shuffled = {layer: values[order] for layer, values in features.items()}
    path = tmp_path / f"model.{ending}"
    write(path, shuffled, [f"pictures/{IDS[place]}.png" for place in order])
    made, rdms = taken(path, stimuli), tmp_path / "rdms.h5"
    write_model_rdms(made, rdms, ModelRdmSettings(centring=["uncentred", "centred"]))
    with h5py.File(rdms) as file:
        assert read_ids(file, "stimulus") == IDS
        assert (file.attrs["network"], file.attrs["rule"]) == ("clip", "mine")
        for layer, values in features.items():
            expected = pdist(values, "correlation")
            np.testing.assert_allclose(file[layer]["vector/uncentred"], expected, atol=1e-6)
            expected = pdist(values - values.mean(axis=0), "correlation")
            np.testing.assert_allclose(file[layer]["vector/centred"], expected, atol=1e-6)


def test_arrays_without_names_have_a_list_of_ids_and_a_file_each(tmp_path, stimuli, features):
    (tmp_path / "ids.txt").write_text("\n".join(reversed(IDS)))
    for layer, values in features.items():
        np.save(tmp_path / f"grey_32_{layer}.npy", values[::-1])
    made = taken(tmp_path / "{stimuli}_{size}_{layer}.npy", stimuli, ids=tmp_path / "ids.txt")
    with h5py.File(made) as file:
        for layer, values in features.items():
            np.testing.assert_array_equal(file[layer]["vector"], values.astype(np.float32))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ids": IDS[:-1]}, r"must be the ids of the stimuli, but lack 'image_08' \(1 such\)"),
        ({"ids": [*IDS[:-1], "cat"]}, r"lack 'image_08' \(1 such\) and have 'cat' \(1 such\)"),
        ({"ids": [*IDS[:-1], IDS[0]]}, "image_01.*twice"),
        ({"ids": None}, "has no texts 'ids', which name the stimuli row by row; add them"),
        (
            {"late": np.ones((8, 2, 2))},
            r"'late' has the shape \(8, 2, 2\), and must have \(8, feat",
        ),
        ({"late": np.ones((7, 2))}, r"'late' has the shape \(7, 2\), and must have \(8, features"),
        (
            {"late": None, "Late1": np.ones((8, 2))},
            r"has no array 'late'; it has .*; did you mean 'Late1'",
        ),
    ],
)
@pytest.mark.parametrize(("write", "ending"), [(as_npz, "npz"), (as_hdf5, "h5")])
def test_what_does_not_fit_is_refused_by_its_file(
    tmp_path, stimuli, features, change, words, write, ending
):
    held = features | {"ids": IDS} | change
    held = {name: values for name, values in held.items() if values is not None}
    write(tmp_path / f"a.{ending}", held, held.pop("ids", None))
    with pytest.raises(DataError, match=rf"a\.{ending}.*{words}"):
        taken(tmp_path / f"a.{ending}", stimuli)


def test_the_same_activations_of_two_models_are_refused(tmp_path, stimuli, features):
    rdms, settings = [], ModelRdmSettings(centring=["centred"])
    for seed, epoch, added in ((1, 0, 0), (2, 0, 0), (1, 1, 1), (2, 1, 1), (2, 2, 2)):
        path = tmp_path / f"model_{seed}_{epoch}.npz"
        as_npz(path, {layer: values + added * values**2 for layer, values in features.items()}, IDS)
        rdms.append(tmp_path / f"rdms_{seed}_{epoch}.h5")
        write_model_rdms(taken(path, stimuli, seed=seed, epoch=epoch), rdms[-1], settings)
    require_distinct([rdms[0], rdms[1], rdms[2], rdms[4]])
    with pytest.raises(GuardError, match="rule 'mine', seed 2, epoch 1 and .*seed 1, epoch 1 have"):
        require_distinct(rdms)


def rdms_taken(file, stimuli, ids=None, layers=LAYERS):
    output = stimuli.parent / "rdms_stim-grey_px-32.h5"
    settings = GivenModelRdmSettings(
        layers=list(layers), ids=ids and str(ids), centring=["centred", "uncentred"]
    )
    arm = Arm("clip", "mine")
    take_rdms(str(file), stimuli, output, settings, arm=arm, seed=1, epoch=0, size=32)
    return read_model_rdms([output], arm)


@pytest.mark.parametrize("square", [True, False])
@pytest.mark.parametrize(("write", "ending"), [(as_npz, "npz"), (as_hdf5, "h5")])
def test_rdms_in_another_order_are_those_of_the_stimuli(
    tmp_path, stimuli, features, write, ending, square
):
    order = np.random.default_rng(2).permutation(8)
    for centring, power in (("centred", 1), ("uncentred", 2)):
        held = {layer: pdist(values[order] ** power) for layer, values in features.items()}
        if square:
            held = {layer: squareform(rdm) for layer, rdm in held.items()}
        write(tmp_path / f"{centring}.{ending}", held, [IDS[place] for place in order])
    read = rdms_taken(tmp_path / f"{{centring}}.{ending}", stimuli)
    assert read.ids == IDS
    assert len(read.index) == 4
    for (_, row), rdm in zip(read.index.iterrows(), read.rdms, strict=True):
        power = 1 if row["centring"] == "centred" else 2
        assert row["descriptor"] == "vector"
        np.testing.assert_allclose(rdm, pdist(features[row["layer"]] ** power), rtol=1e-6)


def test_a_table_of_an_rdm_names_its_stimuli_by_its_labels(tmp_path, stimuli, features):
    for layer, values in features.items():
        names = IDS[::-1]
        table = pd.DataFrame(squareform(pdist(values[::-1])), index=names, columns=names)
        table.to_csv(tmp_path / f"{layer}.csv")
    read = rdms_taken(tmp_path / "{layer}.csv", stimuli)
    for (_, row), rdm in zip(read.index.iterrows(), read.rdms, strict=True):
        np.testing.assert_allclose(rdm, pdist(features[row["layer"]]), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rdm: rdm[:-1, :-1], "an RDM of 7 stimuli, with 8 ids"),
        (lambda rdm: 1 - rdm / rdm.max(), "holds similarities, not dissimilarities"),
        (lambda rdm: rdm + np.diag([1.0] * 7, 1), "image_08 with image_07.*is not symmetric"),
    ],
)
def test_what_is_no_rdm_of_the_stimuli_is_refused(tmp_path, stimuli, features, change, words):
    rdm = change(squareform(pdist(features["late"])))
    as_npz(tmp_path / "a.npz", {"early": rdm, "late": rdm}, IDS[::-1])
    with pytest.raises(DataError, match=rf"a\.npz.*{words}"):
        rdms_taken(tmp_path / "a.npz", stimuli)
