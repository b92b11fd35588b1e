# What the claims of the study take: which rules and ROIs, and which files of theirs.

CLAIMED = claim_stages.needs(STUDY)


def claimed(pattern):
    """Name the files of every rule and ROI that a claim takes, in one order."""
    return [pattern.format(rule=rule, roi=roi) for rule, roi in CLAIMED]


def claimed_rdms(wildcards):
    need = CLAIMED[wildcards.rule, wildcards.roi]
    names = {"seed": "seeds", "epoch": "epochs", "stimuli": "stimuli", "size": "sizes"}
    every = {wildcard: need[name] for wildcard, name in names.items()}
    return expand(MODEL_RDMS, **every, **{"rule": wildcards.rule})


def claimed_controls(wildcards):
    need = CLAIMED[wildcards.rule, wildcards.roi]
    partialled = any(one["control"] != "none" for one in need["analyses"])
    sets = {"stimuli": need["stimuli"], "size": need["sizes"]}
    return expand(CONTROL_RDMS, **sets) if partialled else []


def claimed_pairs(wildcards):
    need = CLAIMED[wildcards.rule, wildcards.roi]
    return (
        [PAIRS] if any(one["pairs"] == "cross_run" for one in need["analyses"]) else []
    )
