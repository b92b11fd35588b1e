# Brain responses by ROI, and the check that images and brains belong together.

if STUDY.brain.kind == "simulated":

    rule responses:
        input:
            responses=f"{SIMULATED}/sub-{{subject}}_ResponseData.h5",
            voxels=f"{SIMULATED}/sub-{{subject}}_VoxelMetadata.csv",
            stimuli=f"{SIMULATED}/sub-{{subject}}_StimulusMetadata.csv",
        output:
            RESPONSES,
        log:
            f"{LOGS}/responses_sub-{{subject}}_roi-{{roi}}.log",
        priority: 20
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=1000,
        params:
            settings=lambda wildcards: settings(stages.responses, wildcards.roi),
        message:
            "Read the responses of sub-{wildcards.subject} in {wildcards.roi}"
        script:
            "../scripts/responses.py"


rule check_inputs:
    input:
        stimuli=expand(STIMULI, stimuli=STUDY.stimuli, size=STUDY.evaluation.sizes),
        brain=expand(BRAIN_RDM, subject=SUBJECTS, roi=STUDY.brain.rois),
    output:
        TABLE.format(table="inputs"),
    log:
        f"{LOGS}/check_inputs.log",
    priority: 20
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=500,
    message:
        "Check that every stimulus set and every brain RDM has the same stimuli in the same order"
    script:
        "../scripts/check_inputs.py"
