"""What frozen networks would learn from the stimuli: gradients and teaching signals, with ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from rulealign import guards, store
from rulealign.activations import (
    IMAGES_IN_GUARD,
    Stimuli,
    by_stimulus,
    describe_layers,
    read_stimuli,
    require_finite,
)
from rulealign.arm import Arm
from rulealign.data.images.training_split import class_names
from rulealign.data.labels import label_numbers
from rulealign.errors import GuardError
from rulealign.learning import checkpoint as checkpoints
from rulealign.learning.batches import normalise
from rulealign.learning.device import require_device
from rulealign.learning.given_labels import (
    GIVEN_LABEL,
    RANDOM_LABEL,
    label_gradients,
    random_labels,
)
from rulealign.learning.run import Run, adopt, start_run
from rulealign.learning.signals import layer_gradients
from rulealign.learning.weights import initial_network
from rulealign.plan.settings.encoding import SignalSettings
from rulealign.plan.settings.training import CheckpointSettings

ALONE_TOLERANCE = 1e-3
"""Share of a layer's largest signal by which an image alone may differ from one in a batch."""

TEACHING = "teaching"
"""The features that are a rule's own error signals."""


def write_signals(
    checkpoint: Path,
    stimuli: Sequence[Path],
    outputs: Sequence[Path],
    settings: SignalSettings,
    *,
    arm: Arm,
    seed: int,
    epoch: int,
    size: int,
    training_set: Path | None = None,
) -> None:
    """Show stimulus sets to one frozen network and keep the errors that it would learn from.

    Gradients are exact, whatever the rule, one stimulus per loss, the network evaluated: of losses
    that need no label (`learning.signals`), of a label that a stimulus was given, or of one drawn.
    Teaching signals are what the rule itself sends to a layer (`LearningRule.own_errors`), for the
    network's own decision.

    Args:
        checkpoint: the network.
        stimuli: `stim-<label>_px-<size>_images.h5` of each stimulus set.
        outputs: the file to make for each: float32 datasets `<layer>/<descriptor>/<features>`, with
            features such as `gradient-entropy` or `teaching`, shape (stimuli, features).
        settings: of losses, layers and descriptors.
        arm: the network and the rule; the checkpoint must have the rule's label.
        seed: that it must have.
        epoch: that it must have.
        size: pixels per side of the stimuli.
        training_set: its file, which names the classes; needed where stimuli have labels.

    Raises:
        ConfigurationError: a GPU is configured and there is none.
        DataError: a stimulus file is of another size, or does not belong to its output; or a
            stimulus lacks a label, or has one that is no class.
        GuardError: the checkpoint is another network's, a signal is not finite or not the same for
            an image alone as in a batch, or the network changes while it is read.
        StoreError: a file cannot be read or written.
    """
    device = require_device(settings.device)
    expected = settings.checkpoint_settings_hash
    loaded = checkpoints.load(
        checkpoint, rule=arm.rule, seed=seed, epoch=epoch, settings_hash=expected
    )
    trained_by = CheckpointSettings.read(loaded.settings)
    run = start_run(trained_by, loaded.seed, device, classes=loaded.classes)
    adopt(run, loaded)
    run.network.eval()
    exact = _exact_network(run, device)
    guards.norm_layers_in_eval(exact, run.name(epoch))
    attributes = {**arm._asdict(), "seed": seed, "epoch": epoch, "size": size}
    attributes["state_hash"] = loaded.state_hash
    classes = class_names(training_set) if settings.labels else []
    for path, output in zip(stimuli, outputs, strict=True):
        what = f"{run.name(epoch)}, {path}"
        with store.open_h5(path) as file:
            shown = read_stimuli(file, path, output, size)
            labels = _labels(run, shown, settings, classes, what)
            seen = _seen(run, exact, labels, settings, shown.size in settings.teaching)
            arrays = _signals(run, seen, shown, settings, what)
        about = {"settings": settings.plain(), "attributes": {**attributes, "stimuli": shown.label}}
        store.write_h5(output, arrays, ids={"stimulus": shown.ids}, **about)
        print(f"{what}: {len(arrays)} sets of signals", flush=True)


def _exact_network(run: Run, device: torch.device) -> nn.Module:
    # the rule may have changed how layers send errors back; this one sends them back exactly
    told = run.settings
    network = initial_network(
        told.network, told.study_seed, run.seed, told.rule.init, classes=run.classes
    )
    network.load_state_dict(run.network.state_dict())
    return network.to(device).eval()


def _labels(
    run: Run, shown: Stimuli, settings: SignalSettings, classes: Sequence[str], what: str
) -> dict[str, Tensor]:
    # loss -> label of each image, of losses that need one
    numbers = {}
    if settings.labels:
        numbers[GIVEN_LABEL] = label_numbers(settings.labels, shown.ids, classes, what)
    if RANDOM_LABEL in settings.losses:
        numbers[RANDOM_LABEL] = random_labels(run.settings.study_seed, shown.ids, run.classes)
    places = slice(None) if shown.stimulus_of_image is None else shown.stimulus_of_image
    return {
        loss: torch.from_numpy(own[places]).to(settings.device) for loss, own in numbers.items()
    }


Seen = Callable[["Tensor", int], dict[str, dict[str, "Tensor"]]]
"""Images, and the place of the first one -> features -> layer -> signals."""


def _seen(
    run: Run,
    exact: nn.Module,
    labels: Mapping[str, Tensor],
    settings: SignalSettings,
    teaches: bool,
) -> Seen:
    def seen(images: Tensor, start: int) -> dict[str, dict[str, Tensor]]:
        found = {
            f"gradient-{loss}": layer_gradients(exact, images, loss)
            for loss in settings.losses
            if loss not in labels
        }
        for loss, every in labels.items():
            own = every[start : start + len(images)]
            found[f"gradient-{loss}"] = label_gradients(exact, images, own)
        if teaches:
            own = run.rule.own_errors(images)
            found[TEACHING] = own or layer_gradients(run.network, images, "own-decision")
        return found

    return seen


def _signals(
    run: Run, seen: Seen, shown: Stimuli, settings: SignalSettings, what: str
) -> dict[str, np.ndarray]:
    def show(start: int, count: int) -> Tensor:
        images = torch.from_numpy(shown.images[start : start + count])
        return normalise(images.to(settings.device), settings)

    unchanged = guards.unchanged_state(run.network, what, run.rule.state_dict)
    parts: dict[str, list[np.ndarray]] = {}
    with unchanged:
        _require_alone(seen, show(0, IMAGES_IN_GUARD), what)
        for start in range(0, len(shown.image_names), settings.batch_size):
            for features, layers in seen(show(start, settings.batch_size), start).items():
                vectors, _ = describe_layers(layers, settings)
                for name, values in vectors.items():
                    parts.setdefault(f"{name}/{features}", []).append(values)
    arrays = {}
    for name, batches in parts.items():
        values = np.concatenate(batches)
        require_finite(values, name, shown.image_names, what)
        arrays[name] = by_stimulus(values, shown)
    return arrays


def _require_alone(seen: Seen, images: Tensor, what: str) -> None:
    # one stimulus per loss: what others are shown beside it must not matter
    together, alone = seen(images, 0), seen(images[:1], 0)
    for features, layers in alone.items():
        for name, values in layers.items():
            beside = together[features][name]
            apart = (beside[:1] - values).abs().max()
            if apart > ALONE_TOLERANCE * beside.abs().max():
                raise GuardError(
                    f"{what}: {features} at layer '{name}' of one image depends on the images that"
                    " it is shown with; this is a fault of the network or rule."
                )
