"""Where images and brain data come from."""
