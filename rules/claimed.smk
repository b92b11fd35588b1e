# What the claims of the study take: which rules and ROIs, and which files of theirs.

CLAIMED = claim_plans.needs(STUDY)


def universe_settings(study, rule, roi):
    """Take the settings of the scores of one rule with one ROI from what claims need of them."""
    return claims.UniverseSettings.of(study, CLAIMED[rule, roi])


def claimed(pattern):
    """Name the files of every rule and ROI that a claim takes, in one order."""
    return [pattern.format(rule=rule, roi=roi) for rule, roi in CLAIMED]


def claimed_rdms(wildcards):
    need = CLAIMED[wildcards.rule, wildcards.roi]
    shown = {"stimuli": need.stimuli, "size": need.sizes}
    networks = {"rule": wildcards.rule, "seed": need.seeds, "epoch": need.epochs}
    return expand(FILES.model_rdms, **networks, **shown)


def claimed_controls(wildcards):
    need = CLAIMED[wildcards.rule, wildcards.roi]
    partialled = any(one["control"] != "none" for one in need.analyses)
    sets = {"stimuli": need.stimuli, "size": need.sizes}
    return expand(FILES.control_rdms, **sets) if partialled else []


def claimed_pairs(wildcards):
    need = CLAIMED[wildcards.rule, wildcards.roi]
    return (
        [FILES.pairs]
        if any(one["pairs"] == "cross_run" for one in need.analyses)
        else []
    )
