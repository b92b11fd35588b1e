"""The text of every Snakemake rule."""

import re

# a rule for each set of subjects that some ROIs have: the first has the plain name
NUMBERED = re.compile(r'^( *)rule:\n *name:\n *f"(\w+)_\{.*$', re.MULTILINE)


def named_rules(text):
    """Give the text of a .smk file with every rule's name behind `rule`."""
    return NUMBERED.sub(r"\1rule \2:", text)
