"""Score networks with calibrated BatchNorm, in torch and numpy alone.

Run `python benchmarks/batchnorm_plain.py MIRROR [NETWORKS]`.

An independent answer to docs/results/batchnorm.md: no network class, guard, store or statistic of
the library; only its pictures at 224 px, its crops and its initial weights. MIRROR is a folder of
public data as `data_mirrors` takes it, with the JPEG copy of CIFAR-10. Prints, for each conv layer
with the pictures on grey, the Spearman correlation with EVC (mean over subjects and networks) with
identity BatchNorm, and with the statistics of 1,000 crops without a border, with 4 pixels of black,
and with 4 pixels mirrored.
"""

import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.stats import rankdata
from torch.nn import functional

from rulealign.data.images.resize import prepare
from rulealign.data.mat import load_mat_struct
from rulealign.data.stimulus_sets.mat import MatStimuli
from rulealign.learning.batches import crop, pad
from rulealign.learning.networks.cnn3 import Cnn3
from rulealign.learning.weights import initial_network
from rulealign.plan.settings.images import StimuliSettings

MEAN, STD = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.247, 0.243, 0.261])
BORDERS = {"no border": (0, "zero"), "4 px black": (4, "zero"), "4 px mirrored": (4, "reflect")}
_OBJECTS = StimuliSettings(
    images=MatStimuli(
        kind="mat",
        source="cichy92",
        key="stimuli_92objs",
        ids="image_{:02d}",
        background="grey",
        as_shown=True,
    ),
    level=None,
    stimulus_set=None,
    seed=None,
)
NETWORK = Cnn3(kind="cnn3", channels=[32, 64, 128], hidden_units=512, dropout=0.3)
PAIRS = np.triu_indices(92, 1)


def _normalised(pixels):
    return ((torch.as_tensor(pixels).float() / 255 - MEAN) / STD).permute(0, 3, 1, 2)


def _training_images(archive, n=1000, every=25):
    found = []
    with tarfile.open(archive, "r|xz") as file:
        images = (one for one in file if "train" in one.name and one.name.endswith(".jpg"))
        for place, one in enumerate(images):
            if place % every == 0 and len(found) < n:
                picture = Image.open(io.BytesIO(file.extractfile(one).read()))
                found.append(np.asarray(picture.convert("RGB")))
    return torch.tensor(np.stack(found))


def _augmented(images, width, mode):
    random = torch.Generator().manual_seed(1)
    shifts = torch.randint(0, 2 * width + 1, (2, len(images)), generator=random)
    mirrored = torch.rand(len(images), generator=random) < 0.5
    padded = pad(images, width, mode, MEAN.tolist())
    return _normalised(crop(padded, *shifts, mirrored, 32))


def _after_block(maps, mean, variance):
    scaled = (maps - mean[:, None, None]) / (variance + 1e-5).sqrt()[:, None, None]
    return functional.max_pool2d(functional.relu(scaled), 2)


def _score(maps, brains, centred):
    features = functional.adaptive_avg_pool2d(maps, 8).flatten(1).numpy().astype(float)
    features = features - features.mean(0) if centred else features
    ranks = rankdata(1 - np.corrcoef(features)[PAIRS])
    return np.mean([np.corrcoef(ranks, brain)[0, 1] for brain in brains])


def _scores_of(network, stimuli, crops, brains):
    """Give (layer, centred) -> score; `crops` None: identity BatchNorm."""
    found = {}
    for layer, conv in enumerate((network.conv1, network.conv2, network.conv3), 1):
        mean, variance = torch.zeros(conv.out_channels), torch.ones(conv.out_channels)
        if crops is not None:
            maps = torch.cat([conv(part) for part in crops.split(100)])
            mean, variance = maps.mean((0, 2, 3)), maps.var((0, 2, 3))
            crops = _after_block(maps, mean, variance)
        parts = [_after_block(conv(part), mean, variance) for part in stimuli.split(8)]
        stimuli = torch.cat(parts)
        for centred in (False, True):
            found[layer, centred] = _score(stimuli, brains, centred)
    return found


@torch.no_grad()
def _main(mirror, seeds=4):
    (archive,) = (mirror / "cifar10").glob("*.tar.xz")
    images = _training_images(archive)
    file = mirror / "cichy92/Kriegeskorte_Neuron2008_supplementalData.mat"
    pictures = load_mat_struct(file, "stimuli_92objs", "image")
    shown = [prepare(Image.fromarray(pixels), 224) for pixels in pictures]
    stimuli = _normalised(np.stack(shown))
    rdms = np.load(mirror / "cichy92/fmri_EVC_RDMs.npz")["Net_RDM"]
    brains = [rankdata(rdm[PAIRS]) for rdm in rdms]
    arms = {"identity": None} | {name: _augmented(images, *how) for name, how in BORDERS.items()}
    found = {name: [] for name in arms}
    for seed in range(seeds):
        network = initial_network(NETWORK, 2026, seed, classes=10).eval()
        for name, crops in arms.items():
            found[name].append(_scores_of(network, stimuli, crops, brains))
    for centred in (False, True):
        for layer in (1, 2, 3):
            means = {n: np.mean([one[layer, centred] for one in own]) for n, own in found.items()}
            words = ", ".join(f"{name} {mean:.3f}" for name, mean in means.items())
            print(f"conv{layer}, {'centred' if centred else 'uncentred'}: {words}")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
