# Networks: epoch 0, then each stretch of training from the checkpoint before it.


include: "given.smk"


rule initial_state:
    input:
        images=FILES.training_set,
        calibration=calibration_set,
        compared=compared_with_calibration,
    output:
        checkpoint=FILES.checkpoint,
        table=FILES.checkpoint_log,
    log:
        f"{LOGS}/train_{NETWORK}.log",
    wildcard_constraints:
        epoch="0",
        rule=one_of(MADE_HERE),
    priority: 10
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        gpu=GPU,
    params:
        code=code_of_arm("initial_state"),
        network=network_files,
        settings=settings(training.CheckpointSettings.of, "arm"),
    message:
        "Make the initial {wildcards.network} of {wildcards.rule}, seed {wildcards.seed}"
    script:
        "../scripts/initial_state.py"


rule train:
    input:
        images=FILES.training_set,
        previous=previous_checkpoint,
    output:
        checkpoint=FILES.checkpoint,
        table=FILES.checkpoint_log,
    log:
        f"{LOGS}/train_{NETWORK}.log",
    wildcard_constraints:
        epoch=r"[1-9]\d*",
        rule=one_of(MADE_HERE),
    priority: 10
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        gpu=GPU,
    params:
        code=code_of_arm("train"),
        network=network_files,
        settings=settings(training.CheckpointSettings.of, "arm"),
        start=lambda wildcards: previous_epoch(wildcards),
    message:
        "Train {wildcards.network} by {wildcards.rule}, seed {wildcards.seed}: epoch {params.start}"
        " to {wildcards.epoch}"
    script:
        "../scripts/train.py"


rule diagnostics:
    input:
        images=FILES.training_set,
        checkpoints=lambda wildcards: [
            FILES.checkpoint.format(**wildcards, epoch=epoch)
            for epoch in EPOCHS[wildcards.rule]
        ],
    output:
        table=FILES.diagnostics,
        filters=FILES.filters,
    log:
        f"{LOGS}/diagnostics_{ARM}_seed-{{seed}}.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        gpu=GPU,
    params:
        code=code_of_arm("diagnostics"),
        network=network_files,
        settings=settings(training.CheckpointSettings.of, "arm"),
        epochs=lambda wildcards: EPOCHS[wildcards.rule],
    message:
        "Diagnostics of {wildcards.network} by {wildcards.rule}, seed {wildcards.seed}: epochs"
        " {params.epochs}"
    script:
        "../scripts/diagnostics.py"
