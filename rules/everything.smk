# Every file of the study's results. `all` asks for each of them, because Snakemake makes a missing
# file again only where it is asked for, or where a job that runs anyway needs it. A job that fails
# or is killed after a change of settings leaves its old output deleted: without this list, the page
# would be written from the old numbers below it, and look finished.

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
    *there(expand(FILES.brain_rdm, subject=SUBJECTS, roi=_rois)),
    *there(
        expand(
            [FILES.responses, FILES.brain_quality], subject=WITH_RESPONSES, roi=_rois
        )
    ),
    *expand([FILES.trials, FILES.acquisition], subject=WITH_RESPONSES),
    *COMPARED_PAIRS,
    *of_networks([FILES.checkpoint, FILES.checkpoint_log], OF_STATES),
    *rules.diagnostics_table.input.parts,
    *[
        FILES.filters.format(**arm._asdict(), seed=seed)
        for arm in OF_STATES
        for seed in STUDY.seeds(arm.rule)
    ],
    *of_networks(
        FILES.activations,
        OF_ACTIVATIONS,
        stimuli=STUDY.stimuli,
        size=STUDY.evaluation.sizes,
    ),
    *of_networks(FILES.model_rdms, stimuli=STUDY.stimuli, size=STUDY.evaluation.sizes),
    *of_arms([FILES.alignment, FILES.draws, FILES.layers], roi=_rois),
    *expand(FILES.ceiling, roi=_rois),
    *claimed(FILES.universes),
    *claimed(FILES.universes_draws),
    *claimed_signal_rdms(),
    *measured(FILES.measured),
    *measured(FILES.measured_draws),
    *CLAIM_FILES.values(),
    *TABLES.values(),
    FILES.table.format(table="layers"),
    *(expand(FILES.table, table=("trajectories", "baselines")) if COURSES else []),
    FILES.shown_rdms,
    *rules.figures.output,
    *rules.provenance.output,
    FILES.page,
    FILES.dictionary,
    *rules.cost.output,
]
if STUDY.controls:
    EVERYTHING += [FILES.control_rdms.format(**one) for one in _sets]
    EVERYTHING += expand([FILES.control_alignment, FILES.control_draws], roi=_rois)
if STUDY.brain.timed_rois:
    EVERYTHING += of_arms(FILES.over_time, roi=STUDY.brain.timed_rois)
    EVERYTHING += rules.over_time_table.output
if STUDY.encoding:
    EVERYTHING += expand(ENCODED, roi=_rois)
    EVERYTHING += of_arms([FILES.encoding, FILES.encoding_errors], roi=_rois)
    EVERYTHING += rules.encoding_table.output
    if STUDY.encoding.hierarchy:
        EVERYTHING += rules.encoding_order.output
    EVERYTHING += of_networks(
        FILES.signals,
        [arm for arm in ARMS if STUDY.signals(arm.rule)],
        stimuli=STUDY.stimuli,
        size=STUDY.evaluation.sizes,
    )
if STUDY.brain.generated:
    EVERYTHING += rules.simulate_images.output
    EVERYTHING += expand(rules.simulate_subject.output, subject=SUBJECTS)


include: "manifests.smk"
