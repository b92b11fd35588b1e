"""Images: stimuli, training sets, and the files that they are read from."""
