"""Responses of voxels to single trials, whatever data set they come from."""
