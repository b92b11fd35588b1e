# RDMs of the brains; those of the networks are made with their activations.

if not STUDY.brain.single_trials:

    rule brain_rdms:
        input:
            lambda wildcards: source_files(STUDY.brain.rois[wildcards.roi].source),
        output:
            rdms=expand(FILES.brain_rdm, subject=SUBJECTS, allow_missing=True),
        log:
            f"{LOGS}/brain_rdms_roi-{{roi}}.log",
        priority: 20
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(1000),
        params:
            code=code("archive_rdms", brains=USED_BRAIN),
            settings=settings(brain.GivenRdmsSettings.of, "roi"),
            sizes=lambda wildcards: sizes(own_files(STUDY.brain.rois[wildcards.roi])),
        message:
            "Read the given RDMs of {wildcards.roi}"
        script:
            "../scripts/archive_rdms.py"

else:

    rule brain_rdm:
        input:
            FILES.responses,
            STUDY.brain.stimulus_list,
        output:
            FILES.brain_rdm,
        log:
            f"{LOGS}/brain_rdm_sub-{{subject}}_roi-{{roi}}.log",
        priority: 20
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(1500),
        params:
            code=code("brain_rdm"),
            settings=settings(brain.BrainRdmSettings.of),
        message:
            "RDM of sub-{wildcards.subject} in {wildcards.roi}"
        script:
            "../scripts/brain_rdm.py"
