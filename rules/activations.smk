# What the frozen networks make of the stimuli, at every size: one job per network and size.


rule activations:
    input:
        checkpoint=CHECKPOINT,
        stimuli=expand(STIMULI, stimuli=STUDY.stimuli, allow_missing=True),
    output:
        expand(ACTIVATIONS, stimuli=STUDY.stimuli, allow_missing=True),
    log:
        f"{LOGS}/activations_{NETWORK}_px-{{size}}.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        settings=lambda wildcards: settings(stages.activations, wildcards.rule),
    message:
        "Activations of {wildcards.rule}, seed {wildcards.seed}, epoch {wildcards.epoch},"
        " at {wildcards.size} px"
    script:
        "../scripts/activations.py"
