# Models that were made elsewhere, in files that the table of their rule names.


if GIVEN:

    rule given:
        input:
            images=FILES.training_set,
            file=files_of_given,
        output:
            checkpoint=FILES.checkpoint,
            table=FILES.checkpoint_log,
        log:
            f"{LOGS}/train_{NETWORK}.log",
        wildcard_constraints:
            rule=one_of(set(GIVEN) & set(WITH_STATES)),
        priority: 10
        conda:
            "../envs/torch.yaml"
        threads: 1
        resources:
            mem_mb=memory(2000),
            gpu=GPU,
        params:
            code=code_of_arm("given"),
            network=network_files,
            settings=settings(training.CheckpointSettings.of, "arm"),
            sizes=lambda wildcards: sizes(files_of_given(wildcards)),
        message:
            "Take over {wildcards.network} of {wildcards.rule}, seed {wildcards.seed}, epoch"
            " {wildcards.epoch}"
        script:
            "../scripts/given.py"

    rule given_activations:
        input:
            files=files_of_given,
            ids=lambda wildcards: STUDY.rules[wildcards.rule].ids or [],
            stimuli=expand(FILES.stimuli, stimuli=STUDY.stimuli, allow_missing=True),
        output:
            activations=expand(
                FILES.activations, stimuli=STUDY.stimuli, allow_missing=True
            ),
            rdms=expand(FILES.model_rdms, stimuli=STUDY.stimuli, allow_missing=True),
        log:
            f"{LOGS}/activations_{NETWORK}_px-{{size}}.log",
        wildcard_constraints:
            rule=one_of(set(WITH_ACTIVATIONS) - set(WITH_STATES)),
        conda:
            "../envs/data.yaml"
        threads: 1
        resources:
            mem_mb=memory(2000),
        params:
            code=code("given_activations"),
            settings=settings(activations.GivenActivationSettings.of, "arm"),
            rdms=settings(scores.ModelRdmSettings.of),
            file=lambda wildcards: given_pattern(wildcards),
            sizes=lambda wildcards: sizes(files_of_given(wildcards)),
        message:
            "Take over activations of {wildcards.network} of {wildcards.rule}, seed"
            " {wildcards.seed}, epoch {wildcards.epoch}, at {wildcards.size} px"
        script:
            "../scripts/given_activations.py"

    rule given_rdms:
        input:
            files=files_of_given,
            ids=lambda wildcards: STUDY.rules[wildcards.rule].ids or [],
            stimuli=expand(FILES.stimuli, stimuli=STUDY.stimuli, allow_missing=True),
        output:
            rdms=expand(FILES.model_rdms, stimuli=STUDY.stimuli, allow_missing=True),
        log:
            f"{LOGS}/rdms_{NETWORK}_px-{{size}}.log",
        wildcard_constraints:
            rule=one_of(set(GIVEN) - set(WITH_ACTIVATIONS)),
        conda:
            "../envs/data.yaml"
        threads: 1
        resources:
            mem_mb=memory(2000),
        params:
            code=code("given_rdms"),
            settings=settings(activations.GivenModelRdmSettings.of, "arm"),
            file=lambda wildcards: given_pattern(wildcards),
            sizes=lambda wildcards: sizes(files_of_given(wildcards)),
        message:
            "Take over RDMs of {wildcards.network} of {wildcards.rule}, seed"
            " {wildcards.seed}, epoch {wildcards.epoch}, at {wildcards.size} px"
        script:
            "../scripts/given_rdms.py"
