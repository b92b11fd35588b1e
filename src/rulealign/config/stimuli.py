"""The sections of stimulus sets and calibration sets."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from rulealign.schema import (
    GENERATED,
    Closed,
    IdPattern,
    Label,
    Pixels,
    PositiveInt,
    by_kind,
    whole,
)


class _Images(Closed):
    origin: ClassVar[str]
    """Where the images are from, for the report; settings stand in braces."""
    cited: ClassVar[str] = ""
    """Whose images they are, for the report; empty where another section or `source` says it."""

    background: str = Field(description="what surrounds the objects, in words; shown in the report")
    as_shown: bool = Field(description="whether these are the very images subjects saw")


class FolderStimuli(_Images):
    """Stimulus images in a folder: ids are the file names without ending, in sorted order."""

    origin = "from {source}"

    kind: Literal["folder"] = Field(description="one image file per stimulus")
    source: str = Field(description="a dataset of the registry, or a path (with a '/') to a folder")


class MatStimuli(_Images):
    """Stimulus images in a struct array of a MATLAB file, in the order of the array."""

    origin = "from {source}"

    kind: Literal["mat"] = Field(description="a struct array with a field `image`")
    source: str = Field(description="a dataset of the registry, or a path (with a '/') to a .mat")
    key: str = Field(description="name of the struct array in the file")
    ids: IdPattern = Field(description="pattern of the ids, such as image_{:02d}, counted from 1")


class BrainStimuli(_Images):
    """The images that come with the brain data, as its stimulus set asks for them."""

    origin = "come with the brain data"
    cited = "They come with the brain data."

    kind: Literal["brain"] = Field(description="the brain dataset's own images")


class CutoutStimuli(_Images):
    """The objects of another stimulus set, cut out of its uniform background and put on a grey."""

    origin = "objects of {cutout_of}, on grey {level}"

    kind: Literal["cutout"] = Field(description="made from another stimulus set")
    cutout_of: Label = Field(description="label of that set; its background must be uniform")
    level: whole(0, 255) = Field(
        description="grey of the new background, 0 (black) to 255 (white), as it is stored"
    )


Stimuli = by_kind("stimuli are one of", FolderStimuli, MatStimuli, BrainStimuli, CutoutStimuli)


class OtherBrainImages(_Images):
    """The images that come with the brain data and are not compared: not in its stimulus set."""

    origin = "come with the brain data"
    cited = "They come with the brain data."

    kind: Literal["brain-others"] = Field(description="the brain dataset's other images")


class GeneratedImages(Closed):
    """Generated objects, classes taking turns: disjoint from any photograph, and no download."""

    origin: ClassVar[str] = "{count} generated objects, no photographs"
    cited: ClassVar[str] = GENERATED

    kind: Literal["synthetic-objects"] = Field(description="generated, no download")
    count: PositiveInt = Field(description="how many images")
    image_size: Pixels = Field(description="pixels per side before they are resized like stimuli")
    background: Literal["1/f noise", "grey", "white"] = Field(
        description="what surrounds the objects: 1/f noise, or a uniform 128 or 255"
    )
    as_shown: Literal[False] = Field(description="nobody saw these in a scanner")


CalibrationSet = by_kind(
    "calibration images are one of", FolderStimuli, MatStimuli, OtherBrainImages, GeneratedImages
)
