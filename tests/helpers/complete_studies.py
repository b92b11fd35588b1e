"""Study files with every setting stated, for tests that change some."""

import yaml

from rulealign.config.load import load_study


def complete(file):
    """Give the plain values of a study file, with what it does not state filled in."""
    return load_study(yaml.safe_load(file.read_text()), str(file)).model_dump(mode="json")
