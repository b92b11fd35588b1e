# RDMs of the brains; those of the networks are made with their activations. Last, what the report
# shows of both.

if not STUDY.brain.single_trials:

    # Output must be the same for every ROI of a rule, and ROIs may lack subjects.
    _rois_of = {}
    for _roi in STUDY.brain.rois:
        _rois_of.setdefault(tuple(STUDY.brain.subjects_of(_roi)), []).append(_roi)

    for _place, (_subjects, _some) in enumerate(_rois_of.items()):

        rule:
            name:
                f"brain_rdms_{_place + 1}" if _place else "brain_rdms"
            input:
                lambda wildcards: rdm_sources(wildcards.roi),
                STUDY.brain.stimulus_list,
                stimuli=NAMED_IMAGES,
            output:
                rdms=expand(FILES.brain_rdm, subject=_subjects, allow_missing=True),
            log:
                f"{LOGS}/brain_rdms_roi-{{roi}}.log",
            wildcard_constraints:
                roi="|".join(_some),
            priority: 20
            conda:
                "../envs/data.yaml"
            resources:
                mem_mb=memory(1000),
            params:
                code=code("archive_rdms", brains=USED_BRAIN, distances=[]),
                settings=settings(brain.GivenRdmsSettings.of, "roi"),
                sizes=lambda wildcards: sizes(
                    rdm_sources(wildcards.roi, only=fetch.is_path)
                ),
            message:
                "Read the given RDMs of {wildcards.roi}"
            script:
                "../scripts/archive_rdms.py"

    rule pairs:
        input:
            there(expand(FILES.brain_rdm, subject=SUBJECTS, roi=STUDY.brain.rois)),
        output:
            FILES.pairs,
        log:
            f"{LOGS}/pairs.log",
        priority: 20
        localrule: True
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(500),
        params:
            code=code("present_pairs"),
        message:
            "Find the pairs of stimuli that no given RDM lacks"
        script:
            "../scripts/present_pairs.py"

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
            code=code("brain_rdm", distances=USED_DISTANCES),
            settings=settings(brain.BrainRdmSettings.of, "roi"),
        message:
            "RDM of sub-{wildcards.subject} in {wildcards.roi}"
        script:
            "../scripts/brain_rdm.py"


rule shown_rdms:
    input:
        models=of_networks(
            FILES.model_rdms,
            [arm for arm in ARMS if arm.rule in lines(STUDY)],
            stimuli=STUDY.report.stimuli,
            size=STUDY.report.size,
        ),
        brains=there(expand(FILES.brain_rdm, subject=SUBJECTS, roi=STUDY.mapped_rois())),
        stimuli=(
            FILES.stimuli.format(**STUDY.report.view.model_dump())
            if sources.pictures_allowed(STUDY, STUDY.report.stimuli)
            else []
        ),
    output:
        FILES.shown_rdms,
    log:
        f"{LOGS}/shown_rdms.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(1000),
    params:
        code=code("shown_rdms"),
        settings=settings(report_settings.ShownRdmsSettings.of),
    message:
        "Choose and map the RDMs that the report shows"
    script:
        "../scripts/shown_rdms.py"
