"""Own betas: files by their patterns, trials by their events, voxels by their masks."""
