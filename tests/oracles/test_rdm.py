"""RDMs against scipy, rsatoolbox and closed forms."""

import h5py
import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import linregress, pearsonr

from rulealign.plan.settings.scores import ModelRdmSettings
from rulealign.rsa.rdm import (
    correlation_rdm,
    mean_vector_share,
    write_brain_rdm,
    write_model_rdms,
)
from rulealign.store import write_h5


def names(n):
    return [f"image_{place:02d}" for place in range(n)]


def features(n=12, p=30, seed=0):
    return np.random.default_rng(seed).gamma(2.0, size=(n, p))


def orthonormal(n, p, seed=0):
    """Give n orthonormal vectors of p features, each with mean 0 over features."""
    ones = np.ones((p, 1))
    random = np.random.default_rng(seed).normal(size=(p, n))
    return np.linalg.qr(np.hstack([ones, random]))[0][:, 1:].T


def test_uncentred_rdm_equals_scipy():
    x = features()
    rdm = correlation_rdm(x, centred=False, ids=names(12))
    np.testing.assert_allclose(rdm, pdist(x, "correlation"), atol=1e-14)


def test_centred_rdm_equals_scipy_on_centred_features():
    x = features()
    rdm = correlation_rdm(x, centred=True, ids=names(12))
    np.testing.assert_allclose(rdm, pdist(x - x.mean(0), "correlation"), atol=1e-14)
    assert np.abs(rdm - pdist(x, "correlation")).max() > 0.1


def test_rdm_equals_rsatoolbox():
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm

    x = features()
    theirs = calc_rdm(Dataset(x), method="correlation").get_vectors()[0]
    np.testing.assert_allclose(correlation_rdm(x, centred=False, ids=names(12)), theirs, atol=1e-13)


def test_pairs_lie_in_the_order_of_squareform():
    x = features(n=5)
    rdm = correlation_rdm(x, centred=False, ids=names(5))
    assert squareform(rdm)[1, 3] == pytest.approx(1 - pearsonr(x[1], x[3])[0], abs=1e-14)


def test_single_precision_features_are_computed_in_double_precision():
    # a large common offset leaves few digits: single precision arithmetic would be off by > 1e-4
    x = (1000 + features()).astype(np.float32)
    rdm = correlation_rdm(x, centred=False, ids=names(12))
    np.testing.assert_allclose(rdm, pdist(x.astype(float), "correlation"), atol=1e-10)


@pytest.mark.parametrize("n", [3, 7])
def test_centring_orthogonal_patterns_gives_the_simplex(n):
    # n orthogonal patterns around any mean are, centred, the corners of a simplex: r = -1/(n-1)
    own = orthonormal(n + 1, 20)
    x = 5 * own[n] + own[:n]
    np.testing.assert_allclose(correlation_rdm(x, centred=True, ids=names(n)), 1 + 1 / (n - 1))
    # uncentred, the mean of length 5 makes all of them alike: r = 25/26
    np.testing.assert_allclose(correlation_rdm(x, centred=False, ids=names(n)), 1 - 25 / 26)


def test_mean_vector_share_equals_the_plain_computation():
    x = features()
    typical = [pearsonr(row, x.mean(0))[0] for row in x]
    pairs = [(i, j) for i in range(12) for j in range(i + 1, 12)]
    predicted = [1 - typical[i] * typical[j] for i, j in pairs]
    observed = [1 - pearsonr(x[i], x[j])[0] for i, j in pairs]
    assert mean_vector_share(x) == pytest.approx(linregress(predicted, observed).rvalue ** 2)


def test_mean_vector_share_is_near_one_where_stimuli_share_only_the_mean():
    # own parts orthogonal and tiny: r_ij = L^2 / sqrt((L^2 + t_i^2)(L^2 + t_j^2)), up to 1/n
    own = orthonormal(41, 60)
    x = own[40] + np.linspace(0.01, 0.1, 40)[:, np.newaxis] * own[:40]
    assert mean_vector_share(x) > 0.99


def test_mean_vector_share_is_zero_without_a_mean():
    half = np.random.default_rng(0).normal(size=(10, 25))
    assert mean_vector_share(np.vstack([half, -half])) == 0


def test_mean_vector_share_is_near_zero_for_features_that_scatter_around_zero():
    x = np.random.default_rng(0).normal(size=(92, 500))
    assert mean_vector_share(x) < 0.1


def activations_file(folder, **layers):
    path = folder / "rule-bp_seed-42_epoch-1_stim-grey_px-32.h5"
    keys = {
        "network": "cnn3",
        "rule": "bp",
        "seed": 42,
        "epoch": 1,
        "stimuli": "grey",
        "size": 32,
        "grid": "exact",
    }
    arrays = {name.replace("__", "/").replace("_", "-"): value for name, value in layers.items()}
    write_h5(path, arrays, ids={"stimulus": names(12)}, settings={"size": 32}, attributes=keys)
    return path


def test_model_rdm_files_hold_every_layer_descriptor_and_centring(tmp_path):
    conv, fc = features(seed=1).astype(np.float32), features(seed=2).astype(np.float32)
    source = activations_file(tmp_path, conv1__grid_8=conv, fc1__vector=fc)
    output = tmp_path / "rdm.h5"
    write_model_rdms(source, output, ModelRdmSettings(centring=["uncentred", "centred"]))
    with h5py.File(output) as file:
        assert {key: file.attrs[key] for key in ("rule", "seed", "epoch", "stimuli", "size")} == {
            "rule": "bp",
            "seed": 42,
            "epoch": 1,
            "stimuli": "grey",
            "size": 32,
        }
        assert file.attrs["grid"] == "exact"
        assert [value.decode() for value in file["ids/stimulus"]] == names(12)
        for name, x in {"conv1/grid-8": conv.astype(float), "fc1/vector": fc.astype(float)}.items():
            assert file[f"{name}/centred"].dtype == np.float32
            expected = pdist(x, "correlation")
            np.testing.assert_allclose(file[f"{name}/uncentred"], expected, atol=1e-7)
            expected = pdist(x - x.mean(0), "correlation")
            np.testing.assert_allclose(file[f"{name}/centred"], expected, atol=2e-7)
            share = mean_vector_share(x)
            assert file.attrs[f"mean_vector_share:{name}"] == pytest.approx(share)


def test_brain_rdm_files_hold_the_rdm_and_what_it_is(tmp_path):
    rdm = pdist(features(seed=3), "correlation") - 1  # cross-validated ones are negative too
    output = tmp_path / "rdm.h5"
    about = {
        "subject": "01",
        "roi": "V1",
        "distance": "1 - Pearson",
        "acquisition": "simulated",
        "repetitions": 4,
    }
    write_brain_rdm(names(12), rdm, output, settings=ModelRdmSettings(centring=[]), **about)
    with h5py.File(output) as file:
        assert file["rdm"][()].tobytes() == rdm.tobytes()
        assert {key: file.attrs[key] for key in about} == about
