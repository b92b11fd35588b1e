# Scores at each time of ROIs whose RDMs change over time, of every arm's last checkpoint. Where a
# study has such an ROI: one job per arm and ROI, and their table.

if STUDY.brain.timed_rois:

    rule over_time:
        input:
            models=last_rdms_of_arm,
            brain=rdms_of_roi,
            pairs=COMPARED_PAIRS,
        output:
            FILES.over_time,
        log:
            f"{LOGS}/over_time_{ARM}_roi-{{roi}}.log",
        wildcard_constraints:
            roi="|".join(STUDY.brain.timed_rois),
        conda:
            "../envs/data.yaml"
        threads: 1
        resources:
            mem_mb=memory(2000),
        params:
            code=code("over_time"),
            settings=settings(scores.OverTimeSettings.of),
        message:
            "Hold {wildcards.network} by {wildcards.rule} against {wildcards.roi} over time"
        script:
            "../scripts/over_time.py"

    rule over_time_table:
        input:
            of_arms(FILES.over_time, roi=STUDY.brain.timed_rois),
        output:
            FILES.table.format(table="over_time"),
        log:
            f"{LOGS}/over_time_table.log",
        localrule: True
        conda:
            "../envs/data.yaml"
        resources:
            mem_mb=memory(500),
        params:
            code=code("over_time_table"),
            settings=settings(score_tables.OverTimeTableSettings.of),
        message:
            "Alignment over time of all rules, and the peak of every layer"
        script:
            "../scripts/over_time_table.py"
