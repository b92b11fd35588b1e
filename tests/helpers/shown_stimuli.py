"""Files of stimuli from arrays of pixels, with the silhouettes that the pipeline would cut."""

from PIL import Image

from rulealign.data.images.stimulus_images import write_stimuli
from rulealign.data.stimulus_sets import stimulus_set_class
from rulealign.plan.settings.images import StimuliSettings


def told(kind, *, level=None, seed=None, **section):
    """Give what a stimulus set of a kind is prepared with, with what its section says."""
    found = stimulus_set_class(kind)
    section = {"kind": kind, "background": "grey", "as_shown": False} | section
    if "source" in found.model_fields:
        section["source"] = "./tests-name-it-themselves"
    images = found.model_validate(section)
    return StimuliSettings(images=images, level=level, stimulus_set=None, seed=seed)


def one_each(names):
    """Give groups of one image each, called by its name."""
    return {name: [name] for name in names}


def write_shown(path, pixels, ids, size=None):
    """Write pictures as files, and prepare them as a stimulus set; ids in alphabetical order."""
    folder = path.with_suffix("")
    folder.mkdir()
    for name, image in zip(ids, pixels, strict=True):
        Image.fromarray(image).save(folder / f"{name}.png")
    write_stimuli(told("folder"), size or pixels.shape[1], folder, path, {})
    return path
