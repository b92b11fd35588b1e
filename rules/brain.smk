# Brain responses by ROI, their RDMs, and the check that images and brains belong together.

if STUDY.brain.kind == "rdm-archive":

    rule brain_rdms:
        input:
            lambda wildcards: source_files(STUDY.brain.rois[wildcards.roi].source),
        output:
            expand(
                RESULTS + "/brain/sub-{subject}_roi-{{roi}}_rdm.h5", subject=SUBJECTS
            ),
        log:
            LOGS + "/brain_rdms_roi-{roi}.log",
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
            responses=RESULTS + "/simulated/sub-{subject}_ResponseData.h5",
            voxels=RESULTS + "/simulated/sub-{subject}_VoxelMetadata.csv",
            stimuli=RESULTS + "/simulated/sub-{subject}_StimulusMetadata.csv",
        output:
            RESULTS + "/brain/sub-{subject}_roi-{roi}_responses.h5",
        log:
            LOGS + "/responses_sub-{subject}_roi-{roi}.log",
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
            RESULTS + "/brain/sub-{subject}_roi-{roi}_responses.h5",
        output:
            RESULTS + "/brain/sub-{subject}_roi-{roi}_rdm.h5",
        log:
            LOGS + "/brain_rdm_sub-{subject}_roi-{roi}.log",
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
        stimuli=expand(
            RESULTS + "/stimuli/stim-{stimuli}_px-{size}_images.h5",
            stimuli=STUDY.stimuli,
            size=STUDY.evaluation.sizes,
        ),
        brain=expand(
            RESULTS + "/brain/sub-{subject}_roi-{roi}_rdm.h5",
            subject=SUBJECTS,
            roi=STUDY.brain.rois,
        ),
    output:
        f"{RESULTS}/statistics/inputs.csv",
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
