"""The section on encoding: how features of networks predict responses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rulealign.config.labels import read_labels
from rulealign.schema import Closed, Distinct, FilePlace, Number, whole

Penalty = Annotated[float, Field(gt=0, le=1e12), Number]


class Voxels(Closed):
    """Ridge regression voxel by voxel, where responses of single trials are read."""

    ceiling: bool = Field(
        default=True,
        description="whether scores are also divided by each voxel's noise ceiling, which is"
        " estimated from the images that were shown again",
    )
    least_ceiling: Annotated[float, Field(gt=0, lt=1), Number] = Field(
        default=0.1,
        description="voxels whose ceiling (share of variance, 0 to 1) is lower are left out of"
        " the scores that are divided by it",
    )
    block: whole(1, 1_000_000) = Field(
        default=1000, description="voxels that are computed at a time; memory grows with it"
    )


class Encoding(Closed):
    """Ridge regression, CKA and Procrustes distance between layers and ROIs."""

    features: Annotated[
        list[Literal["activations", "gradient", "teaching"]], Field(min_length=1), Distinct
    ] = Field(
        default=["activations"],
        description="what predicts: a layer's activations; the gradient of a loss by them; or the"
        " error that the rule sends to the layer, of rules that send one to every layer",
    )
    losses: Annotated[
        list[Literal["own-decision", "entropy", "two-view", "given-label", "random-label"]],
        Field(min_length=1),
        Distinct,
    ] = Field(
        default=["own-decision"],
        description="of `gradient`, each stimulus by itself: cross-entropy to the class that the"
        " network decides for, entropy of its output, 1 - cosine with the mirrored image,"
        " cross-entropy to the class that `labels` gives, or to a class drawn at random",
    )
    labels: FilePlace | None = Field(
        default=None,
        description="for the loss given-label: a .csv or .tsv with the columns `stimulus` and"
        " `label`: which class of the training set it is of; null where no loss needs it",
    )
    folds: whole(2, 1000) = Field(
        default=5, description="parts of the stimuli, each predicted from all others"
    )
    inner_folds: whole(2, 1000) = Field(
        default=4,
        description="parts of a fit's stimuli, by which the penalty is chosen for each subject",
    )
    penalties: Annotated[list[Penalty], Field(min_length=1), Distinct] = Field(
        default=[0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0, 10000.0],
        description="ridge penalties to choose from; 1 is the mean eigenvalue of the kernel of the"
        " features, which are z-scored over the stimuli of a fit",
    )
    voxels: Voxels | None = Field(
        default=None,
        description="null: all voxels of an ROI together, from its RDMs; {}: voxel by voxel, each"
        " with its penalty and its score, which needs responses of single trials",
    )
    hierarchy: Annotated[list[str], Distinct] = Field(
        default=[],
        description="ROIs from early to late, 2 or more: the order in which layers predict them is"
        " measured (from 4 on by a rank correlation); [] for none",
    )

    @property
    def unlabelled(self) -> list[str]:
        """List the losses that need no table of labels."""
        return [loss for loss in self.losses if loss != "given-label"]

    @property
    def given_labels(self) -> dict[str, str]:
        """Read which class each stimulus is of; {} where no gradient needs it."""
        return read_labels(self.labels) if self.labels and "gradient" in self.features else {}

    def unfilled(self, there: int, what: str) -> tuple[str, str] | None:
        """Say which folds so many stimuli do not fill: the key, and why; None if all are filled."""
        if there < self.folds:
            return "folds", f"{self.folds} is more than the {there} {what}; lower it"
        left = there - -(-there // self.folds)
        if left < self.inner_folds:
            why = f"{self.inner_folds} is more than the {left} {what} that a fit has; lower it"
            return "inner_folds", why
        return None

    def dataset(self, features: str) -> str:
        """Name a kind of features as their files do: a gradient with the first of the losses."""
        return f"{features}-{self.losses[0]}" if features == "gradient" else features
