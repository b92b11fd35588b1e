# RDMs of the networks: one job per network and size.


rule model_rdms:
    input:
        expand(ACTIVATIONS, stimuli=STUDY.stimuli, allow_missing=True),
    output:
        expand(MODEL_RDMS, stimuli=STUDY.stimuli, allow_missing=True),
    log:
        f"{LOGS}/model_rdms_{NETWORK}_px-{{size}}.log",
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        settings=settings(stages.model_rdms),
    message:
        "RDMs of {wildcards.rule}, seed {wildcards.seed}, epoch {wildcards.epoch},"
        " at {wildcards.size} px"
    script:
        "../scripts/model_rdms.py"
