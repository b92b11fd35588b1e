# Scores, bootstrap draws and the choice among layers: one job per arm and ROI.


rule alignment:
    input:
        models=rdms_of_arm,
        brain=rdms_of_roi,
        pairs=COMPARED_PAIRS,
    output:
        table=FILES.alignment,
        draws=FILES.draws,
        layers=FILES.layers,
    log:
        f"{LOGS}/alignment_{ARM}_roi-{{roi}}.log",
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        bootstrap_mb=STUDY.statistics.memory_mb,
        mem_mb=memory(1500 + rdms_mb(STUDY, 4000) + STUDY.statistics.memory_mb),
    params:
        code=code("alignment"),
        settings=settings(scores.AlignmentSettings.of, "arm", "roi"),
    message:
        "Hold {wildcards.network} by {wildcards.rule} against {wildcards.roi}"
    script:
        "../scripts/alignment.py"
