"""The room of networks: what each one says of itself is true, and nobody else knows its layers."""

import re

import pytest
import torch
from torch import nn

from complete_studies import complete
from no_claims import without_claims
from rule_settings import NETWORK
from rulealign.config.study import load_study
from rulealign.errors import ConfigurationError
from rulealign.learning import trainer
from rulealign.learning.diagnostics import write_diagnostics
from rulealign.learning.networks import REGISTRY
from rulealign.learning.networks.cnn3 import Cnn3
from rulealign.learning.weights import initial_network, weights_hash
from rulealign.rerun.code_fingerprint import Sources
from rulealign.store import read_csv

SETTINGS = {"cnn3": NETWORK}
"""Kind -> settings of a very small one."""


@pytest.fixture(params=list(REGISTRY))
def network(request):
    """Give the typed settings of every network."""
    return SETTINGS[request.param]


@pytest.fixture
def study(project):
    """Give the values of the study with all rules."""
    return without_claims(complete(project / "studies/cichy92.yaml"))


def with_weights(built):
    """List name and module of all convolutions and linear layers."""
    wanted = nn.Conv2d | nn.Linear
    return {name: one for name, one in built.named_modules() if isinstance(one, wanted)}


def shown(px, images=2):
    return torch.randn(images, 3, px, px, generator=torch.Generator().manual_seed(px))


# --- the room -------------------------------------------------------------------------------------


def test_no_kind_and_no_layer_of_a_network_is_named_outside_its_file(network, project):
    own = REGISTRY[network.kind].partition(":")[0]
    own = "src/" + own.replace(".", "/") + ".py"
    names = {network.kind, *network.layer_names()}
    names |= {name.split(".")[0] for name in network.build(10).state_dict()}
    stems = {name.rstrip("0123456789") for name in names}
    begins = rf"startswith\([\"']({'|'.join(map(re.escape, stems))})"
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b|{begins}")
    registry = f'    "{network.kind}": '
    found = []
    for folder in ("src", "rules", "scripts"):
        for path in sorted((project / folder).rglob("*")):
            place = path.relative_to(project).as_posix()
            if path.suffix in (".py", ".smk", ".html") and place != own:
                lines = enumerate(path.read_text().splitlines(), 1)
                found += [
                    f"{place}:{number}: {line.strip()}"
                    for number, line in lines
                    if pattern.search(line)
                    and not (place.endswith("networks/__init__.py") and line.startswith(registry))
                ]
    assert found == []


def test_a_job_reaches_the_networks_that_it_was_asked_for_and_no_others(project):
    sources = Sources(project / "scripts")
    module = REGISTRY["cnn3"].partition(":")[0]
    for script in ("initial_state", "train", "diagnostics", "activations"):
        assert module in sources.modules(script, networks=["cnn3"], rules=["bp"])
        assert module not in sources.modules(script, networks=[], rules=["bp"])


# --- what a network says of itself ----------------------------------------------------------------


def test_layers_are_those_that_the_built_network_gives_in_order(network):
    built, px = network.build(7).eval(), network.smallest_image_side
    for size in (px, px + 1, 4 * px, 5 * px - 1):
        read = built.layers(shown(size))
        assert list(read) == network.layer_names()
        for layer in network.layers():
            side = layer.side(size)
            assert read[layer.name].shape[2:] == (() if side is None else (side, side))
            assert (side is None) == (layer.name in network.vectors())
    assert built(shown(px)).shape == (2, 7)


def test_the_smallest_image_is_the_smallest_that_leaves_no_map_empty(network):
    px = network.smallest_image_side
    maps = [layer for layer in network.layers() if layer.stride]
    assert min(layer.side(px) for layer in maps) == 1
    assert min(layer.side(px - 1) for layer in maps) == 0


def test_depth_is_the_share_of_layers_with_weights_up_to_there(network):
    built = network.build(10).eval()
    weights, depth = [module.weight for module in with_weights(built).values()], {}
    for name, values in built.layers(shown(32)).items():
        # weights that a layer does not depend on lie above it
        grads = torch.autograd.grad(values.sum(), weights, retain_graph=True, allow_unused=True)
        depth[name] = sum(grad is not None for grad in grads) / len(weights)
    assert {layer.name: layer.depth for layer in network.layers()} == pytest.approx(depth)


