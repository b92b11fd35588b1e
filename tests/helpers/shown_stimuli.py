"""Files of stimuli from arrays of pixels, with the silhouettes that the pipeline would cut."""

from PIL import Image

from rulealign.data.images.stimulus_images import write_stimuli


def write_shown(path, pixels, ids, px=None):
    """Write pictures as files, and prepare them as a stimulus set; ids in alphabetical order."""
    folder = path.with_suffix("")
    folder.mkdir()
    for name, image in zip(ids, pixels, strict=True):
        Image.fromarray(image).save(folder / f"{name}.png")
    settings = {"kind": "folder", "background": "any", "as_shown": False}
    write_stimuli(settings | {"px": px or pixels.shape[1]}, folder, path)
    return path
