"""What this command counted before results had manifests, and inputs their later checks."""

BEFORE_COMMIT = "0a5902d"
BEFORE: dict[str, dict[str, int]] = {
    "a bit flipped in a checkpoint": {
        "answered": 144,
        "harmless": 215,
        "traceback": 2,
        "accepted": 39,
    },
    "a bit flipped in another result": {
        "answered": 103,
        "harmless": 306,
        "vague": 54,
        "traceback": 125,
        "accepted": 212,
    },
    "a result cut short": {
        "answered": 104,
        "harmless": 16,
        "vague": 56,
        "traceback": 10,
        "accepted": 14,
    },
    "bad RDMs": {"answered": 28, "vague": 1, "accepted": 6},
    "bad images in a folder": {"answered": 19, "vague": 1, "accepted": 1},
    "bad tables of trials or voxels": {"answered": 37, "vague": 3, "accepted": 7},
    "a bad archive of images": {"answered": 5},
    "bad volumes": {"answered": 20, "harmless": 1},
    "an unsafe file": {"answered": 6, "vague": 16, "traceback": 2, "accepted": 5},
}
