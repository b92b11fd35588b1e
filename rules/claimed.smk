# What the claims of the study take: which arms and ROIs, and which files of theirs.

NEEDS = claim_plans.needs(STUDY)
CLAIMED = NEEDS[PLAIN_WAY]
OF_RDMS = [one for one in MEASURES if measure_class(one).of_rdms]
OF_GRAMS = [one for one in MEASURES if one not in OF_RDMS]
CLAIMED_ROIS = sorted({roi for needed in NEEDS.values() for *_, roi in needed})
MEASURED = {way: needed for way, needed in NEEDS.items() if way != PLAIN_WAY}
"""The same of other measures than RSA and other features than activations."""


def universe_settings(study, arm, roi):
    """Take the settings of the scores of one arm with one ROI from what claims need of them."""
    return claims.UniverseSettings.of(study, CLAIMED[(*arm, roi)])


def claimed(pattern):
    """Name the files of every arm and ROI that a claim takes by RSA of activations, in one order."""
    return [
        pattern.format(network=network, rule=rule, roi=roi)
        for network, rule, roi in CLAIMED
    ]


def measured(pattern):
    """Name the files of every arm and ROI that a claim takes in another way, in one order."""
    return [
        pattern.format(network=network, rule=rule, roi=roi, **way._asdict())
        for way, needed in MEASURED.items()
        for network, rule, roi in needed
    ]


def claimed_signal_rdms():
    """Name the RDMs of gradients and teaching signals that claims take, each once."""
    named = [
        path
        for way, needed in MEASURED.items()
        for key, need in needed.items()
        for path in _models(Arm(*key[:2]), way, need)
        if measure_class(way.measure).of_rdms
    ]
    return list(dict.fromkeys(named))


def measured_encodings():
    """Name the errors of encoding that scores of Gram matrices are held against, each once."""
    taken = {
        key
        for way, needed in MEASURED.items()
        for key in needed
        if not measure_class(way.measure).of_rdms
    }
    return [
        FILES.encoding_errors.format(network=network, rule=rule, roi=roi)
        for network, rule, roi in sorted(taken)
    ]


def way_of_job(wildcards):
    return Way(wildcards.measure, wildcards.features)


def need_of(wildcards):
    """Give what claims need of a job's arm and ROI, by RSA of activations or in another way."""
    way = way_of_job(wildcards) if "measure" in wildcards.keys() else PLAIN_WAY
    return NEEDS[way][(*arm_of(wildcards), wildcards.roi)]


def measured_settings(study, arm, roi, measure, features):
    """Take the settings of scores in another way from what claims need of them."""
    way = Way(measure, features)
    return claims.MeasuredSettings.of(study, NEEDS[way][(*arm, roi)], way)


def measured_models(wildcards):
    """Name the files of RDMs, or of features, that a measure takes."""
    return _models(arm_of(wildcards), way_of_job(wildcards), need_of(wildcards))


def _models(arm, way, need):
    shown = {"stimuli": need.stimuli, "size": need.sizes}
    networks = {"seed": need.seeds, "epoch": need.epochs, "features": way.features}
    of_activations = way.features == PLAIN_WAY.features
    pattern = FILES.activations if of_activations else FILES.signals
    if measure_class(way.measure).of_rdms:
        pattern = FILES.signal_rdms
    return of_arms(pattern, [arm], **networks, **shown)


def claimed_rdms(wildcards):
    need = need_of(wildcards)
    shown = {"stimuli": need.stimuli, "size": need.sizes}
    networks = {"seed": need.seeds, "epoch": need.epochs}
    return of_arms(FILES.model_rdms, [arm_of(wildcards)], **networks, **shown)


def claimed_controls(wildcards):
    need = need_of(wildcards)
    partialled = any(one["control"] != "none" for one in need.analyses)
    sets = {"stimuli": need.stimuli, "size": need.sizes}
    return expand(FILES.control_rdms, **sets) if partialled else []


def claimed_pairs(wildcards):
    need = need_of(wildcards)
    return [FILES.pairs] if any(one["pairs"] != "all" for one in need.analyses) else []
