# Brain responses by subject and ROI, their trials, and the check that images and brains belong together.

if WITH_RESPONSES:
    USED_FORM = [BRAIN_DATA.form.form]
    FORM = noted("form", BRAIN_DATA.form.plain())

    rule trials:
        input:
            brain_files,
        output:
            trials=FILES.trials,
            acquisition=FILES.acquisition,
        log:
            f"{LOGS}/trials_sub-{{subject}}.log",
        priority: 20
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(1000),
        params:
            code=code("trials", forms=USED_FORM),
            form=FORM,
            place=brain_folder,
        message:
            "Read the trials of sub-{wildcards.subject}"
        script:
            "../scripts/trials.py"

    rule responses:
        input:
            brain_files,
        output:
            FILES.responses,
        log:
            f"{LOGS}/responses_sub-{{subject}}_roi-{{roi}}.log",
        priority: 20
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(3000),
        params:
            code=code("responses", forms=USED_FORM),
            settings=settings(brain.ResponsesSettings.of, "roi"),
            form=FORM,
            place=brain_folder,
        message:
            "Read the responses of sub-{wildcards.subject} in {wildcards.roi}"
        script:
            "../scripts/responses.py"

    rule quality:
        input:
            FILES.responses,
        output:
            FILES.brain_quality,
        log:
            f"{LOGS}/quality_sub-{{subject}}_roi-{{roi}}.log",
        priority: 20
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(2500),
        params:
            code=code("quality"),
            settings=settings(brain.QualitySettings.of),
        message:
            "Check the trials of sub-{wildcards.subject} in {wildcards.roi}"
        script:
            "../scripts/quality.py"

    rule pairs:
        input:
            trials=expand(FILES.trials, subject=SUBJECTS),
            lists=STUDY.brain.stimulus_list,
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
            code=code("pairs"),
            stimulus_set=STUDY.brain.stimulus_set,
        message:
            "Find the pairs of stimuli that lie in different runs for every subject"
        script:
            "../scripts/pairs.py"


rule check_inputs:
    input:
        stimuli=expand(
            FILES.stimuli, stimuli=STUDY.stimuli, size=STUDY.evaluation.sizes
        ),
        brain=there(expand(FILES.brain_rdm, subject=SUBJECTS, roi=STUDY.brain.rois)),
        responses=(
            there(expand(FILES.responses, subject=SUBJECTS, roi=STUDY.brain.rois))
            if WITH_RESPONSES
            else []
        ),
        given=[
            file
            for source in brain.InputsSettings.of(STUDY).labelled
            for file in source_files(source)
        ],
        pairs=[FILES.pairs] if STUDY.compared_pairs != ["all"] else [],
        folds=expand(ENCODED, roi=STUDY.brain.rois) if ENCODED else [],
        classes=[FILES.training_set] if brain.InputsSettings.of(STUDY).labels else [],
        models=of_networks(
            FILES.model_rdms,
            [arm for arm in ARMS if arm not in OF_STATES],
            stimuli=STUDY.stimuli,
            size=STUDY.evaluation.sizes,
        ),
    output:
        FILES.table.format(table="inputs"),
    log:
        f"{LOGS}/check_inputs.log",
    priority: 20
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(1000),
    params:
        code=code("check_inputs"),
        settings=settings(brain.InputsSettings.of),
    message:
        "Check that every stimulus set and every brain RDM has the same stimuli in the same order"
    script:
        "../scripts/check_inputs.py"
