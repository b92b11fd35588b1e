# What the frozen networks make of the stimuli, and its RDMs: one job per network and size. The RDMs
# take a second or two, less than it takes to start a job of their own for them.


rule activations:
    input:
        checkpoint=FILES.checkpoint,
        stimuli=expand(FILES.stimuli, stimuli=STUDY.stimuli, allow_missing=True),
    output:
        activations=expand(FILES.activations, stimuli=STUDY.stimuli, allow_missing=True),
        rdms=expand(FILES.model_rdms, stimuli=STUDY.stimuli, allow_missing=True),
    log:
        f"{LOGS}/activations_{NETWORK}_px-{{size}}.log",
    wildcard_constraints:
        rule=one_of(WITH_STATES),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        gpu=GPU,
    params:
        code=code_of_arm("activations"),
        network=network_files,
        settings=settings(activations.ActivationSettings.of, "arm"),
        rdms=settings(scores.ModelRdmSettings.of),
    message:
        "Activations and RDMs of {wildcards.network} by {wildcards.rule}, seed {wildcards.seed},"
        " epoch {wildcards.epoch}, at {wildcards.size} px"
    script:
        "../scripts/activations.py"
