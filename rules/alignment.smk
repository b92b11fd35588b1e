# Scores, bootstrap draws and the choice among layers: one job per rule and ROI.


rule alignment:
    input:
        models=rdms_of_rule,
        brain=expand(FILES.brain_rdm, subject=SUBJECTS, allow_missing=True),
        pairs=COMPARED_PAIRS,
    output:
        table=FILES.alignment,
        draws=FILES.draws,
        layers=FILES.layers,
    log:
        f"{LOGS}/alignment_rule-{{rule}}_roi-{{roi}}.log",
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        bootstrap_mb=STUDY.statistics.memory_mb,
        mem_mb=memory((5500 if THINGS else 1500) + STUDY.statistics.memory_mb),
    params:
        code=code("alignment"),
        settings=settings(scores.AlignmentSettings.of, "rule", "roi"),
    message:
        "Hold {wildcards.rule} against {wildcards.roi}"
    script:
        "../scripts/alignment.py"
