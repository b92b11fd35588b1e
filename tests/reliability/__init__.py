"""Measures how the pipeline answers to interruptions, damage and bad input: docs/reliability.md."""
