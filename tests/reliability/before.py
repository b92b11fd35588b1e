"""What the same command counted before results had manifests and inputs their later checks."""

BEFORE_COMMIT = "0a5902d"
BEFORE: dict[str, dict[str, int]] = {}
