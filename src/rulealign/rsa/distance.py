"""What every distance between response patterns is, and how a study writes it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import model_serializer

from rulealign.schema import Closed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


class Distance(Closed):
    """The section of a distance between the response patterns of two stimuli.

    A kind is one file in `distances/`: a subclass of `OfAverages` or of `OfTrials` whose fields
    are its settings, and one line in the registry. A study writes `distance: <name>` where it has
    no settings, and `distance: {<name>: {settings}}` where it has some.
    """

    name: ClassVar[str]
    """Its name in the registry."""

    short: ClassVar[str]
    """What it is, in a few words, for the reference of the configuration."""

    single_trials: ClassVar[bool]
    """Whether it is computed from single trials, and needs several of each stimulus."""

    gram: ClassVar[str] = ""
    """Its name in `encoding.gram`, where RDMs of it tell the Gram matrix of the patterns."""

    @property
    @abstractmethod
    def words(self) -> str:
        """Say what RDMs of it hold, for the report."""

    @model_serializer
    def as_written(self) -> str | dict[str, Any]:
        """Give it as a study writes it."""
        settings = {field: getattr(self, field) for field in type(self).model_fields}
        return {self.name: settings} if settings else self.name


class OfAverages(Distance):
    """A distance between patterns that are averaged over the trials of a stimulus."""

    single_trials = False

    @abstractmethod
    def rdm(self, patterns: np.ndarray, *, ids: Sequence[str]) -> np.ndarray:
        """Compute the distance of every pair of stimuli.

        Args:
            patterns: shape (stimuli, voxels), any float dtype.
            ids: the stimuli's ids, for errors.

        Returns:
            float64, shape (pairs,), in the order of `numpy.triu_indices(stimuli, 1)`.

        Raises:
            DataError: a pattern allows no distance; names the stimulus.
        """


class Trials(Protocol):
    """What is known of single trials; `data.responses.patterns.RepeatedPatterns` has it."""

    ids: list[str]
    patterns: np.ndarray
    stimulus: np.ndarray
    session: np.ndarray
    run: np.ndarray


class OfTrials(Distance):
    """A distance that is cross-validated between trials of the same stimuli."""

    single_trials = True

    @abstractmethod
    def rdm(self, trials: Trials) -> np.ndarray:
        """Compute the distance of every pair of stimuli.

        Args:
            trials: single trials.

        Returns:
            float64, shape (pairs,), in the order of `numpy.triu_indices(stimuli, 1)`.

        Raises:
            DataError: a stimulus has too few trials, or the noise cannot be estimated; names the
                stimulus.
        """
