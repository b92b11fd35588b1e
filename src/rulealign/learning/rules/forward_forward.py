"""Forward-forward learning: every block tells right labels from wrong ones by its activity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from rulealign.errors import ConfigurationError
from rulealign.lazy import functional, torch
from rulealign.learning.feature_loss import FeatureLossRule, FeatureLossSettings
from rulealign.learning.rule import Course
from rulealign.mistakes import Checks, Mistake
from rulealign.schema import PositiveFloat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from rulealign.learning.network import Network

CYCLES = 4
"""Periods of a label's plane wave along an image's side."""


class ForwardForwardSettings(FeatureLossSettings):
    """The settings of `forward_forward`."""

    kind: Literal["forward_forward"] = Field(
        description="every block tells images with right labels from images with wrong ones"
    )
    form: Literal["contrast", "channels"] = Field(
        default="contrast",
        description="contrast: two passes, with the right and with a wrong label in the image, as"
        " in Hinton 2022; channels: one pass without a label in the image, in which groups of"
        " channels compete for the classes",
    )
    threshold: PositiveFloat = Field(
        default=2, description="goodness that right labels should exceed; of contrast"
    )
    label_amplitude: PositiveFloat = Field(
        default=0.5,
        description="root mean square of a label's pattern, in units of the normalised image; of"
        " contrast",
    )

    def checks(self) -> Checks:
        """Check that nothing is said of labels in images where none is put in."""
        yield self._of_contrast()

    def _of_contrast(self) -> Iterator[Mistake]:
        for key in ("threshold", "label_amplitude") if self.form == "channels" else ():
            if getattr(self, key) != type(self).model_fields[key].default:
                yield Mistake(key, "has no meaning for form channels; remove it, or use contrast")


class ForwardForward(FeatureLossRule):
    """Let every block have high goodness for images with right labels, and low for wrong ones.

    The goodness of the map x_l of block l, shape (batch, channels, height, width), is its mean
    square. With the right label in the image it is G, with a wrong one, drawn anew, G'; t is the
    threshold. Every block learns by itself, from inputs scaled to a mean square of 1, so that it
    cannot reuse the goodness of the block below:

        contrast: dw_l ~ -d([log(1 + exp(t - G_l)) + log(1 + exp(G'_l - t))] / 2)/dw_l

    (Hinton 2022, arXiv 2212.13345). A label is a plane wave over the whole image, as convolutions
    need it (Scodellaro et al. 2023, arXiv 2312.14924), of one orientation per class. The mean
    over the classes is subtracted, so the neutral label, their mean, adds 0 to every pixel: stimuli
    are read as they are, by this rule and by its control, and no part of an RDM is the label's.

        channels: dw_l ~ -d(cross-entropy of the mean squares of the channels k, k + classes, ...
                            as logits of class k)/dw_l

    (Papachristodoulou et al. 2024, AAAI, "CwC"). One pass of the images as dealt gives BatchNorm's
    running statistics and what the readout, which is supervised, learns from. Not for comparing
    accuracies with those of the paper, which classifies by goodness.
    """

    Settings = ForwardForwardSettings

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        super().__init__(network, settings, course)
        *_, logits = network.linear().values()
        self.classes = logits.out_features
        fewest = min(conv.out_channels for _, conv, _ in network.blocks())
        if why := _too_few(settings, fewest, self.classes):  # of classes that no plan knew
            raise ConfigurationError(f"rules.{course.label}: '{settings.kind}' {why}")

    @classmethod
    def cannot_tell_apart(cls, settings: Any, network: Network, classes: int) -> str:
        """Say why it cannot teach a network so many classes; "" where it can."""
        return _too_few(settings, min(block.channels for block in network.blocks()), classes)

    def losses(self, images: Tensor, labels: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Compute the loss of every block.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            Block -> loss; the last map of the images as they are.
        """
        from rulealign.learning.norms import statistics_kept

        net, channels = self.network, self.settings.form == "channels"
        with torch.no_grad():
            features = net.last(net.maps(images))
        values = images if channels else self.labelled(images, labels)
        losses = {}
        with statistics_kept(net):
            for block in net.blocks():
                values = net.map_of(block, values.detach())
                score = self._competition if channels else self._contrast
                losses[block.name] = score(values.square().mean((2, 3)), labels)
                values = values / (values.square().mean((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        return losses, features

    def labelled(self, images: Tensor, labels: Tensor) -> Tensor:
        """Put labels into images: shape (2 batch, ...), first the right, then wrong ones."""
        patterns = label_patterns(self.classes, images.shape[-1]).to(images)
        # on the CPU, so that the draw is the same for every device
        others = torch.randint(1, self.classes, labels.shape).to(labels.device)
        both = torch.cat([labels, (labels + others) % self.classes])
        added = self.settings.label_amplitude * patterns[both][:, None]
        return images.repeat(2, 1, 1, 1) + added

    def _contrast(self, squares: Tensor, labels: Tensor) -> Tensor:
        right, wrong = squares.mean(1).split(len(labels))
        least = self.settings.threshold
        return (functional.softplus(least - right) + functional.softplus(wrong - least)).mean() / 2

    def _competition(self, squares: Tensor, labels: Tensor) -> Tensor:
        groups = [squares[:, k :: self.classes].mean(1) for k in range(self.classes)]
        return functional.cross_entropy(torch.stack(groups, 1), labels)


def _too_few(settings: Any, channels: int, classes: int) -> str:
    if settings.form != "channels" or channels >= classes:
        return ""
    return (
        f"of form channels needs a channel per class, and a conv block has {channels} for {classes}"
        " classes; widen the network, or use form contrast"
    )


def label_patterns(classes: int, size: int) -> Tensor:
    """Draw the labels: plane waves of evenly spaced orientations, less their mean.

    Args:
        classes: how many.
        size: pixels per side.

    Returns:
        Float32, shape (classes, size, size), of root mean square 1 over all; their sum is 0.
    """
    along = torch.arange(size) / size
    turns = math.pi * torch.arange(classes) / classes
    across = turns.cos()[:, None, None] * along + turns.sin()[:, None, None] * along[:, None]
    waves = (2 * math.pi * CYCLES * across).cos()
    apart = waves - waves.mean(0)
    return apart / apart.square().mean().sqrt()
