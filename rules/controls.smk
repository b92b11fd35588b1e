# Controls: features of the images alone, scored like layers. One job per stimulus set and size
# makes the RDMs of all of them, one job per ROI scores them.


rule controls:
    input:
        FILES.stimuli,
    output:
        FILES.control_rdms,
    log:
        f"{LOGS}/controls_stim-{{stimuli}}_px-{{size}}.log",
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
    params:
        code=code("controls", controls=STUDY.controls),
        settings=settings(scores.ControlRdmSettings.of),
    message:
        "RDMs of the controls of {wildcards.stimuli} at {wildcards.size} px"
    script:
        "../scripts/controls.py"


rule control_alignment:
    input:
        controls=expand(
            FILES.control_rdms, stimuli=STUDY.stimuli, size=STUDY.evaluation.sizes
        ),
        brain=rdms_of_roi,
        pairs=COMPARED_PAIRS,
    output:
        table=FILES.control_alignment,
        draws=FILES.control_draws,
    log:
        f"{LOGS}/control_alignment_roi-{{roi}}.log",
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        bootstrap_mb=STUDY.statistics.memory_mb,
        mem_mb=memory(3500 + STUDY.statistics.memory_mb),
    params:
        code=code("control_alignment", controls=STUDY.controls),
        settings=settings(scores.ScoreSettings.of),
    message:
        "Hold the controls against {wildcards.roi}"
    script:
        "../scripts/control_alignment.py"


rule controls_table:
    input:
        tables=expand(FILES.control_alignment, roi=STUDY.brain.rois),
        draws=expand(FILES.control_draws, roi=STUDY.brain.rois),
    output:
        FILES.table.format(table="controls"),
    log:
        f"{LOGS}/controls_table.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500),
    params:
        code=code("controls_table", controls=STUDY.controls),
        settings=settings(scores.ScoreSettings.of),
        controls=STUDY.controls,
    message:
        "Alignment of all controls; those that stimuli do not have are named"
    script:
        "../scripts/controls_table.py"
