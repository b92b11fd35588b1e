# Every file of the study's results. `all` asks for each of them, because Snakemake makes a missing
# file again only where it is asked for, or where a job that runs anyway needs it. A job that fails
# or is killed after a change of settings leaves its old output deleted: without this list, the page
# would be written from the old numbers below it, and look finished.

_networks = [
    {"rule": rule, "seed": seed, "epoch": epoch}
    for rule in STUDY.rules
    for seed, epoch in networks(rule)
]
_sets = [
    {"stimuli": label, "size": size}
    for label in STUDY.stimuli
    for size in STUDY.evaluation.sizes
]
_calibration = [stages.calibration_set(STUDY, rule) for rule in STUDY.rules]
_rois = STUDY.brain.rois

EVERYTHING = [
    TRAINING_SET,
    *[STIMULI.format(**one) for one in _sets],
    *[
        STIMULI.format(stimuli=label, size=size)
        for label, size in filter(None, _calibration)
    ],
    *expand(BRAIN_RDM, subject=SUBJECTS, roi=_rois),
    *expand([RESPONSES, BRAIN_QUALITY], subject=WITH_RESPONSES, roi=_rois),
    *expand([TRIALS, ACQUISITION], subject=WITH_RESPONSES),
    *COMPARED_PAIRS,
    *[
        name.format(**network)
        for network in _networks
        for name in (CHECKPOINT, CHECKPOINT_LOG)
    ],
    *[
        DIAGNOSTICS.format(rule=rule, seed=seed)
        for rule in STUDY.rules
        for seed in STUDY.seeds(rule)
    ],
    *[
        name.format(**network, **one)
        for network in _networks
        for one in _sets
        for name in (ACTIVATIONS, MODEL_RDMS)
    ],
    *expand([ALIGNMENT, DRAWS, LAYERS], rule=STUDY.rules, roi=_rois),
    *expand(CEILING, roi=_rois),
    *claimed(UNIVERSES),
    *claimed(UNIVERSES_DRAWS),
    *CLAIM_FILES.values(),
    *TABLES.values(),
    TABLE.format(table="layers"),
    *(expand(TABLE, table=("trajectories", "baselines")) if COURSES else []),
    *rules.figures.output,
    *rules.provenance.output,
    f"{RESULTS}/report.html",
    *rules.cost.output,
]
if STUDY.controls:
    EVERYTHING += [CONTROL_RDMS.format(**one) for one in _sets]
    EVERYTHING += expand([CONTROL_ALIGNMENT, CONTROL_DRAWS], roi=_rois)
if STUDY.brain.kind == "simulated":
    EVERYTHING += rules.simulate_images.output
    EVERYTHING += expand(rules.simulate_subject.output, subject=SUBJECTS)


include: "manifests.smk"
