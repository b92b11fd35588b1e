# Scores and bootstrap draws: one job per rule and ROI.


def rdms_of_rule(wildcards):
    return [
        f"{RESULTS}/rdms/rule-{wildcards.rule}_seed-{seed}_epoch-{epoch}_stim-{stimuli}_px-{size}.h5"
        for seed, epoch in networks(wildcards.rule)
        for stimuli in STUDY.stimuli
        for size in STUDY.evaluation.sizes
    ]


rule alignment:
    input:
        models=rdms_of_rule,
        brain=expand(
            RESULTS + "/brain/sub-{subject}_roi-{{roi}}_rdm.h5", subject=SUBJECTS
        ),
    output:
        table=RESULTS + "/alignment/rule-{rule}_roi-{roi}.csv",
        draws=RESULTS + "/alignment/rule-{rule}_roi-{roi}_draws.h5",
    log:
        LOGS + "/alignment_rule-{rule}_roi-{roi}.log",
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        settings=settings(stages.alignment),
    message:
        "Hold {wildcards.rule} against {wildcards.roi}"
    script:
        "../scripts/alignment.py"
