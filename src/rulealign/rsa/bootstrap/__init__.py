"""Resamples of stimuli and subjects, and the intervals that rest on them."""
