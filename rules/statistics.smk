# Tidy tables over all networks, rules and ROIs.

COURSES = [arm for arm in ARMS if arm.rule in STUDY.trajectory_rules()]
MAPPED = STUDY.mapped_rois()
COMPARED = [arm for arm in ARMS if arm.rule in STUDY.compared_rules()]


rule ceiling:
    input:
        brain=rdms_of_roi,
        pairs=COMPARED_PAIRS,
    output:
        FILES.ceiling,
    log:
        f"{LOGS}/ceiling_roi-{{roi}}.log",
    priority: 20
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(2000),
    params:
        code=code("ceiling"),
        settings=settings(scores.CeilingSettings.of),
    message:
        "Noise ceiling of {wildcards.roi} and its permutation null"
    script:
        "../scripts/ceiling.py"


rule ceilings_table:
    input:
        expand(FILES.ceiling, roi=STUDY.brain.rois),
    output:
        FILES.table.format(table="ceilings"),
    log:
        f"{LOGS}/ceilings_table.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500),
    params:
        code=code("ceilings_table"),
        rois=list(STUDY.brain.rois),
        settings=settings(scores.CeilingSettings.of),
    message:
        "Noise ceilings of all ROIs"
    script:
        "../scripts/ceilings_table.py"


rule quality_table:
    input:
        brain=there(expand(FILES.brain_rdm, roi=STUDY.brain.rois, subject=SUBJECTS)),
        trials=expand(FILES.trials, subject=WITH_RESPONSES),
        acquisition=expand(FILES.acquisition, subject=WITH_RESPONSES),
        parts=there(
            expand(FILES.brain_quality, roi=STUDY.brain.rois, subject=WITH_RESPONSES)
        ),
        responses=there(
            expand(FILES.responses, roi=STUDY.brain.rois, subject=WITH_RESPONSES)
        ),
    output:
        FILES.table.format(table="quality"),
    log:
        f"{LOGS}/quality_table.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(2500),
    params:
        code=code("quality_table"),
        settings=settings(brain.QualityTableSettings.of),
        subjects=WITH_RESPONSES,
    message:
        "Quality of the brain data: orders, agreement, repetitions; faults are named"
    script:
        "../scripts/quality_table.py"


rule alignment_table:
    input:
        tables=of_arms(FILES.alignment, roi=STUDY.brain.rois),
        draws=of_arms(FILES.draws, roi=STUDY.brain.rois),
    output:
        table=FILES.table.format(table="alignment"),
        subjects=FILES.table.format(table="alignment_subjects"),
    log:
        f"{LOGS}/alignment_table.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(2000),
    params:
        code=code("alignment_table"),
        settings=settings(score_tables.AlignmentTableSettings.of),
    message:
        "Alignment of all rules and ROIs, averaged over seeds"
    script:
        "../scripts/alignment_table.py"


rule layers_table:
    input:
        of_arms(FILES.layers, roi=STUDY.brain.rois),
    output:
        FILES.table.format(table="layers"),
    log:
        f"{LOGS}/layers_table.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(1000),
    params:
        code=code("layers_table"),
        settings=settings(score_tables.LayersTableSettings.of),
    message:
        "Every layer with every ROI, beside the fixed map and the choice on other stimuli"
    script:
        "../scripts/layers_table.py"


if COURSES:

    rule trajectories_table:
        input:
            tables=of_arms(FILES.alignment, COURSES, roi=MAPPED),
            draws=of_arms(FILES.draws, COURSES, roi=MAPPED),
            compared=of_arms(FILES.alignment, COMPARED, roi=MAPPED),
            compared_draws=of_arms(FILES.draws, COMPARED, roi=MAPPED),
        output:
            courses=FILES.table.format(table="trajectories"),
            baselines=FILES.table.format(table="baselines"),
        log:
            f"{LOGS}/trajectories_table.log",
        localrule: True
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(1500),
        params:
            code=code("trajectories_table"),
            settings=settings(score_tables.TrajectorySettings.of),
            baselines=settings(score_tables.BaselineSettings.of),
        message:
            "Drops, changes, mean heights and half decays of alignment over training"
        script:
            "../scripts/trajectories_table.py"


rule training_table:
    input:
        of_networks(FILES.checkpoint_log, OF_STATES),
    output:
        FILES.table.format(table="training"),
    log:
        f"{LOGS}/training_table.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500),
    params:
        code=code("training_table"),
        networks=[
            [
                network,
                rule,
                STUDY.rules[rule].kind,
                STUDY.rules[rule].init,
                seed,
                epoch,
                STUDY.trains(rule),
                rule in MADE_HERE,
            ]
            for network, rule in OF_STATES
            for seed in STUDY.seeds(rule)
            for epoch in EPOCHS[rule]
        ],
    message:
        "Held-out accuracy of all networks; no state appears twice"
    script:
        "../scripts/training_table.py"


rule diagnostics_table:
    input:
        parts=[
            FILES.diagnostics.format(**arm._asdict(), seed=seed)
            for arm in OF_STATES
            for seed in STUDY.seeds(arm.rule)
        ],
        training=FILES.table.format(table="training"),
        training_set=FILES.training_set,
    output:
        FILES.table.format(table="diagnostics"),
    log:
        f"{LOGS}/diagnostics_table.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500),
    params:
        code=code("diagnostics_table"),
        settings=settings(diagnostics.DiagnosticsSettings.of),
    message:
        "Diagnostics of all networks; rules that did not learn are named"
    script:
        "../scripts/diagnostics_table.py"
