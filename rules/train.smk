# Networks: epoch 0, then each stretch of training from the checkpoint before it.

CHECKPOINT = RESULTS + "/checkpoints/" + NETWORK


rule initial_state:
    input:
        images=f"{RESULTS}/training_set/images.h5",
        # Bad images or brain data stop the run before hours of training, but a change of theirs
        # must not train anything again.
        checked=ancient(f"{RESULTS}/statistics/inputs.csv"),
    output:
        checkpoint=CHECKPOINT + ".pt",
        table=CHECKPOINT + "_log.csv",
    log:
        LOGS + "/train_" + NETWORK + ".log",
    wildcard_constraints:
        epoch="0",
    priority: 10
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        settings=lambda wildcards: settings(stages.checkpoint, wildcards.rule),
    message:
        "Make the initial network of {wildcards.rule}, seed {wildcards.seed}"
    script:
        "../scripts/initial_state.py"


def previous_epoch(wildcards):
    epochs = EPOCHS[wildcards.rule]
    return epochs[epochs.index(int(wildcards.epoch)) - 1]


def previous_checkpoint(wildcards):
    return (
        CHECKPOINT.format(**{**wildcards, "epoch": previous_epoch(wildcards)}) + ".pt"
    )


rule train:
    input:
        images=f"{RESULTS}/training_set/images.h5",
        previous=previous_checkpoint,
    output:
        checkpoint=CHECKPOINT + ".pt",
        table=CHECKPOINT + "_log.csv",
    log:
        LOGS + "/train_" + NETWORK + ".log",
    wildcard_constraints:
        epoch=r"[1-9]\d*",
    priority: 10
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        settings=lambda wildcards: settings(stages.checkpoint, wildcards.rule),
        start=lambda wildcards: previous_epoch(wildcards),
    message:
        "Train {wildcards.rule}, seed {wildcards.seed}: epoch {params.start} to {wildcards.epoch}"
    script:
        "../scripts/train.py"
