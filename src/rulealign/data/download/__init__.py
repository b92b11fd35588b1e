"""Downloads: where a file is published, and the bytes that it must have."""
