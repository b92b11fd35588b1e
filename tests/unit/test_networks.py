"""The room of networks: what each one says of itself is true, and nobody else knows its layers."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from complete_studies import complete
from no_claims import without_claims
from rule_settings import NETWORK, RULES, altered
from rulealign.config.load import load_study
from rulealign.errors import ConfigurationError, DataError
from rulealign.learning import trainer
from rulealign.learning.diagnostics import write_diagnostics
from rulealign.learning.explored import read_modules
from rulealign.learning.explored_network import ExploredNetwork, _found
from rulealign.learning.networks import REGISTRY, network_class
from rulealign.learning.networks.cnn3 import Cnn3
from rulealign.learning.networks.own import Own
from rulealign.learning.networks.resnet18 import ResNet18
from rulealign.learning.networks.torchvision_model import TorchvisionModel
from rulealign.learning.networks.triangle3 import Triangle3
from rulealign.learning.networks.vgg5 import Vgg5
from rulealign.learning.networks.vgg11 import Vgg11
from rulealign.learning.rules import rule_class
from rulealign.learning.run import start_run
from rulealign.learning.weights import initial_network, weights_hash
from rulealign.plan.settings.training import CheckpointSettings
from rulealign.rerun.code_fingerprint import Sources
from rulealign.store import read_csv, write_h5

OWN = Own(
    kind="own",
    file=str(Path(__file__).parents[1] / "helpers/own_network.py"),
    network_class="Small",
    nodes=["first", "norm", "hidden"],
)

SETTINGS = {
    "cnn3": NETWORK,
    "vgg5": Vgg5(kind="vgg5", width=1 / 32),
    "vgg11": Vgg11(kind="vgg11", width=1 / 32),
    "triangle3": Triangle3(kind="triangle3", channels=[4, 6, 8]),
    "resnet18": ResNet18(kind="resnet18", width=1 / 8),
    "own": OWN,
    "torchvision": TorchvisionModel(
        kind="torchvision",
        model="shufflenet_v2_x0_5",
        nodes=["conv1", "stage2.1.cat", "stage3", "mean"],
    ),
}
"""Kind -> settings of a very small one."""


@pytest.fixture(params=[kind for kind in REGISTRY if network_class(kind).has_weights])
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


def shown(size, images=2):
    return torch.randn(images, 3, size, size, generator=torch.Generator().manual_seed(size))


# --- the room -------------------------------------------------------------------------------------


def test_no_kind_and_no_layer_of_a_network_is_named_outside_its_file(network, project):
    if isinstance(network, ExploredNetwork):
        pytest.skip("its layers have names that others gave them")
    # networks may share names of layers
    modules = [entry.partition(":")[0] for entry in REGISTRY.values()]
    files = ["src/" + module.replace(".", "/") + ".py" for module in modules]
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
            if path.suffix in (".py", ".smk", ".html") and place not in files:
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
    built, least = network.build(7).eval(), network.smallest_image_side
    for size in (least, least + 1, 4 * least, 5 * least - 1):
        read = built.layers(shown(size))
        assert list(read) == network.layer_names()
        for layer in network.layers():
            side = layer.side(size)
            assert read[layer.name].shape[2:] == (() if side is None else (side, side))
            assert (side is None) == (layer.name in network.vectors())
    assert built(shown(size)).shape == (2, 7)


def test_the_smallest_image_is_the_smallest_that_leaves_no_map_empty(network):
    size = network.smallest_image_side
    maps = [layer for layer in network.layers() if layer.stride]
    assert min(layer.side(size) for layer in maps) == 1
    if isinstance(network, ExploredNetwork):
        with pytest.raises(ConfigurationError, match=f"does not take images of {size - 1} px"):
            maps[0].side(size - 1)
    else:
        assert min(layer.side(size - 1) for layer in maps) == 0


def test_depth_is_the_share_of_layers_with_weights_up_to_there(network):
    built = network.build(10).eval()
    weights, depth = [module.weight for module in with_weights(built).values()], {}
    for name, values in built.layers(shown(32)).items():
        # weights that a layer does not depend on lie above it
        grads = torch.autograd.grad(values.sum(), weights, retain_graph=True, allow_unused=True)
        depth[name] = sum(grad is not None for grad in grads) / len(weights)
    assert {layer.name: layer.depth for layer in network.layers()} == pytest.approx(depth)


def test_blocks_are_the_convolutions_with_their_patches_and_strides(network):
    if network.no_chain():
        pytest.skip("no chain of conv blocks")
    declared, built = network.blocks(), network.build(10).blocks()
    assert [block.name for block in declared] == [block.name for block in built]
    strides = {layer.name: layer.stride for layer in network.layers()}
    for block, (name, conv, _) in zip(declared, built, strict=True):
        assert conv.kernel_size == (block.kernel, block.kernel)
        assert block.stride == strides[name]
    # every block's input has room for a patch at this side, and not one pixel below
    side = network.smallest_side_with_patches()
    for size, fits in ((side, True), (side - 1, False)):
        inputs = [size, *(size // block.stride for block in declared[:-1])]
        rooms = zip(inputs, declared, strict=True)
        assert all(room >= block.kernel for room, block in rooms) == fits
    for size in range(1, 4 * network.side_multiple()):
        whole = all(size % block.stride == 0 for block in declared)
        assert whole == (size % network.side_multiple() == 0)


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


def test_the_norms_are_those_behind_the_convolutions(network):
    built, behind, last = network.build(10).train(), {}, []
    for name, module in built.named_modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda _, __, out, of=name: last.append((of, out)))
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_pre_hook(
                lambda one, inputs: behind.update(
                    {name: one for name, out in last if out is inputs[0]}
                )
            )
    built(shown(32))
    assert behind == built.norms()
    if not isinstance(network, ExploredNetwork):
        every = sum(isinstance(one, nn.Conv2d) for one in built.modules())
        # those of triangle3 come before its convolutions
        assert len(behind) == (0 if isinstance(network, Triangle3) else every)


def parameters(built):
    return sum(value.numel() for value in built.parameters())


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        # torchvision's for 1000 classes has 11,689,512, with a stem of 7 x 7 and 513,000 in fc
        (ResNet18(kind="resnet18"), 11_689_512 - 64 * 3 * (49 - 9) - 513_000 + 512 * 10 + 10),
        (ResNet18(kind="resnet18", norm="none"), 11_173_962 - 2 * 4800),
        # kernels, two numbers of BatchNorm a channel, 2048 inputs of 10 logits and their biases
        (
            Vgg5(kind="vgg5"),
            9 * (3 * 128 + 128 * 256 + 256 * 512 + 512 * 512) + 2 * 1408 + 2048 * 10 + 10,
        ),
        # kernels, BatchNorm of 2,752 channels, 512 inputs of 10 logits and their biases
        (
            Vgg11(kind="vgg11"),
            9 * (192 + 2**13 + 2**15 + 2**16 + 2**17 + 3 * 2**18) + 2 * 2752 + 512 * 10 + 10,
        ),
        # kernels, BatchNorm, 2048 inputs of 512 hidden units, ten logits, and biases of both
        (Cnn3(kind="cnn3"), 9 * (96 + 2048 + 8192) + 2 * 224 + 2049 * 512 + 513 * 10),
    ],
)
def test_networks_have_the_published_number_of_parameters(network, expected):
    assert parameters(network.build(10)) == expected


def test_width_is_a_factor_of_all_channels_and_hidden_units():
    for kind in ("vgg5", "vgg11", "resnet18"):
        one = type(SETTINGS[kind])(kind=kind, width=0.25)
        wide = type(one)(kind=kind).build(10)
        for name, module in with_weights(one.build(10)).items():
            rows = 10 if name == "fc" else wide.get_submodule(name).weight.shape[0] // 4
            assert module.weight.shape[0] == rows
    half = Cnn3(kind="cnn3", width=0.5).build(10)
    assert [one.weight.shape[0] for one in with_weights(half).values()] == [16, 32, 64, 256, 10]


def test_resnet18_equals_torchvisions_with_its_weights():
    from torchvision.models import resnet18

    theirs, ours = resnet18(num_classes=10).eval(), ResNet18(kind="resnet18").build(10).eval()
    theirs.conv1, theirs.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    named = {
        name.replace("norm1", "bn1", 1) if name.startswith("norm1") else name: value
        for name, value in ours.state_dict().items()
    }
    theirs.load_state_dict(named)
    with torch.no_grad():
        torch.testing.assert_close(ours(shown(33)), theirs(shown(33)))


def test_vgg5_equals_a_plain_forward_pass():
    built = Vgg5(kind="vgg5", width=1 / 32).build(10).eval()
    values = shown(70)
    for place in range(1, 5):
        conv, norm = built.get_submodule(f"conv{place}"), built.get_submodule(f"norm{place}")
        values = nn.functional.max_pool2d(torch.relu(norm(conv(values))), 2)
    regions = values[:, :, :4, :4].reshape(2, -1, 2, 2, 2, 2).mean((3, 5))
    torch.testing.assert_close(built(shown(70)), built.fc(regions.flatten(1)))


def test_vgg11_equals_torchvisions_with_its_weights():
    from torchvision.models import vgg11_bn

    theirs, ours = vgg11_bn().features.eval(), Vgg11(kind="vgg11").build(10).eval()
    convs = [one for one in theirs if isinstance(one, nn.Conv2d)]
    norms = [one for one in theirs if isinstance(one, nn.BatchNorm2d)]
    for place, (conv, norm) in enumerate(zip(convs, norms, strict=True), 1):
        conv.weight, norm.weight = (
            ours.get_submodule(f"{name}{place}").weight for name in ("conv", "norm")
        )
        nn.init.zeros_(conv.bias)  # ours has none
    with torch.no_grad():
        torch.testing.assert_close(ours(shown(70)), ours.fc(theirs(shown(70)).mean((2, 3))))


def gelu(values):
    """Give x times the probability that a standard normal is below x."""
    return values * torch.distributions.Normal(0, 1).cdf(values)


def test_gelu_takes_the_place_of_relu_and_comes_before_pooling():
    built = Vgg5(kind="vgg5", width=1 / 32, norm="none", activation="gelu").build(10).eval()
    values = shown(32)
    for conv in (built.conv1, built.conv2, built.conv3, built.conv4):
        values = nn.functional.max_pool2d(gelu(conv(values)), 2)
    torch.testing.assert_close(built(shown(32)), built.fc(values.flatten(1)))
    settings = ResNet18(kind="resnet18", width=1 / 8, norm="none", activation="gelu")
    built = settings.build(10).eval()
    values = stem = gelu(built.conv1(shown(32)))
    for block in built.layer1:
        values = gelu(values + block.conv2(gelu(block.conv1(values))))
    read = built.layers(shown(32))
    torch.testing.assert_close(read["conv1"], stem)
    torch.testing.assert_close(read["layer1"], values)


def test_local_rules_are_refused_where_blocks_are_not_what_they_teach(study):
    study["networks"] = {"vgg5": {"norm": "none"}}
    with pytest.raises(ConfigurationError) as caught:
        load_study(study)
    assert "'oja' teaches conv blocks of BatchNorm and ReLU, and not 'norm: none'" in str(
        caught.value
    )
    study["networks"] = {"vgg5": {"activation": "gelu"}}
    with pytest.raises(ConfigurationError, match="'pc' teaches .* and not 'activation: gelu'"):
        load_study(study)


@pytest.mark.parametrize(("norm", "mean_over"), [("layer", (1, 2, 3)), ("group", (2, 3, 4))])
def test_other_norms_are_of_single_images(norm, mean_over):
    built = ResNet18(kind="resnet18", width=1 / 2, norm=norm).build(10)
    assert built.norms() == {}
    values = torch.randn(3, 32, 5, 5)
    grouped = values if norm == "layer" else values.reshape(3, 32, 1, 5, 5)
    mean = grouped.mean(mean_over, keepdim=True)
    spread = (grouped.var(mean_over, unbiased=False, keepdim=True) + 1e-5).sqrt()
    expected = ((grouped - mean) / spread).reshape(values.shape)
    torch.testing.assert_close(built.norm1(values), expected, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def images_32(tmp_path_factory):
    """Give a training set of images of which every block sees a patch."""
    rng, arrays = np.random.default_rng(0), {}
    for split in ("train", "test"):
        arrays[f"{split}/images"] = rng.integers(0, 256, (50, 32, 32, 3), dtype=np.uint8)
        arrays[f"{split}/labels"] = np.arange(50) % 10
    path = tmp_path_factory.mktemp("training_set") / "images.h5"
    write_h5(path, arrays, ids={"class": list("abcdefghij")}, settings={})
    return path


TAUGHT = [
    (network, kind)
    for network in (
        SETTINGS["vgg5"],
        SETTINGS["vgg11"],
        SETTINGS["resnet18"],
        ResNet18(kind="resnet18", width=1 / 8, norm="none"),
        Cnn3(kind="cnn3", width=1 / 8, norm="group", activation="gelu"),
        SETTINGS["own"],
        SETTINGS["torchvision"],
    )
    for kind in (*RULES,)
    if not rule_class(kind).cannot_teach(network)
]


@pytest.mark.parametrize(("network", "kind"), TAUGHT)
def test_every_rule_that_may_teach_a_network_does_and_stretches_chain(
    checkpoint_settings, images_32, tmp_path, network, kind
):
    settings, rule = checkpoint_settings(kind), checkpoint_settings(kind).rule
    fours = {key: getattr(rule, key) + getattr(rule, key)[-1:] for key in rule.per_block}
    settings = altered(settings, network=network, rule=fours, training_set={"image_size": 32})
    paths = {name: tmp_path / f"{name}.pt" for name in ("0", "1", "2", "whole")}
    trainer.initial_checkpoint(settings, 5, images_32, paths["0"], tmp_path / "0.csv")
    kept = {0: paths["0"]}
    if rule_class(kind).trains:
        for before, after, start, end in (("0", "1", 0, 1), ("1", "2", 1, 2), ("0", "whole", 0, 2)):
            stretch = settings, 5, paths[before], start, end, images_32, paths[after]
            trainer.train_stretch(*stretch, tmp_path / "log.csv")
        assert paths["2"].read_bytes() == paths["whole"].read_bytes()
        kept |= {1: paths["1"], 2: paths["2"]}
    write_diagnostics(
        settings, 5, kept, images_32, tmp_path / "measured.csv", tmp_path / "filters.h5"
    )
    rows = read_csv(tmp_path / "measured.csv")
    trained = rows[rows["epoch"] == max(kept)]
    if kind in ("bp", "fa"):
        assert (trained["weight_change"] > 0).all()
        assert trained["angle_to_bp"].between(0, 1e-3 if kind == "bp" else 180).all()
    if kind == "readout":
        linear = trained["layer"].isin(network.build(10).linear())
        assert (trained[linear]["weight_change"] > 0).all()
        assert (trained[~linear]["weight_change"] == 0).all()


def test_a_rule_that_cannot_teach_the_network_is_refused_with_the_reason(study):
    study["networks"] = {"resnet18": {"norm": "group"}}
    study["rules"]["pc_supervised"] = {"kind": "pc_supervised"}
    with pytest.raises(ConfigurationError) as caught:
        load_study(study)
    chain = "teaches a chain of conv blocks, and 'resnet18' is none; remove it"
    for kind in ("pc", "stdp", "oja", "pc_supervised", "pc_2026", "stdp_2026"):
        assert f"'{kind}' {chain}" in str(caught.value)
    assert "'untrained_bn' gives BatchNorm its statistics, and there is none" in str(caught.value)
    for kind in ("bp", "readout"):
        assert f"'{kind}'" not in str(caught.value)


def test_a_chain_without_pooled_blocks_is_refused_for_what_it_lacks(study):
    study["networks"] = {"vgg11": {}}
    study["rules"]["pc"] = {"kind": "pc"}
    with pytest.raises(ConfigurationError) as caught:
        load_study(study)
    assert "of the eight convolutions of 'vgg11' five do" in str(caught.value)


def test_the_docs_name_every_rule_that_trains_a_residual_network():
    page = Path(__file__).parents[2] / "docs/networks.md"
    row = next(line for line in page.read_text().splitlines() if line.startswith("| `resnet18`"))
    network = network_class("resnet18")(kind="resnet18")
    taught = {
        kind
        for kind in RULES
        if rule_class(kind).made_here and not rule_class(kind).cannot_teach(network)
    }
    named = set(re.findall(r"`(\w+)`", row.split("|")[4])) | {"untrained", "untrained_bn"}
    assert named == taught


# --- networks of others ---------------------------------------------------------------------------


def test_modules_are_read_before_they_are_overwritten():
    built = OWN.build(10).eval()
    read, small = built.layers(shown(32)), built.network
    torch.testing.assert_close(read["first"], small.first(shown(32)))
    assert (read["first"] < 0).any()
    normed = small.norm(small.second(torch.relu(small.first(shown(32)))))
    torch.testing.assert_close(read["norm"], normed)
    torch.testing.assert_close(read["hidden"], small.hidden(torch.relu(normed).mean((2, 3))))


def test_nodes_of_torchvision_are_read_before_they_are_overwritten():
    nodes = ["layer1.0.bn2", "layer1.0.add", "layer1.0", "avgpool", "flatten"]
    network = TorchvisionModel(kind="torchvision", model="resnet18", nodes=nodes)
    for mode in (True, False):
        built = network.build(10)
        model = built.train(mode).network
        with torch.no_grad():
            below = model.maxpool(torch.relu(model.bn1(model.conv1(shown(64)))))
            block = model.layer1[0]
            normed = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(below)))))
            read = built.layers(shown(64))
        torch.testing.assert_close(read["layer1.0.bn2"], normed)
        torch.testing.assert_close(read["layer1.0.add"], normed + below)
        torch.testing.assert_close(read["layer1.0"], torch.relu(normed + below))
        assert built.training == mode
    assert [layer.stride is None for layer in network.layers()] == [False] * 4 + [True]
    torch.testing.assert_close(read["flatten"], read["avgpool"].flatten(1))


def test_a_node_that_a_function_overwrites_is_read_before():
    nodes = ["features.norm5", "relu"]
    built = TorchvisionModel(kind="torchvision", model="densenet121", nodes=nodes).build(2).eval()
    read = built.layers(shown(64))
    assert (read["features.norm5"] < 0).any()
    torch.testing.assert_close(torch.relu(read["features.norm5"]), read["relu"])


def test_a_network_of_others_has_the_same_weights_for_a_seed_and_leaves_the_random_state():
    for kind in ("own", "torchvision"):
        state = torch.get_rng_state()
        first, same, other = (
            weights_hash(initial_network(SETTINGS[kind], 0, seed, classes=10)) for seed in (1, 1, 2)
        )
        assert first == same != other
        assert torch.equal(torch.get_rng_state(), state)


def test_weights_do_not_depend_on_what_was_explored_before(tmp_path):
    text = Path(OWN.file).read_text()
    path = tmp_path / "own.py"
    path.write_text(text + "\n\ntorch.manual_seed(0)\n")  # as scripts do
    settings = {"file": str(path), "network_class": "Dropping"}
    hashes = []
    for seed in (1, 2):
        network = OWN.model_copy(update=settings)
        for explored in (False, True):
            if explored:
                _found.cache_clear()
                network.layers()
            built = initial_network(network, 0, seed, classes=10)
            built.linear()  # explores, too
            hashes.append(weights_hash(built))
    assert hashes[0] == hashes[1] != hashes[2] == hashes[3]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        expected = torch.rand(1)
        torch.manual_seed(1)
        _found.cache_clear()
        network.layers()
        assert torch.rand(1) == expected


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"nodes": ["frist"]},
            r"networks\.mine\.nodes: there is no node 'frist'; did you mean 'first'",
        ),
        ({"network_class": "Smal"}, "has no class 'Smal'; did you mean 'Small'"),
        ({"file": "nowhere.py"}, r"networks\.mine\.file: there is no file nowhere\.py"),
        ({"network_class": "TwoOutputs"}, "gives no tensor for an image, and no logits"),
        (
            {"network_class": "Odd", "nodes": ["first"]},
            "gives values of shape .* and no logits of 2 classes",
        ),
        (
            {"network_class": "Stateless"},
            r"networks\.mine: norm layer 'norm' keeps no statistics.*track_running_stats",
        ),
        ({"arguments": {"depth": 3}}, r"Small\(2, \.\.\.\) of .* failed: .*depth"),
    ],
)
def test_what_a_network_of_others_lacks_is_named_before_any_job(study, wrong, message):
    study["networks"] = {"mine": OWN.model_dump() | wrong}
    with pytest.raises(ConfigurationError, match=message):
        load_study(study)


def test_a_network_of_others_is_named_by_its_label_whenever_it_fails(study, checkpoint_settings):
    study["evaluation"]["sizes"] = [32, 48]
    study["networks"] = {"mine": OWN.model_dump() | {"network_class": "Picky"}}
    with pytest.raises(ConfigurationError) as caught:
        load_study(study)
    assert str(caught.value).splitlines()[1:] == [
        "  networks.mine: does not take images of 48 px (not 48)"
    ]
    own = checkpoint_settings("bp").arm.network
    picky = OWN.model_copy(update={"network_class": "Picky"})
    settings = altered(checkpoint_settings("bp"), network=picky)
    with pytest.raises(ConfigurationError, match=rf"^networks\.{own}: Picky\(10, .* two classes"):
        start_run(settings, 1, torch.device("cpu"), classes=10)


def test_a_network_of_one_image_size_is_run_at_the_sizes_of_the_study(study, checkpoint_settings):
    study["networks"] = {"mine": OWN.model_dump() | {"network_class": "Flat"}}
    study["evaluation"].pop("layers", None)
    study["evaluation"]["sizes"] = [32]
    study["layer_map"] = [{"layer": "first", "roi": study["layer_map"][0]["roi"]}]
    study["rules"] = {"untrained_bn": {}, "bp": {}, "readout": {}}
    study["claims"], study["universes"], study["calibration"] = {}, {}, {}
    del study["training"]["fewer_seeds"], study["report"]
    mine = load_study(study).networks["mine"]
    sides = {layer.name: layer.side(32) for layer in mine.layers()}
    assert sides == {"first": 28, "norm": 10, "hidden": None}
    assert mine.smallest_image_side == 32
    assert not mine.no_readout()
    study["evaluation"]["sizes"] = [32, 48]
    with pytest.raises(ConfigurationError, match=r"networks\.mine: does not take images of 48 px"):
        load_study(study)
    flat = OWN.model_copy(update={"network_class": "Flat"})
    settings = checkpoint_settings("bp")
    shown_at = settings.training_set.model_copy(update={"image_size": 32})
    settings = altered(settings, network=flat, training_set=shown_at)
    network = start_run(settings, 1, torch.device("cpu"), classes=10).network
    assert [*network.linear()] == ["network.top"]
    assert [*network.norms()] == ["network.second"]
    again = CheckpointSettings.read(json.dumps(settings.plain()))
    assert again.network == settings.network


def test_a_network_of_torchvision_starts_with_the_weights_of_a_file(study, tmp_path):
    state = TorchvisionModel(kind="torchvision", model="resnet18", nodes=["layer1"]).made(7)
    state = {name: one + 1 for name, one in state.state_dict().items()}
    path = tmp_path / "resnet.pt"
    torch.save(state, path)
    about = {"kind": "torchvision", "model": "resnet18", "nodes": ["layer1"], "weights": str(path)}
    network = TorchvisionModel(**about)
    assert network.own_files == [str(path)]
    found = {
        (classes, seed): initial_network(network, 0, seed, classes=classes).network.state_dict()
        for classes, seed in ((7, 1), (10, 1), (10, 2))
    }
    for (classes, _), made in found.items():
        taken = {name for name, one in made.items() if torch.equal(one, state.get(name))}
        assert set(state) - taken == ({"fc.weight", "fc.bias"} if classes == 10 else set())
    assert not torch.equal(found[10, 1]["fc.weight"], found[10, 2]["fc.weight"])
    del state["layer1.0.conv1.weight"]
    torch.save(state, path)
    with pytest.raises(DataError, match=r"resnet\.pt: .*lacks 'layer1\.0\.conv1\.weight'"):
        network.build(7)
    study["networks"] = {"mine": about | {"weights": "./none.pt"}}
    with pytest.raises(
        ConfigurationError, match=r"networks\.mine\.weights: there is no file \./none"
    ):
        load_study(study)


def test_a_network_that_torchvision_lacks_is_named(study):
    study["networks"] = {"torchvision": {"model": "resnet19", "nodes": ["layer1"]}}
    with pytest.raises(ConfigurationError, match="no 'resnet19'; did you mean 'resnet18'"):
        load_study(study)


def test_a_file_that_does_not_run_is_named(study, tmp_path):
    (tmp_path / "net.py").write_text("import nothing_of_this_name")
    study["networks"] = {"mine": OWN.model_dump() | {"file": str(tmp_path / "net.py")}}
    with pytest.raises(ConfigurationError, match=r"net\.py does not run \(No module named"):
        load_study(study)


def test_a_module_that_does_not_run_is_named():
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Flatten())
    network[0].unused = nn.Linear(1, 1)
    with pytest.raises(ConfigurationError, match=r"'0\.unused' does not run"):
        read_modules(network, ["0.unused"], shown(4))


# --- cnn3 keeps its bytes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("init", "expected"),
    [("default", "a79c039a45f90a62"), ("kaiming-normal", "a688d682d13ed8ad")],
)
def test_cnn3_starts_with_the_weights_that_it_always_had(init, expected):
    published = Cnn3(kind="cnn3")
    assert weights_hash(initial_network(published, 0, 42, init, classes=10)) == expected


MOVED = {
    "target_propagation": [
        0.01024064621,
        0.03044855258,
        0.07086532365,
        0.05713878821,
        0.01666624274,
    ],
    "burst": [0.1275226567, 0.04779215367, 0.03959168201, 0.05050463636, 0.02576014378],
    "local_supervised": [0.1971264714, 0.1988318611, 0.246079391, 0.3976244308, 0.1512661019],
    "forward_forward": [0.2400682551, 0.2207225333, 0.2478234999, 0.3816909858, 0.1488466096],
    "vicreg": [0.2029081689, 0.2010534449, 0.2576254123, 0.402606124, 0.1467194761],
    "vicreg_local": [0.2025689166, 0.2178589572, 0.2394708265, 0.4150325895, 0.1536589134],
    "softhebb": [0.7684561715, 0.7218685137, 1.028338347, 0.4015137726, 0.1492095164],
    "kolen_pollack": [0.05689128034, 0.04430472769, 0.03855100795, 0.04683448281, 0.02275153847],
    "weight_mirror": [0.06174278203, 0.06537037106, 0.0859799602, 0.1195856215, 0.04416596067],
    "pc_error": [0.06758055637, 0.0666459238, 0.05443510084, 0.04842567392, 0.01998788936],
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
    write_diagnostics(
        settings, 5, kept, small_training_set, tmp_path / "measured.csv", tmp_path / "filters.h5"
    )
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
    text = (
        f"rules.{rule}.{key}: must have 3 values for 'cnn3', one for each of its conv blocks, and"
    )
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
    study["networks"]["cnn3"]["kind"] = "vgg6"
    with pytest.raises(
        ConfigurationError, match=r"networks\.cnn3\.kind: there is no 'vgg6'.*'cnn3'"
    ):
        load_study(study)
