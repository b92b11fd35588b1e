"""Messages in other words: found by their text, as somebody who rewords them would."""

import re

MESSAGE = re.compile(
    r"((?:raise (?:DataError|GuardError|StoreError|ConfigurationError|ValueError)|\bprint)"
    r'\(\s*f?")'
)


def reworded(text):
    """Reword each message of a source file that begins where it is raised or printed.

    Returns:
        The new text, and how many messages were reworded.
    """
    return MESSAGE.subn(r"\1In other words: ", text)
