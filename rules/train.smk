# Networks: epoch 0, then each stretch of training from the checkpoint before it.


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
    priority: 10
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        gpu=GPU,
    params:
        code=lambda wildcards: code(
            "initial_state", networks=USED_NETWORK, rules=kinds(wildcards.rule)
        ),
        network=NETWORK_FILES,
        settings=settings(training.CheckpointSettings.of, "rule"),
    message:
        "Make the initial network of {wildcards.rule}, seed {wildcards.seed}"
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
    priority: 10
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        gpu=GPU,
    params:
        code=lambda wildcards: code(
            "train", networks=USED_NETWORK, rules=kinds(wildcards.rule)
        ),
        network=NETWORK_FILES,
        settings=settings(training.CheckpointSettings.of, "rule"),
        start=lambda wildcards: previous_epoch(wildcards),
    message:
        "Train {wildcards.rule}, seed {wildcards.seed}: epoch {params.start} to {wildcards.epoch}"
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
        FILES.diagnostics,
    log:
        f"{LOGS}/diagnostics_rule-{{rule}}_seed-{{seed}}.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        gpu=GPU,
    params:
        code=lambda wildcards: code(
            "diagnostics", networks=USED_NETWORK, rules=kinds(wildcards.rule)
        ),
        network=NETWORK_FILES,
        settings=settings(training.CheckpointSettings.of, "rule"),
        epochs=lambda wildcards: EPOCHS[wildcards.rule],
    message:
        "Diagnostics of {wildcards.rule}, seed {wildcards.seed}: epochs {params.epochs}"
    script:
        "../scripts/diagnostics.py"
