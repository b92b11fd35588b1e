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
_calibration = [STUDY.calibration_set(rule) for rule in STUDY.rules]
_rois = STUDY.brain.rois

EVERYTHING = [
    FILES.training_set,
    *[FILES.stimuli.format(**one) for one in _sets],
    *[
        FILES.stimuli.format(stimuli=label, size=size)
        for label, size in filter(None, _calibration)
    ],
    *expand(FILES.brain_rdm, subject=SUBJECTS, roi=_rois),
    *expand([FILES.responses, FILES.brain_quality], subject=WITH_RESPONSES, roi=_rois),
    *expand([FILES.trials, FILES.acquisition], subject=WITH_RESPONSES),
    *COMPARED_PAIRS,
    *[
        name.format(**network)
        for network in _networks
        for name in (FILES.checkpoint, FILES.checkpoint_log)
    ],
    *[
        FILES.diagnostics.format(rule=rule, seed=seed)
        for rule in STUDY.rules
        for seed in STUDY.seeds(rule)
    ],
    *[
        name.format(**network, **one)
        for network in _networks
        for one in _sets
        for name in (FILES.activations, FILES.model_rdms)
    ],
    *expand([FILES.alignment, FILES.draws, FILES.layers], rule=STUDY.rules, roi=_rois),
    *expand(FILES.ceiling, roi=_rois),
    *claimed(FILES.universes),
    *claimed(FILES.universes_draws),
    *CLAIM_FILES.values(),
    *TABLES.values(),
    FILES.table.format(table="layers"),
    *(expand(FILES.table, table=("trajectories", "baselines")) if COURSES else []),
    *rules.figures.output,
    *rules.provenance.output,
    FILES.page,
    *rules.cost.output,
]
if STUDY.controls:
    EVERYTHING += [FILES.control_rdms.format(**one) for one in _sets]
    EVERYTHING += expand([FILES.control_alignment, FILES.control_draws], roi=_rois)
if STUDY.brain.generated:
    EVERYTHING += rules.simulate_images.output
    EVERYTHING += expand(rules.simulate_subject.output, subject=SUBJECTS)


include: "manifests.smk"
