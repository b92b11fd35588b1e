"""Studies for tests of other things: without claims, and with the plainest grid of universes."""


def without_claims(values):
    """Give the values of a study a grid of one universe, and take its claims away."""
    first = values["report"]
    axes = {
        "crossed": [],
        "stimuli": list(values["stimuli"])[:1],
        "size": [values["training_set"]["image_size"]],
        "descriptor": [first["descriptor"]],
        "centring": [first["centring"]],
        "pairs": ["all"],
        "convention": ["per_subject"],
        "comparison": ["spearman"],
        "control": ["none"],
        "baseline": ["own"],
        "initialisation": {"default": {}},
    }
    report = {**first, "reproduces": [], "highlight": []}  # which name claims, and rules
    return {**values, "claims": {}, "universes": axes, "report": report}
