# Tidy tables over all rules and ROIs.


rule ceilings:
    input:
        expand(
            RESULTS + "/brain/sub-{subject}_roi-{roi}_rdm.h5",
            roi=STUDY.brain.rois,
            subject=SUBJECTS,
        ),
    output:
        f"{RESULTS}/statistics/ceilings.csv",
    log:
        f"{LOGS}/ceilings.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=2000,
    params:
        settings=settings(stages.ceilings),
    message:
        "Noise ceilings and their permutation null"
    script:
        "../scripts/ceilings.py"


ALIGNMENTS = expand(
    RESULTS + "/alignment/rule-{rule}_roi-{roi}", rule=STUDY.rules, roi=STUDY.brain.rois
)


rule alignment_table:
    input:
        tables=[f"{stem}.csv" for stem in ALIGNMENTS],
        draws=[f"{stem}_draws.h5" for stem in ALIGNMENTS],
    output:
        f"{RESULTS}/statistics/alignment.csv",
    log:
        f"{LOGS}/alignment_table.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=2000,
    params:
        settings=settings(stages.alignment),
    message:
        "Alignment of all rules and ROIs, averaged over seeds"
    script:
        "../scripts/alignment_table.py"


rule training_table:
    input:
        [
            CHECKPOINT.format(rule=rule, seed=seed, epoch=epoch) + "_log.csv"
            for rule in STUDY.rules
            for seed, epoch in networks(rule)
        ],
    output:
        f"{RESULTS}/statistics/training.csv",
    log:
        f"{LOGS}/training_table.log",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=500,
    params:
        networks=[
            [rule, STUDY.rules[rule].kind, seed, epoch, stages.trains(STUDY, rule)]
            for rule in STUDY.rules
            for seed, epoch in networks(rule)
        ],
    message:
        "Held-out accuracy of all networks; no state occurs twice"
    script:
        "../scripts/training_table.py"
