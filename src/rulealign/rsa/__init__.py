"""Representational similarity analysis: numpy and scipy only, no torch."""
