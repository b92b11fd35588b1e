"""Checks of the quality of brain data, and their table."""
