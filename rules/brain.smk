# Brain responses by ROI, their RDMs, and the check that images and brains belong together.

if STUDY.brain.kind == "rdm-archive":

    rule brain_rdms:
        input:
            lambda wildcards: source_files(STUDY.brain.rois[wildcards.roi].source),
        output:
            expand(BRAIN_RDM, subject=SUBJECTS, allow_missing=True),
        log:
            f"{LOGS}/brain_rdms_roi-{{roi}}.log",
        priority: 20
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=1000,
        params:
            settings=lambda wildcards: settings(stages.archive, wildcards.roi),
        message:
            "Read the given RDMs of {wildcards.roi}"
        script:
            "../scripts/archive_rdms.py"

else:

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

    rule brain_rdm:
        input:
            RESPONSES,
        output:
            BRAIN_RDM,
        log:
            f"{LOGS}/brain_rdm_sub-{{subject}}_roi-{{roi}}.log",
        priority: 20
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=1000,
        params:
            settings=settings(stages.brain_rdm),
        message:
            "RDM of sub-{wildcards.subject} in {wildcards.roi}"
        script:
            "../scripts/brain_rdm.py"


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
