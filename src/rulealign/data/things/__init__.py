"""THINGS-fMRI: its tables, volumes and remote rows, and the images of THINGS."""