def test_blocks_are_the_convolutions_with_their_patches_and_strides(network):
    declared, built = network.blocks(), network.build(10).blocks()
    assert [block.name for block in declared] == [block.name for block in built]
    strides = {layer.name: layer.stride for layer in network.layers()}
    for block, (name, conv, _) in zip(declared, built, strict=True):
        assert conv.kernel_size == (block.kernel, block.kernel)
        assert block.stride == strides[name]
    # every block's input has room for a patch at this side, and not one pixel below
    side = network.smallest_side_with_patches()
    for px, fits in ((side, True), (side - 1, False)):
        inputs = [px, *(px // block.stride for block in declared[:-1])]
        rooms = zip(inputs, declared, strict=True)
        assert all(room >= block.kernel for room, block in rooms) == fits
    for px in range(1, 4 * network.side_multiple()):
        whole = all(px % block.stride == 0 for block in declared)
        assert whole == (px % network.side_multiple() == 0)


def test_errors_go_back_from_the_layers_that_the_network_says(network):
    built, wanted = network.build(10).train(), {}
    for name, module in with_weights(built).items():
        # a layer sends an error back where its input has a graph that wants one
        module.register_forward_pre_hook(
            lambda _, inputs, of=name: wanted.update({of: inputs[0].requires_grad})
        )
    built(shown(32))
    assert list(built.error_path()) == [name for name, wants in wanted.items() if wants]
    assert all(with_weights(built)[name] is one for name, one in built.error_path().items())


# --- cnn3 keeps its bytes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("init", "expected"),
    [("default", "a79c039a45f90a62"), ("kaiming-normal", "a688d682d13ed8ad")],
)
def test_cnn3_starts_with_the_weights_that_it_always_had(init, expected):
    published = Cnn3(kind="cnn3")
    assert weights_hash(initial_network(published, 0, 42, init, classes=10)) == expected


MOVED = {
    "bp": [0.2036366417, 0.216240845, 0.2577421949, 0.3769292893, 0.147217728],
    "fa": [0.06010391936, 0.05879947664, 0.04927142443, 0.05533084126, 0.01974741453],
    "dfa": [0.06073022781, 0.07199831338, 0.07736348211, 0.1302315032, 0.04609122405],
    "sign_symmetry": [0.05619639249, 0.06281165238, 0.07475490237, 0.1207351232, 0.04703983627],
    "readout": [0.0, 0.0, 0.0, 0.4030155256, 0.1535076261],
    "pc": [0.02483811435, 0.0312932, 0.03594528171, 0.3987216333, 0.1528256187],
    "pc_supervised": [0.001625046652, 0.003229302179, 0.01060634356, 0.05745296018, 0.03747800826],
    "stdp": [0.02991349309, 0.01508206604, 0.01016473044, 0.389552957, 0.1494699829],
    "oja": [0.2363039822, 0.1249747189, 0.06976095814, 0.4192829772, 0.1577718135],
    "pc_2026": [2.98508817e-05, 3.161265688e-05, 0.0, 0.4050209484, 0.151996626],
    "stdp_2026": [1.908188534e-06, 1.221367026e-06, 1.59336178e-06, 0.4093539012, 0.1542909925],
}
"""|W - W0| / |W0| of each layer after one epoch, as it was when networks got their room."""


def test_one_epoch_moves_every_layer_as_far_as_it_always_did(
    checkpoint_settings, small_training_set, tmp_path, trained_kind
):
    settings, paths = checkpoint_settings(trained_kind), [tmp_path / "0.pt", tmp_path / "1.pt"]
    trainer.initial_checkpoint(settings, 5, small_training_set, paths[0], tmp_path / "0.csv")
    assert read_csv(tmp_path / "0.csv")["initial_hash"].item() == "e084931e034047ed"
    stretch = 5, paths[0], 0, 1, small_training_set, paths[1], tmp_path / "1.csv"
    trainer.train_stretch(settings, *stretch)
    kept = dict(enumerate(paths))
    write_diagnostics(settings, 5, kept, small_training_set, tmp_path / "measured.csv")
    rows = read_csv(tmp_path / "measured.csv")
    moved = rows.loc[rows["epoch"] == 1, "weight_change"]
    # processors round in other ways; other draws or another order differ by far more
    assert moved.tolist() == pytest.approx(MOVED[trained_kind], rel=1e-3, abs=1e-8)


# --- the configuration asks the network -----------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "key", "values"),
    [
        ("pc", "precision", [1.0, 0.1]),
        ("stdp", "learning_rate", [1.0, 1.0, 1.0, 1.0]),
        ("stdp", "patches_per_image", [8]),
        ("stdp", "centring", ["patch"]),
        ("stdp", "decorrelation", []),
    ],
)
def test_a_list_that_has_not_one_value_for_each_block_is_named(study, rule, key, values):
    study["rules"][rule][key] = values
    with pytest.raises(ConfigurationError) as caught:
        load_study(study)
    text = f"rules.{rule}.{key}: must be a list of 3, one value for each conv block of 'cnn3', not"
    assert text in str(caught.value)


def test_images_that_the_network_is_too_small_for_are_named_before_any_job(study, monkeypatch):
    monkeypatch.setattr(Cnn3, "smallest_image_side", 33)
    with pytest.raises(ConfigurationError) as caught:
        load_study(study)
    assert "training_set.image_size: 32 px leave a map of 'cnn3' empty" in str(caught.value)
    assert "evaluation.sizes: 32 px leave a map of 'cnn3' empty; it needs 33" in str(caught.value)


def test_a_layer_that_the_network_lacks_is_named_with_those_it_has(study):
    study["evaluation"]["layers"] = ["conv1", "conv4"]
    with pytest.raises(ConfigurationError, match=r"evaluation\.layers: there is no 'conv4'"):
        load_study(study)


def test_a_network_that_is_not_there_is_named_with_those_there_are(study):
    study["network"]["kind"] = "vgg5"
    with pytest.raises(ConfigurationError, match=r"network\.kind: there is no 'vgg5'.*'cnn3'"):
        load_study(study)
