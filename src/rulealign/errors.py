"""The errors that a user may see: each message names what is wrong, where, and the remedy."""


class RulealignError(Exception):
    """Anything that rulealign refuses to do; always raised as one of the kinds below."""


class ConfigurationError(RulealignError):
    """A study's configuration is incomplete, misspelt or impossible."""


class DataError(RulealignError):
    """An input file, image, RDM or download is not what it should be."""


class StoreError(RulealignError):
    """A result could not be written, or a file of the pipeline could not be read back."""


class GuardError(RulealignError):
    """A guard found a known way to a wrong number and stopped the run."""
