# Tidy tables over all rules and ROIs.


rule ceilings:
    input:
        brain=expand(BRAIN_RDM, roi=STUDY.brain.rois, subject=SUBJECTS),
        pairs=COMPARED_PAIRS,
    output:
        TABLE.format(table="ceilings"),
    log:
        f"{LOGS}/ceilings.log",
    priority: 20
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(2000),
    params:
        code=code("ceilings"),
        settings=settings(stages.ceilings),
    message:
        "Noise ceilings and their permutation null"
    script:
        "../scripts/ceilings.py"


rule quality_table:
    input:
        brain=expand(BRAIN_RDM, roi=STUDY.brain.rois, subject=SUBJECTS),
        trials=expand(TRIALS, subject=WITH_RESPONSES),
        acquisition=expand(ACQUISITION, subject=WITH_RESPONSES),
        parts=expand(BRAIN_QUALITY, roi=STUDY.brain.rois, subject=WITH_RESPONSES),
        responses=expand(RESPONSES, roi=STUDY.brain.rois, subject=WITH_RESPONSES),
    output:
        TABLE.format(table="quality"),
    log:
        f"{LOGS}/quality_table.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(2500),
    params:
        code=code("quality_table"),
        settings=settings(stages.quality_table),
        subjects=WITH_RESPONSES,
    message:
        "Quality of the brain data: orders, agreement, repetitions; faults are named"
    script:
        "../scripts/quality_table.py"


rule alignment_table:
    input:
        tables=expand(ALIGNMENT, rule=STUDY.rules, roi=STUDY.brain.rois),
        draws=expand(DRAWS, rule=STUDY.rules, roi=STUDY.brain.rois),
    output:
        TABLE.format(table="alignment"),
    log:
        f"{LOGS}/alignment_table.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(2000),
    params:
        code=code("alignment_table"),
        settings=settings(stages.alignment_table),
    message:
        "Alignment of all rules and ROIs, averaged over seeds"
    script:
        "../scripts/alignment_table.py"


rule training_table:
    input:
        [
            CHECKPOINT_LOG.format(rule=rule, seed=seed, epoch=epoch)
            for rule in STUDY.rules
            for seed, epoch in networks(rule)
        ],
    output:
        TABLE.format(table="training"),
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
                rule,
                STUDY.rules[rule].kind,
                STUDY.rules[rule].init,
                seed,
                epoch,
                stages.trains(STUDY, rule),
            ]
            for rule in STUDY.rules
            for seed, epoch in networks(rule)
        ],
    message:
        "Held-out accuracy of all networks; no state occurs twice"
    script:
        "../scripts/training_table.py"


rule diagnostics_table:
    input:
        parts=[
            DIAGNOSTICS.format(rule=rule, seed=seed)
            for rule in STUDY.rules
            for seed in stages.seeds(STUDY, rule)
        ],
        training=TABLE.format(table="training"),
        training_set=TRAINING_SET,
    output:
        TABLE.format(table="diagnostics"),
    log:
        f"{LOGS}/diagnostics_table.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500),
    params:
        code=code("diagnostics_table"),
    message:
        "Diagnostics of all networks; rules that did not learn are named"
    script:
        "../scripts/diagnostics_table.py"
