# Scores and bootstrap draws: one job per rule and ROI.


rule alignment:
    input:
        models=rdms_of_rule,
        brain=expand(BRAIN_RDM, subject=SUBJECTS, allow_missing=True),
        pairs=COMPARED_PAIRS,
    output:
        table=ALIGNMENT,
        draws=DRAWS,
    log:
        f"{LOGS}/alignment_rule-{{rule}}_roi-{{roi}}.log",
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(8000 if THINGS else 2000),
    params:
        code=code("alignment"),
        settings=settings(stages.alignment),
    message:
        "Hold {wildcards.rule} against {wildcards.roi}"
    script:
        "../scripts/alignment.py"
