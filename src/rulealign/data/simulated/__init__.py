"""Data sets whose truth is known: generated objects, and voxels that respond to them."""
