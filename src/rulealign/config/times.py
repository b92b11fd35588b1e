"""When responses or RDMs over time were taken: told by the study, or by an array in the file."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer

from rulealign.choices import chosen_by
from rulealign.schema import Closed, Finite, PositiveFloat
from rulealign.wrong_values import shown


class Steps(Closed):
    """Times at equal distances, as many as the array has."""

    start: Finite = Field(description="the first time, in ms; 0 is the onset of the stimulus")
    step: PositiveFloat = Field(description="from each time to the next, in ms")


class TimesOfFile(Closed):
    """Times in an array of the file itself."""

    key: str = Field(description="name of the array of times in the .npz, .mat or .hdf5")
    unit: Literal["ms", "s"] = Field(default="ms", description="what they are in")


def _increasing(times: list[float]) -> list[float]:
    for one, other in pairwise(times):
        if other <= one:
            raise ValueError(f"{shown(other)} follows {shown(one)}; times in ms must increase")
    return times


def _told_by(times: Any) -> str:
    if isinstance(times, TimesOfFile) or (isinstance(times, Mapping) and "key" in times):
        return "file"
    return "steps" if isinstance(times, Steps | Mapping) else "listed"


Times = chosen_by(
    _told_by,
    listed=Annotated[list[Finite], Field(min_length=2), AfterValidator(_increasing)],
    steps=Steps,
    file=TimesOfFile,
)


class Timed(Closed):
    """A section that may have `times`.

    Attributes:
        later: keys that sections of this kind have got since they were first told. One that is null
            is not told, so that nothing runs again where a study does not use it.
    """

    later: ClassVar[frozenset[str]] = frozenset({"times"})

    @model_serializer(mode="wrap")
    def _as_first_told(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        told = written(self).items()
        return {key: value for key, value in told if value is not None or key not in self.later}
